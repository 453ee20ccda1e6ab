//! How long to wait before a target that has failed is tried again: exponential with full jitter.
//!
//! Full jitter (uniform between nothing and the cap) spreads a crowd of retries best;
//! see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

use std::time::Duration;

/// The cap of the first wait.
pub const BASE: Duration = Duration::from_millis(250);

/// The cap of every wait.
pub const CEILING: Duration = Duration::from_secs(8);

/// The wait before the `again`-th repetition (from 1): uniform in `0..=min(CEILING, BASE · 2^(again-1))`.
/// `random` is 64 uniform bits.
pub fn full_jitter(again: u32, random: u64) -> Duration {
    let doubled = 2u32.saturating_pow(again.saturating_sub(1));
    let cap = BASE.saturating_mul(doubled).min(CEILING);
    let nanos = (u128::from(random) * (cap.as_nanos() + 1)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_the_whole_interval_and_never_more() {
        for (again, cap) in [
            (1, BASE),
            (2, BASE * 2),
            (3, BASE * 4),
            (9, CEILING),
            (u32::MAX, CEILING),
        ] {
            assert_eq!(full_jitter(again, 0), Duration::ZERO);
            assert_eq!(full_jitter(again, u64::MAX), cap);
            let middle = full_jitter(again, u64::MAX / 2);
            assert!(
                middle.abs_diff(cap / 2) < Duration::from_micros(1),
                "{middle:?}"
            );
        }
    }
}
