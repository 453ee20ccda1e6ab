//! Which calls and events get a log line: what the configuration says, at the start and after a reload.
//!
//! Call lines hang on the projection, so that a call is told once it is in the books, and told once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lintel_config::{LogConfig, LogLevel};
use lintel_store::{Recovery, SettledSink};
use lintel_telemetry::{Level, LineWriter, LogEvent, Metrics};
use lintel_types::{Clock, Orphaned, Settled};

/// What the configuration says about the log, in force at once.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    log: LineWriter,
    calls: Arc<AtomicBool>,
}

impl Dial {
    /// The dial of `log`, set to `config`.
    pub(crate) fn new(log: LineWriter, config: LogConfig) -> Self {
        let dial = Self {
            log,
            calls: Arc::default(),
        };
        dial.set(config);
        dial
    }

    /// Follows `config` from now on.
    pub(crate) fn set(&self, config: LogConfig) {
        self.log.set_level(level(config.level));
        self.calls.store(config.calls, Ordering::Relaxed);
    }
}

/// The log's level for the configuration's. Nothing is finer than debug, so `trace` is that.
pub(crate) fn level(configured: LogLevel) -> Level {
    match configured {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug | LogLevel::Trace => Level::Debug,
    }
}

/// Turns what the projection books into call lines and counts of orphans.
pub(crate) struct CallLines {
    /// Whether there are call lines, and where they go.
    pub(crate) dial: Dial,
    /// Where orphans are counted.
    pub(crate) metrics: Metrics,
    /// Dates what is told of a former process.
    pub(crate) clock: Arc<dyn Clock>,
}

impl SettledSink for CallLines {
    fn settled(&mut self, record: &Settled) {
        if self.dial.calls.load(Ordering::Relaxed) {
            self.dial.log.call(record);
        }
    }

    fn orphaned(&mut self, orphan: &Orphaned) {
        self.metrics.orphaned(orphan);
    }

    fn inherited(&mut self, record: &Settled) {
        // Its line is written by the process that served it, whose metrics nobody reads any more.
        self.metrics.settled(record);
    }

    fn mended(&mut self, recovery: &Recovery) {
        let event = |level, text| LogEvent::new(self.clock.wall(), level, text);
        let event = if recovery.orphans > 0 || recovery.truncated_bytes > 0 {
            event(Level::Warn, "the process before did not end in order")
        } else {
            event(Level::Info, "the process before has ended")
        };
        self.dial.log.event(
            &event
                .field("orphans", recovery.orphans)
                .field("truncated_bytes", recovery.truncated_bytes),
        );
    }
}

#[cfg(test)]
mod tests {
    use lintel_telemetry::LogEvent;
    use lintel_types::Timestamp;

    use super::*;

    #[test]
    fn the_dial_is_followed_at_once() {
        let (log, lines) = Metrics::default().lines(8, Level::Info);
        let quiet = LogConfig {
            level: LogLevel::Error,
            calls: false,
        };
        let dial = Dial::new(log.clone(), quiet);
        let warn = LogEvent::new(Timestamp::default(), Level::Warn, "x");
        log.event(&warn);
        assert!(lines.waiting_line().is_none() && !dial.calls.load(Ordering::Relaxed));
        dial.set(LogConfig {
            level: LogLevel::Trace,
            calls: true,
        });
        log.event(&warn);
        assert!(lines.waiting_line().is_some() && dial.calls.load(Ordering::Relaxed));
    }
}
