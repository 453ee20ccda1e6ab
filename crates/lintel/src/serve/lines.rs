//! The one thread that writes log lines to standard error.
//!
//! Whoever logs never waits for a slow terminal: lines queue in a bounded channel (telemetry's), and
//! here they are taken out and written, many at a time.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use lintel_telemetry::LineReader;

/// Lines that may wait for the writer.
pub(crate) const QUEUE: usize = 4_096;

/// How long a line waits for company. Waking up for each line would cost more than writing it.
const COMPANY: Duration = Duration::from_millis(2);

/// The writer thread; it ends when the last of those who log is gone.
#[derive(Debug)]
pub(crate) struct Writer {
    ended: Receiver<()>,
}

impl Writer {
    /// Starts the thread that writes `lines` to `out`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(lines: LineReader, out: impl Write + Send + 'static) -> io::Result<Self> {
        let (end, ended) = sync_channel(1);
        std::thread::Builder::new()
            .name("lintel-log".into())
            .spawn(move || {
                copy(&lines, out);
                // Nobody waits any more when the receiver is gone.
                let _ = end.send(());
            })?;
        Ok(Self { ended })
    }

    /// Waits until every line is written, `bound` at most: a blocked pipe must not keep the process.
    pub(crate) fn finish(self, bound: Duration) {
        let _ = self.ended.recv_timeout(bound);
    }
}

fn copy(lines: &LineReader, mut out: impl Write) {
    let mut batch = Vec::with_capacity(8 * 1024);
    while let Some(line) = lines.next_line() {
        batch.extend_from_slice(&line);
        std::thread::sleep(COMPANY);
        while batch.len() < 64 * 1024
            && let Some(line) = lines.waiting_line()
        {
            batch.extend_from_slice(&line);
        }
        // A closed standard error loses lines, never calls.
        let _ = out.write_all(&batch).and_then(|()| out.flush());
        batch.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use lintel_telemetry::{Level, LogEvent, Metrics};
    use lintel_types::Timestamp;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_before_the_end() {
        let (log, lines) = Metrics::default().lines(QUEUE, Level::Info);
        let out = Shared::default();
        let writer = Writer::start(lines, out.clone()).unwrap();
        for n in 0..100u64 {
            log.event(&LogEvent::new(Timestamp::default(), Level::Info, "n").field("n", n));
        }
        drop(log);
        writer.finish(Duration::from_secs(60));
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let numbers: Vec<u64> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["n"]
                    .as_u64()
                    .unwrap()
            })
            .collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }
}
