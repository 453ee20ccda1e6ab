//! The atomic cells that events fall into: a counter, a gauge, a histogram of microseconds.
//!
//! An event costs one or two relaxed atomic additions. Sums are integers, so that no event is lost
//! to rounding however long the process lives; floats appear only when the cells are shown.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A count that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A level that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Moves the level by `by`.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The level.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations in microseconds, counted by upper bound.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds in microseconds, rising; the last bucket has none.
    bounds: &'static [u64],
    buckets: Box<[Counter]>,
    sum_us: Counter,
}

impl Histogram {
    /// A histogram with one bucket a bound and one for what lies above the last.
    pub fn new(bounds: &'static [u64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| Counter::default()).collect();
        Self {
            bounds,
            buckets,
            sum_us: Counter::default(),
        }
    }

    /// Counts one duration. A bound belongs to its own bucket (`le`).
    pub fn observe_us(&self, us: u64) {
        let at = self.bounds.partition_point(|bound| *bound < us);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.add(1);
        }
        self.sum_us.add(us);
    }

    /// The sum in seconds, and each bucket's bound in seconds with its own count (not the running one).
    pub fn read(&self) -> (f64, Vec<(f64, u64)>) {
        let bounds = self
            .bounds
            .iter()
            .map(|us| seconds(*us))
            .chain([f64::INFINITY]);
        (
            seconds(self.sum_us.get()),
            bounds.zip(self.buckets.iter().map(Counter::get)).collect(),
        )
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let h = Histogram::new(&[10, 100]);
        for us in [0, 10, 11, 100, 101, u64::from(u32::MAX)] {
            h.observe_us(us);
        }
        let (sum, buckets) = h.read();
        assert_eq!(buckets, [(0.000_01, 2), (0.000_1, 2), (f64::INFINITY, 2)]);
        assert_eq!(sum, (222 + u64::from(u32::MAX)) as f64 / 1e6);
    }
}
