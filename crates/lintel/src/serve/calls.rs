//! Which calls and events get a log line: what the configuration says, at the start and after a reload.
//!
//! Call lines hang on the projection, so that a call is told once it is in the books, and told once.

use std::sync::Arc;

use lintel_config::{LogConfig, LogFormat, LogLevel};
use lintel_store::{Recovery, SettledSink};
use lintel_telemetry::{Form, Level, LineWriter, LogEvent, Metrics, Settings};
use lintel_types::{Clock, Orphaned, Settled};

/// What the configuration says about the log, in force at once.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    log: LineWriter,
}

impl Dial {
    /// The dial of `log`, set to `config`.
    pub(crate) fn new(log: LineWriter, config: LogConfig) -> Self {
        let dial = Self { log };
        dial.set(config);
        dial
    }

    /// Follows `config` from now on.
    pub(crate) fn set(&self, config: LogConfig) {
        self.log.set(settings(config));
    }
}

/// The log's settings for the configuration's.
pub(crate) fn settings(config: LogConfig) -> Settings {
    Settings {
        level: match config.level {
            LogLevel::Error => Level::Error,
            LogLevel::Warn => Level::Warn,
            LogLevel::Info => Level::Info,
            LogLevel::Debug => Level::Debug,
        },
        form: match config.format {
            LogFormat::Json => Form::Json,
            LogFormat::Text => Form::Text,
        },
        calls: config.calls,
        sample: config.sample.per_ten_thousand(),
        slow: config.slow,
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
        self.dial.log.call(record);
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
        let config = |text: &str| {
            let text = format!("providers: {{ box: {{ protocol: sandbox }} }}\nlog: {text}\n");
            let none = |_: &std::path::Path| Err(std::io::Error::other("none"));
            let loaded = lintel_config::load(&text, "t", &|_| None, &none).unwrap();
            loaded.snapshot.log
        };
        let dial = Dial::new(log.clone(), config("{ level: error }"));
        let warn = LogEvent::new(Timestamp::default(), Level::Warn, "x");
        log.event(&warn);
        assert!(lines.waiting_line().is_none());
        dial.set(config("{ level: debug, format: text }"));
        log.event(&warn);
        let line = String::from_utf8(lines.waiting_line().unwrap()).unwrap();
        assert_eq!(line, "1970-01-01T00:00:00.000000Z WARN  x\n");
    }
}
