//! The real clock and random source. Everything below this floor takes them as arguments.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lintel_types::{Clock, Entropy, Mono, Timestamp};

/// The machine's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    epoch: Instant,
    /// Microseconds that the wall clock has been stepped by. For tests.
    step: Option<Arc<AtomicI64>>,
}

impl SystemClock {
    /// Monotonic time counts from here.
    pub fn new() -> Self {
        Self {
            epoch: Instant::now(),
            step: None,
        }
    }

    /// A clock whose wall time is the machine's and the microseconds in `step`, as if somebody had set it. For tests.
    pub fn stepped(step: Arc<AtomicI64>) -> Self {
        Self {
            epoch: Instant::now(),
            step: Some(step),
        }
    }

    /// A monotonic reading as the runtime's timers want it.
    pub(crate) fn instant(&self, at: Mono) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.epoch.checked_add(at.0).unwrap_or(self.epoch))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let real = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let step = self.step.as_ref().map_or(0, |s| s.load(Ordering::Relaxed));
        Timestamp::from_micros(real.saturating_add(step))
    }

    fn mono(&self) -> Mono {
        Mono(self.epoch.elapsed())
    }
}

/// Random bits for ids and load balancing: SplitMix64 over a seed from the operating system.
/// Sebastiano Vigna, <https://prng.di.unimi.it/splitmix64.c>. Not for keys.
#[derive(Debug)]
pub struct SystemEntropy {
    state: AtomicU64,
}

impl SystemEntropy {
    /// Seeds from the operating system, by way of the standard library's hasher keys.
    pub fn new() -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self {
            state: AtomicU64::new(seed),
        }
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self
            .state
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_differ() {
        let entropy = SystemEntropy::new();
        let seen: std::collections::HashSet<u64> = (0..1_000).map(|_| entropy.bits()).collect();
        assert_eq!(seen.len(), 1_000);
    }
}
