//! One family's label sets and their cells, bounded.
//!
//! Label values can come from callers (a direct call names its model), so a family holds at most so
//! many sets of at most so many bytes; the rest fall into one set named `other`, and are counted.
//! Finding known labels borrows them: a read lock and a hash, no allocation, no reference count.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};
use parking_lot::RwLock;

use crate::cell::Counter;

/// What stands for every label set that found no room.
pub(crate) const OTHER: &str = "other";
/// A longer label value is folded: a scrape must stay small whatever callers name.
const MAX_LABEL_BYTES: usize = 256;

/// Label values as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels<const N: usize>(pub(crate) [Arc<str>; N]);

impl<const N: usize> Hash for Labels<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| (**value).hash(state));
    }
}

/// Label values as an event brings them. Hashes as [`Labels`] does.
struct Borrowed<'a, const N: usize>([&'a str; N]);

impl<const N: usize> Hash for Borrowed<'_, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| value.hash(state));
    }
}

impl<const N: usize> Equivalent<Labels<N>> for Borrowed<'_, N> {
    fn equivalent(&self, key: &Labels<N>) -> bool {
        self.0.iter().zip(&key.0).all(|(a, b)| **a == **b)
    }
}

/// The cells of one family by label set.
#[derive(Debug)]
pub(crate) struct Series<const N: usize, V> {
    map: RwLock<HashMap<Labels<N>, Arc<V>>>,
    limit: usize,
    make: fn() -> V,
    other: Arc<V>,
    folded: Counter,
}

impl<const N: usize, V> Series<N, V> {
    /// At most `limit` label sets, `other` not counted; `make` builds the cells of a new one.
    pub(crate) fn new(limit: usize, make: fn() -> V) -> Self {
        Self {
            map: RwLock::default(),
            limit,
            make,
            other: Arc::new(make()),
            folded: Counter::default(),
        }
    }

    /// Runs `event` on the cells of `labels`, or on those of `other` when there is no room.
    pub(crate) fn with(&self, labels: [&str; N], event: impl FnOnce(&V)) {
        let key = Borrowed(labels);
        if let Some(cells) = self.map.read().get(&key) {
            return event(cells);
        }
        match self.admit(&key) {
            Some(cells) => event(&cells),
            None => {
                self.folded.add(1);
                event(&self.other);
            }
        }
    }

    /// The cells of `labels`, or those of `other` when there is no room: for whoever counts more than once.
    pub(crate) fn cells(&self, labels: [&str; N]) -> Arc<V> {
        let key = Borrowed(labels);
        let known = self.map.read().get(&key).map(Arc::clone);
        known.or_else(|| self.admit(&key)).unwrap_or_else(|| {
            self.folded.add(1);
            Arc::clone(&self.other)
        })
    }

    /// Makes room for a new label set; none when the family is full or a value is too long.
    fn admit(&self, key: &Borrowed<'_, N>) -> Option<Arc<V>> {
        if key.0.iter().any(|value| value.len() > MAX_LABEL_BYTES)
            || self.map.read().len() >= self.limit
        {
            return None;
        }
        let mut map = self.map.write();
        if let Some(cells) = map.get(key) {
            return Some(Arc::clone(cells));
        }
        if map.len() >= self.limit {
            return None;
        }
        let cells = Arc::new((self.make)());
        map.insert(Labels(key.0.map(Arc::from)), Arc::clone(&cells));
        Some(cells)
    }

    /// Every label set with its cells, sorted, `other` last and only when something fell into it.
    /// Copies references under the lock and lets go of it, so that a scrape never holds up a call.
    pub(crate) fn all(&self) -> Vec<(Labels<N>, Arc<V>)> {
        let mut all: Vec<_> = self
            .map
            .read()
            .iter()
            .map(|(k, v)| (k.clone(), Arc::clone(v)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        if self.folded() > 0 {
            all.push((
                Labels(std::array::from_fn(|_| Arc::from(OTHER))),
                Arc::clone(&self.other),
            ));
        }
        all
    }

    /// How many events fell into `other`.
    pub(crate) fn folded(&self) -> u64 {
        self.folded.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(series: &Series<2, Counter>) -> Vec<(String, u64)> {
        series
            .all()
            .iter()
            .map(|(k, v)| (k.0.join("/"), v.get()))
            .collect()
    }

    #[test]
    fn the_same_labels_find_the_same_cells() {
        let series: Series<2, Counter> = Series::new(8, Counter::default);
        for _ in 0..3 {
            series.with(["b", "x"], |c| c.add(1));
        }
        series.with(["a", "x"], |c| c.add(5));
        assert_eq!(
            read(&series),
            [("a/x".to_owned(), 5), ("b/x".to_owned(), 3)]
        );
        assert_eq!(series.folded(), 0);
    }

    #[test]
    fn what_finds_no_room_is_folded_and_counted() {
        let series: Series<2, Counter> = Series::new(2, Counter::default);
        for name in ["a", "b", "c", "d", "a"] {
            series.with([name, "x"], |c| c.add(1));
        }
        assert_eq!(
            read(&series),
            [
                ("a/x".to_owned(), 2),
                ("b/x".to_owned(), 1),
                ("other/other".to_owned(), 2)
            ]
        );
        assert_eq!(series.folded(), 2);
    }

    #[test]
    fn a_long_label_is_folded_though_there_is_room() {
        let series: Series<1, Counter> = Series::new(2, Counter::default);
        series.with([&"m".repeat(MAX_LABEL_BYTES + 1)], |c| c.add(1));
        series.with([&"m".repeat(MAX_LABEL_BYTES)], |c| c.add(1));
        assert_eq!((series.all().len(), series.folded()), (2, 1));
    }

    #[test]
    fn a_name_cannot_pose_as_two_labels() {
        let series: Series<2, Counter> = Series::new(8, Counter::default);
        series.with(["ab", "c"], |c| c.add(1));
        series.with(["a", "bc"], |c| c.add(1));
        assert_eq!(series.all().len(), 2);
    }

    #[test]
    fn threads_that_race_for_a_new_set_lose_no_event() {
        let series: Series<1, Counter> = Series::new(4, Counter::default);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..100).for_each(|i| series.with([["a", "b"][i % 2]], |c| c.add(1)))
                });
            }
        });
        assert_eq!(
            series
                .all()
                .iter()
                .map(|(_, c)| c.get())
                .collect::<Vec<_>>(),
            [400, 400]
        );
    }
}
