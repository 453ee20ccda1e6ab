//! The queue between those who log and the one thread that writes.
//!
//! Logging never blocks: a line that finds the queue full is dropped and counted
//! (`lintel_log_lines_dropped_total`). The thread and the file or stream are the binary's.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lintel_types::{Mono, Settled};

use crate::call_line::CallLine;
use crate::event::{Level, LogEvent};
use crate::metrics::Cells;
use crate::plain::plain;
use crate::settings::{Dial, Form, Kept, Settings};

/// Puts lines into the queue. Clones share it.
#[derive(Debug, Clone)]
pub struct LineWriter {
    queue: SyncSender<Vec<u8>>,
    dial: Arc<Dial>,
    cells: Arc<Cells>,
}

/// Takes lines out of the queue; ends when every writer is gone.
#[derive(Debug)]
pub struct LineReader {
    queue: Receiver<Vec<u8>>,
}

impl LineWriter {
    pub(crate) fn new(
        capacity: usize,
        settings: Settings,
        cells: Arc<Cells>,
    ) -> (LineWriter, LineReader) {
        let (sender, receiver) = sync_channel(capacity);
        let writer = LineWriter {
            queue: sender,
            dial: Arc::new(Dial::new(settings)),
            cells,
        };
        (writer, LineReader { queue: receiver })
    }

    /// From now on everybody logs by `settings`.
    pub fn set(&self, settings: Settings) {
        self.dial.set(settings);
    }

    /// Whether an event of `level` would be logged.
    pub fn logs(&self, level: Level) -> bool {
        self.dial.logs(level)
    }

    /// Logs an event.
    pub fn event(&self, event: &LogEvent<'_>) {
        if self.logs(event.level()) {
            self.push(event.line());
        }
    }

    /// Logs an event that strangers can cause: under a flood of them only so many a second have a line, and the rest
    /// are counted (`lintel_log_lines_suppressed_total`).
    pub fn strangers(&self, event: LogEvent<'_>, now: Mono) {
        if !self.logs(event.level()) {
            return;
        }
        match self.dial.refusal(now) {
            Some(0) => self.push(event.line()),
            Some(unsaid) => self.push(event.field("suppressed", unsaid).line()),
            None => self.cells.lines_suppressed.add(1),
        }
    }

    /// Logs a settled exchange, if the sample has it.
    pub fn call(&self, record: &Settled) {
        let line = CallLine::new(record);
        if !self.logs(line.level()) {
            return;
        }
        match self.dial.keeps(record) {
            Kept::No => self.cells.lines_unsampled.add(1),
            Kept::Always => self.push(line.line()),
            Kept::Sampled(share) => self.push(line.sampled(share).line()),
        }
    }

    /// Logs an exchange that was refused before anybody knew who pays for it. Strangers can cause these: as
    /// [`LineWriter::strangers`].
    pub fn refused(&self, record: &Settled, now: Mono) {
        let line = CallLine::new(record);
        if !self.logs(line.level()) {
            return;
        }
        if self.dial.keeps(record) == Kept::No {
            return self.cells.lines_unsampled.add(1);
        }
        match self.dial.refusal(now) {
            Some(unsaid) => self.push(line.suppressed(unsaid).line()),
            None => self.cells.lines_suppressed.add(1),
        }
    }

    fn push(&self, line: Vec<u8>) {
        let line = match self.dial.form() {
            Form::Json => line,
            Form::Text => plain(&line),
        };
        if self.queue.try_send(line).is_err() {
            self.cells.lines_dropped.add(1);
        }
    }
}

impl LineReader {
    /// The next line, newline included; waits for it. None when every writer is gone.
    pub fn next_line(&self) -> Option<Vec<u8>> {
        self.queue.recv().ok()
    }

    /// The next line if one is waiting: a writer drains with this before it flushes.
    pub fn waiting_line(&self) -> Option<Vec<u8>> {
        self.queue.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use lintel_types::Timestamp;

    fn log(writer: &LineWriter, level: Level, msg: &'static str) {
        writer.event(&LogEvent::new(Timestamp::default(), level, msg));
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_never_blocks() {
        let metrics = Metrics::default();
        let (writer, reader) = metrics.lines(2, Settings::all(Level::Info));
        for _ in 0..5 {
            log(&writer, Level::Info, "x");
        }
        drop(writer);
        assert_eq!(std::iter::from_fn(|| reader.next_line()).count(), 2);
        assert!(
            metrics
                .encode()
                .contains("lintel_log_lines_dropped_total 3\n")
        );
    }

    #[test]
    fn a_reader_that_is_gone_counts_as_a_drop() {
        let metrics = Metrics::default();
        let (writer, reader) = metrics.lines(2, Settings::all(Level::Info));
        drop(reader);
        log(&writer, Level::Info, "x");
        assert!(
            metrics
                .encode()
                .contains("lintel_log_lines_dropped_total 1\n")
        );
    }

    #[test]
    fn what_is_below_the_level_is_no_drop() {
        let metrics = Metrics::default();
        let (writer, reader) = metrics.lines(8, Settings::all(Level::Warn));
        log(&writer, Level::Info, "quiet");
        log(&writer, Level::Error, "loud");
        writer.set(Settings::all(Level::Debug));
        log(&writer, Level::Debug, "now heard");
        let lines: Vec<_> = std::iter::from_fn(|| reader.waiting_line()).collect();
        assert_eq!(lines.len(), 2);
        assert!(
            metrics
                .encode()
                .contains("lintel_log_lines_dropped_total 0\n")
        );
    }
}
