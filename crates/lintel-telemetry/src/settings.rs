//! What the configuration says of the log, in force at once for everybody who logs; and which lines are left out.
//!
//! Decides by the line alone: the sample is drawn from the trace or request id, so that every node and every
//! restart keeps or leaves out the same calls. Time is an argument.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use lintel_types::{Mono, Outcome, Settled};

use crate::event::Level;

/// Lines a second of refusals whose caller is not known; more are counted.
pub const REFUSALS_A_SECOND: u32 = 50;
/// The whole, in hundredths of a percent.
const WHOLE: u16 = 10_000;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// One JSON object.
    #[default]
    Json,
    /// Words, for a person.
    Text,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The least important line that is written.
    pub level: Level,
    /// How a line looks.
    pub form: Form,
    /// Whether calls get a line.
    pub calls: bool,
    /// Which of the calls that went well get one, in hundredths of a percent.
    pub sample: u16,
    /// From which duration on a call is slow, and kept whatever the sample says.
    pub slow: Duration,
}

impl Settings {
    /// Everything at `level` and above, as JSON.
    pub const fn all(level: Level) -> Self {
        Self {
            level,
            form: Form::Json,
            calls: true,
            sample: WHOLE,
            slow: Duration::MAX,
        }
    }
}

impl From<Level> for Settings {
    fn from(level: Level) -> Self {
        Self::all(level)
    }
}

/// [`Settings`] that can change while they are read, without a lock.
#[derive(Debug)]
pub(crate) struct Dial {
    level: AtomicU8,
    text: AtomicBool,
    calls: AtomicBool,
    sample: AtomicU16,
    slow_us: AtomicU64,
    refusals: Budget,
}

/// Whether a call's line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is not.
    No,
    /// It is, whatever the sample.
    Always,
    /// It is, as one of this share of the calls that went well, in hundredths of a percent.
    Sampled(u16),
}

impl Dial {
    pub(crate) fn new(settings: Settings) -> Self {
        let dial = Self {
            level: AtomicU8::new(0),
            text: AtomicBool::new(false),
            calls: AtomicBool::new(true),
            sample: AtomicU16::new(WHOLE),
            slow_us: AtomicU64::new(u64::MAX),
            refusals: Budget::default(),
        };
        dial.set(settings);
        dial
    }

    pub(crate) fn set(&self, settings: Settings) {
        let slow = u64::try_from(settings.slow.as_micros()).unwrap_or(u64::MAX);
        self.level.store(settings.level as u8, Ordering::Relaxed);
        self.text
            .store(settings.form == Form::Text, Ordering::Relaxed);
        self.calls.store(settings.calls, Ordering::Relaxed);
        self.sample.store(settings.sample, Ordering::Relaxed);
        self.slow_us.store(slow, Ordering::Relaxed);
    }

    pub(crate) fn logs(&self, level: Level) -> bool {
        level as u8 >= self.level.load(Ordering::Relaxed)
    }

    pub(crate) fn form(&self) -> Form {
        if self.text.load(Ordering::Relaxed) {
            Form::Text
        } else {
            Form::Json
        }
    }

    /// Whether the line of `record` is written, its level aside.
    pub(crate) fn keeps(&self, record: &Settled) -> Kept {
        if !self.calls.load(Ordering::Relaxed) {
            return Kept::No;
        }
        let odd = record.outcome != Outcome::Success
            || record.degraded.is_some()
            || record.duration_us >= self.slow_us.load(Ordering::Relaxed);
        let sample = self.sample.load(Ordering::Relaxed);
        match sample {
            _ if odd => Kept::Always,
            WHOLE.. => Kept::Always,
            _ if draw(record) < sample => Kept::Sampled(sample),
            _ => Kept::No,
        }
    }

    /// Whether a refusal may have a line now; if so, how many had none since the last one.
    pub(crate) fn refusal(&self, now: Mono) -> Option<u64> {
        self.refusals.take(now)
    }
}

/// A call's place in 0..10,000: the same for every line of one trace, wherever it is drawn.
fn draw(record: &Settled) -> u16 {
    let hash = |bytes: &[u8]| {
        // FNV-1a, then mixed: ids that differ in their last digits must not lie side by side.
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (sum ^ (sum >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    };
    let drawn = match &record.trace_id {
        Some(trace) => hash(trace.as_bytes()),
        None => hash(&record.exchange.to_bytes()),
    };
    u16::try_from(drawn % u64::from(WHOLE)).unwrap_or(0)
}

/// So many a second: the second in the upper half, what it has given in the lower.
#[derive(Debug, Default)]
struct Budget {
    given: AtomicU64,
    refused: AtomicU64,
}

impl Budget {
    fn take(&self, now: Mono) -> Option<u64> {
        let second = now.0.as_secs() << 32;
        let next = |was: u64| {
            // A second that has passed for one thread may still run for another: the later one counts.
            if was >> 32 < second >> 32 {
                return Some(second | 1);
            }
            let given = was & u64::from(u32::MAX);
            (given < u64::from(REFUSALS_A_SECOND)).then_some(was + 1)
        };
        let given = self
            .given
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        if given.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.refused.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_a_budget_a_second_and_those_without_a_line_are_counted() {
        let budget = Budget::default();
        let at = |ms| Mono(Duration::from_millis(ms));
        let given = (0..500).filter(|n| budget.take(at(*n)).is_some()).count();
        assert_eq!(given, REFUSALS_A_SECOND as usize);
        assert_eq!(
            budget.take(at(1_000)),
            Some(500 - u64::from(REFUSALS_A_SECOND))
        );
        assert_eq!(budget.take(at(1_001)), Some(0));
        // A thread whose clock reading is older does not open the old second again.
        assert_eq!(budget.take(at(999)), Some(0));
    }
}
