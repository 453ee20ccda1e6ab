//! The queue between those who log and the one thread that writes.
//!
//! Logging never blocks: a line that finds the queue full is dropped and counted
//! (`lintel_log_lines_dropped_total`). The thread and the file or stream are the binary's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lintel_types::Settled;

use crate::call_line::CallLine;
use crate::event::{Level, LogEvent};
use crate::metrics::Cells;

/// Puts lines into the queue. Clones share it.
#[derive(Debug, Clone)]
pub struct LineWriter {
    queue: SyncSender<Vec<u8>>,
    least: Arc<AtomicU8>,
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
        level: Level,
        cells: Arc<Cells>,
    ) -> (LineWriter, LineReader) {
        let (sender, receiver) = sync_channel(capacity);
        let writer = LineWriter {
            queue: sender,
            least: Arc::new(AtomicU8::new(level as u8)),
            cells,
        };
        (writer, LineReader { queue: receiver })
    }

    /// From now on only events of `level` and above are logged.
    pub fn set_level(&self, level: Level) {
        self.least.store(level as u8, Ordering::Relaxed);
    }

    /// Whether an event of `level` would be logged.
    pub fn logs(&self, level: Level) -> bool {
        level as u8 >= self.least.load(Ordering::Relaxed)
    }

    /// Logs an event.
    pub fn event(&self, event: &LogEvent<'_>) {
        if self.logs(event.level()) {
            self.push(event.line());
        }
    }

    /// Logs a settled exchange.
    pub fn call(&self, record: &Settled) {
        let line = CallLine::new(record);
        if self.logs(line.level()) {
            self.push(line.line());
        }
    }

    fn push(&self, line: Vec<u8>) {
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
        let (writer, reader) = metrics.lines(2, Level::Info);
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
        let (writer, reader) = metrics.lines(2, Level::Info);
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
        let (writer, reader) = metrics.lines(8, Level::Warn);
        log(&writer, Level::Info, "quiet");
        log(&writer, Level::Error, "loud");
        writer.set_level(Level::Debug);
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
