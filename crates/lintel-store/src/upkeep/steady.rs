//! What time it is for deletion, which can't be undone: only a time that the clock has stood by.
//!
//! Knows no database. Decides by how far the wall clock stands from the monotonic one: its *lead*. Invariant: a lead
//! counts once every look of the last hour saw it as large or larger. So a step forward that is taken back within
//! the hour deletes nothing, a step back counts at once, and a process that starts with a wrong clock has an hour's
//! time to be told.

use std::collections::VecDeque;
use std::time::Duration;

use lintel_types::{Mono, Timestamp};

/// For so long a clock has to go evenly.
const PROOF: Duration = Duration::from_secs(3_600);

/// The looks of the last hour, and the last one before it.
#[derive(Debug, Default)]
pub(super) struct Steady {
    looks: VecDeque<(Mono, i64)>,
}

impl Steady {
    /// Both clocks read `wall` and `mono`. Returns the time to delete by; none while there is no hour to judge by.
    pub(super) fn look(&mut self, wall: Timestamp, mono: Mono) -> Option<Timestamp> {
        let at = micros(mono);
        self.looks
            .push_back((mono, wall.as_micros().saturating_sub(at)));
        let old = |look: &(Mono, i64)| mono.since(look.0) >= PROOF;
        // One look of before the hour stays: it says what the lead was when the hour began.
        while self.looks.get(1).is_some_and(old) {
            self.looks.pop_front();
        }
        if !self.looks.front().is_some_and(old) {
            return None;
        }
        let lead = self.looks.iter().map(|(_, lead)| *lead).min()?;
        Some(Timestamp::from_micros(lead.saturating_add(at)))
    }
}

fn micros(mono: Mono) -> i64 {
    i64::try_from(mono.0.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::NOW;

    const YEAR: i64 = 365 * 86_400;

    /// A clock that is looked at once a minute, and its steps in seconds.
    #[derive(Default)]
    struct Clock {
        steady: Steady,
        minute: u64,
        step: i64,
    }

    impl Clock {
        fn minutes(&mut self, count: u64) -> Option<Timestamp> {
            (0..count).fold(None, |_, _| {
                self.minute += 1;
                let mono = Mono(Duration::from_secs(self.minute * 60));
                let wall = moved(self.right(), self.step);
                self.steady.look(wall, mono)
            })
        }

        fn right(&self) -> Timestamp {
            NOW.plus(Duration::from_secs(self.minute * 60))
        }
    }

    fn moved(at: Timestamp, seconds: i64) -> Timestamp {
        Timestamp::from_micros(at.as_micros() + seconds * 1_000_000)
    }

    #[test]
    fn the_first_hour_judges_nothing() {
        let mut clock = Clock::default();
        assert_eq!(clock.minutes(60), None);
        assert_eq!(clock.minutes(1), Some(clock.right()));
        assert_eq!(clock.minutes(5_000), Some(clock.right()));
        assert!(clock.steady.looks.len() <= 62, "it forgets");
    }

    #[test]
    fn a_step_forward_counts_after_an_hour_of_it() {
        let mut clock = Clock::default();
        clock.minutes(61);
        clock.step = 73 * YEAR;
        for _ in 0..60 {
            assert_eq!(clock.minutes(1), Some(clock.right()));
        }
        clock.step = 0;
        assert_eq!(clock.minutes(200), Some(clock.right()), "it was undone");
        clock.step = 86_400;
        clock.minutes(60);
        assert_eq!(clock.minutes(1), Some(moved(clock.right(), 86_400)));
    }

    #[test]
    fn a_step_back_counts_at_once_and_its_end_after_an_hour() {
        let mut clock = Clock::default();
        clock.minutes(61);
        clock.step = -3_600;
        assert_eq!(clock.minutes(1), Some(moved(clock.right(), -3_600)));
        clock.step = 0;
        assert_eq!(clock.minutes(1), Some(moved(clock.right(), -3_600)));
        assert_eq!(clock.minutes(60), Some(clock.right()));
    }

    #[test]
    fn a_look_missed_proves_nothing() {
        let mut clock = Clock::default();
        clock.minutes(61);
        clock.minute += 600;
        clock.step = YEAR;
        for _ in 0..60 {
            assert_eq!(clock.minutes(1), Some(clock.right()));
        }
    }
}
