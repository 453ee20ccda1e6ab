//! Who gives way when there is not room for all: a share of the exchanges at once for each priority.
//!
//! Knows no call. Invariants: critical calls may fill everything; a lower priority never reaches further than a higher
//! one; whatever the capacity, every priority may use some of it.

use lintel_types::Priority;

/// Exchanges at once up to which a call of `priority` is admitted, of `capacity`: all for critical ones, 95 % for normal
/// ones, 75 % for batch ones, rounded up. So a gateway that is nearly full still has room for what matters most.
pub fn reach(priority: Priority, capacity: u64) -> u64 {
    let percent = match priority {
        Priority::Critical => return capacity,
        Priority::Normal => 95,
        Priority::Batch => 75,
    };
    // The whole hundreds and the rest apart, so that no capacity overflows.
    let (hundreds, rest) = (capacity / 100, capacity % 100);
    hundreds
        .saturating_mul(percent)
        .saturating_add((rest * percent).div_ceil(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_capacities_are_everybodys() {
        for (capacity, batch, normal) in [
            (0, 0, 0),
            (1, 1, 1),
            (2, 2, 2),
            (4, 3, 4),
            (20, 15, 19),
            (1_000, 750, 950),
        ] {
            assert_eq!(
                (
                    reach(Priority::Batch, capacity),
                    reach(Priority::Normal, capacity)
                ),
                (batch, normal),
                "{capacity}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_lower_priority_reaches_no_further(capacity: u64) {
            let [batch, normal, critical] = Priority::ALL.map(|p| reach(p, capacity));
            prop_assert!(batch <= normal && normal <= critical && critical == capacity);
            prop_assert!(capacity == 0 || batch > 0);
        }
    }
}
