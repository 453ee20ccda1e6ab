//! A limit held in this process: so many exchanges, or so many body bytes, at once.
//!
//! One atomic, no lock, no clock. Never hands out more than its capacity; lowering the capacity
//! takes nothing back, it only refuses until enough was given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lintel_types::{Denied, Grant, Lease, Mono};

/// An in-process [`Lease`] over a fixed capacity.
#[derive(Debug)]
pub struct Counter {
    capacity: AtomicU64,
    taken: AtomicU64,
}

impl Counter {
    /// A counter of which nothing is taken.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity: AtomicU64::new(capacity),
            taken: AtomicU64::new(0),
        }
    }

    /// Units that are taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Units that can be taken at once at most.
    pub fn capacity(&self) -> u64 {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Another capacity from now on, for a reload.
    pub fn set_capacity(&self, capacity: u64) {
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    /// Takes `amount` units until the returned value is dropped.
    pub fn hold(self: &Arc<Self>, amount: u64) -> Result<Held, Denied> {
        self.add(amount)?;
        Ok(Held {
            counter: Arc::clone(self),
            amount,
        })
    }

    /// Takes `amount` units like [`Counter::hold`], as long as no more than `reach` of the capacity are taken then.
    pub fn hold_within(self: &Arc<Self>, amount: u64, reach: u64) -> Result<Held, Denied> {
        self.add_within(amount, reach.min(self.capacity()))?;
        Ok(Held {
            counter: Arc::clone(self),
            amount,
        })
    }

    fn add(&self, amount: u64) -> Result<(), Denied> {
        self.add_within(amount, self.capacity())
    }

    fn add_within(&self, amount: u64, capacity: u64) -> Result<(), Denied> {
        let fits = |taken: u64| taken.checked_add(amount).filter(|sum| *sum <= capacity);
        match self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, fits)
        {
            Ok(_) => Ok(()),
            Err(taken) => Err(Denied {
                left: capacity.saturating_sub(taken),
                retry_after: None,
            }),
        }
    }

    fn give_back(&self, amount: u64) {
        let less = |taken: u64| Some(taken.saturating_sub(amount));
        let _ = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, less);
    }

    /// Books `amount` units without asking: what was used beyond a grant is never lost.
    fn book(&self, amount: u64) {
        let more = |taken: u64| Some(taken.saturating_add(amount));
        let _ = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
    }
}

impl Lease for Counter {
    fn take(&self, _now: Mono, amount: u64) -> Result<Grant, Denied> {
        self.add(amount).map(|()| Grant { amount })
    }

    fn settle(&self, _now: Mono, grant: Grant, used: u64) {
        match grant.amount.checked_sub(used) {
            Some(unused) => self.give_back(unused),
            None => self.book(used - grant.amount),
        }
    }

    fn left(&self, _now: Mono) -> u64 {
        self.capacity().saturating_sub(self.taken())
    }
}

/// Units of a [`Counter`] that are given back when this is dropped.
#[derive(Debug)]
#[must_use = "dropping it gives the units back"]
pub struct Held {
    counter: Arc<Counter>,
    amount: u64,
}

impl Held {
    /// Units held.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Takes `more` units on top, all or nothing.
    pub fn grow(&mut self, more: u64) -> Result<(), Denied> {
        self.counter.add(more)?;
        self.amount += more;
        Ok(())
    }

    /// Gives back what is above `amount`.
    pub fn shrink_to(&mut self, amount: u64) {
        if let Some(unused) = self.amount.checked_sub(amount) {
            self.counter.give_back(unused);
            self.amount = amount;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.counter.give_back(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_all_or_nothing_and_says_what_is_left() {
        let counter = Arc::new(Counter::new(10));
        let mut held = counter.hold(7).unwrap();
        assert_eq!(
            counter.hold(4).unwrap_err(),
            Denied {
                left: 3,
                retry_after: None
            }
        );
        held.grow(3).unwrap();
        assert_eq!(held.grow(1).unwrap_err().left, 0);
        held.shrink_to(2);
        assert_eq!(counter.taken(), 2);
        drop(held);
        assert_eq!(counter.taken(), 0);
        assert!(counter.hold(u64::MAX).is_err());
    }

    #[test]
    fn a_reach_below_the_capacity_leaves_room_for_others() {
        let counter = Arc::new(Counter::new(4));
        let _three = counter.hold_within(3, 3).unwrap();
        assert_eq!(counter.hold_within(1, 3).unwrap_err().left, 0);
        assert_eq!(counter.hold_within(1, 9).unwrap().amount(), 1);
    }

    #[test]
    fn a_lowered_capacity_takes_nothing_back() {
        let counter = Arc::new(Counter::new(10));
        let held = counter.hold(8).unwrap();
        counter.set_capacity(4);
        assert_eq!(counter.hold(1).unwrap_err().left, 0);
        drop(held);
        assert_eq!(counter.hold(4).unwrap().amount(), 4);
    }

    #[test]
    fn threads_never_get_more_than_there_is() {
        let counter = Arc::new(Counter::new(5));
        let holders = Arc::new(AtomicU64::new(0));
        let exceeded = Arc::new(AtomicBool::new(false));
        std::thread::scope(|scope| {
            for seed in 0..8u64 {
                let (counter, holders, exceeded) = (
                    Arc::clone(&counter),
                    Arc::clone(&holders),
                    Arc::clone(&exceeded),
                );
                scope.spawn(move || {
                    for round in 0..5_000u64 {
                        let amount = (seed + round) % 3 + 1;
                        if let Ok(held) = counter.hold(amount) {
                            if holders.fetch_add(amount, Ordering::SeqCst) + amount > 5 {
                                exceeded.store(true, Ordering::SeqCst);
                            }
                            holders.fetch_sub(amount, Ordering::SeqCst);
                            drop(held);
                        }
                    }
                });
            }
        });
        assert!(!exceeded.load(Ordering::SeqCst));
        assert_eq!(counter.taken(), 0);
    }

    proptest! {
        #[test]
        fn settling_keeps_what_was_used(steps in proptest::collection::vec((1u64..20, 0u64..30), 0..40)) {
            let counter = Counter::new(100);
            let mut spent = 0u64;
            for (amount, used) in steps {
                let before = counter.left(Mono::default());
                match counter.take(Mono::default(), amount) {
                    Ok(grant) => {
                        prop_assert!(amount <= before);
                        counter.settle(Mono::default(), grant, used);
                        spent += used;
                    }
                    Err(denied) => {
                        prop_assert!(amount > before);
                        prop_assert_eq!(denied.left, before);
                    }
                }
                prop_assert_eq!(counter.taken(), spent);
            }
        }
    }
}
