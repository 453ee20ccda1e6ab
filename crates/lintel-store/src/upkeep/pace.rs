//! The pace of upkeep: portions that take some milliseconds, and pauses between them.
//!
//! Knows no table. Invariant: whoever else wants the database gets it after one portion.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How long one transaction should hold a database.
const PORTION: Duration = Duration::from_millis(10);
/// The shortest pause between two portions.
const PAUSE: Duration = Duration::from_millis(5);
/// Rows of the first portion; the next ones follow from how long it took.
const FIRST: usize = 200;
const LEAST: usize = 16;
const MOST: usize = 4_096;

/// Whether to end or to rest, and whoever waits for it.
#[derive(Default)]
pub(super) struct Stop {
    asked: Mutex<Asked>,
    changed: Condvar,
}

#[derive(Default)]
struct Asked {
    end: bool,
    rest: bool,
}

impl Stop {
    /// Ends whatever waits or works.
    pub(super) fn now(&self) {
        self.asked.lock().end = true;
        self.changed.notify_all();
    }

    /// Breaks off whatever works, and lets nothing begin until it is taken back.
    pub(super) fn rest(&self, rest: bool) {
        self.asked.lock().rest = rest;
        self.changed.notify_all();
    }

    /// Whether nothing is to be begun.
    pub(super) fn rests(&self) -> bool {
        self.asked.lock().rest
    }

    /// Waits `time`, or until the end is asked for. Returns whether it is.
    pub(super) fn ended(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut asked = self.asked.lock();
        while !asked.end && !self.changed.wait_until(&mut asked, until).timed_out() {}
        asked.end
    }

    /// Waits `time`, or until the work is to be broken off. Returns whether it is.
    fn broken_off(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut asked = self.asked.lock();
        let off = |asked: &Asked| asked.end || asked.rest;
        while !off(&asked) && !self.changed.wait_until(&mut asked, until).timed_out() {}
        off(&asked)
    }
}

/// How many rows the next portion has.
pub(super) struct Pace<'a> {
    stop: &'a Stop,
    rows: usize,
}

impl<'a> Pace<'a> {
    pub(super) fn new(stop: &'a Stop) -> Self {
        Self { stop, rows: FIRST }
    }

    /// Does a portion of so many rows as it says, then pauses. `None`: the end was asked for.
    pub(super) fn portion<T, E>(
        &mut self,
        work: impl FnOnce(usize) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let begun = Instant::now();
        let done = work(self.rows)?;
        let took = begun.elapsed();
        self.rows = next(self.rows, took);
        Ok((!self.stop.broken_off(took.max(PAUSE))).then_some(done))
    }
}

fn next(rows: usize, took: Duration) -> usize {
    let scale = PORTION.as_secs_f64() / took.as_secs_f64().max(1e-6);
    // At most doubled: one quick portion says little of the next.
    ((rows as f64 * scale.min(2.0)) as usize).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_follow_the_time_that_they_take() {
        assert_eq!(next(200, Duration::from_millis(10)), 200);
        assert_eq!(next(200, Duration::from_millis(1)), 400);
        assert_eq!(next(200, Duration::from_millis(40)), 50);
        assert_eq!(
            (
                next(20, Duration::from_secs(9)),
                next(4_000, Duration::ZERO)
            ),
            (LEAST, MOST)
        );
    }

    #[test]
    fn the_end_cuts_a_pause_short() {
        let stop = Stop::default();
        let mut pace = Pace::new(&stop);
        assert_eq!(pace.portion(Ok::<_, ()>), Ok(Some(FIRST)));
        stop.now();
        assert_eq!(pace.portion(|_| Ok::<_, ()>(())), Ok(None));
        assert!(stop.ended(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_rest_breaks_work_off_and_ends_nothing() {
        let stop = Stop::default();
        stop.rest(true);
        assert_eq!(Pace::new(&stop).portion(Ok::<_, ()>), Ok(None));
        assert!(stop.rests() && !stop.ended(Duration::ZERO));
        stop.rest(false);
        assert_eq!(Pace::new(&stop).portion(Ok::<_, ()>), Ok(Some(FIRST)));
    }
}
