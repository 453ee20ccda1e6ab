//! The projection: one thread that carries the journal into the ledger, the request log and the sinks.
//!
//! Decides when a batch is read and what happens when a database fails. Knows no table (the lanes do) and
//! no request. Invariants: each lane applies each record once, because its position in the journal moves
//! in the same transaction as the rows; a lane that fails keeps its position and holds up no other; a
//! segment goes only when both databases are on disk behind it.

mod followed;
mod lane;
pub(crate) mod ledger;
pub(crate) mod log;
mod resources;
pub(crate) mod rollup;
mod sinks;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use lintel_types::{Orphaned, Settled};
use parking_lot::{Condvar, Mutex};

use crate::error::StoreError;
use crate::journal::{Journal, Recovery};
use worker::Worker;

/// Is told of every record that this process wrote, in order, once, whatever the databases do. Called on
/// the projection's thread: a slow sink delays the rows, not the calls.
pub trait SettledSink: Send {
    /// An exchange ended.
    fn settled(&mut self, settled: &Settled);
    /// An exchange of a former process was found dispatched and not settled.
    fn orphaned(&mut self, orphaned: &Orphaned);
    /// An exchange ended in an older process that still serves its last calls after this one has taken over. That
    /// process tells its own sinks of it; here it can be counted, for nobody asks that process any more.
    fn inherited(&mut self, _settled: &Settled) {}
    /// A process has gone that appended to a journal of its own, and what it left was mended.
    fn mended(&mut self, _recovery: &Recovery) {}
}

/// How far one lane is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneStatus {
    /// Records applied since the journal's first.
    pub applied: u64,
    /// Records written and not applied yet.
    pub lag: u64,
    /// Batches that failed since the start; each is tried again.
    pub failures: u64,
    /// Why the last batch failed; none once one has succeeded.
    pub error: Option<String>,
}

/// How the projection does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectionStatus {
    /// Into `ledger.sqlite`.
    pub ledger: LaneStatus,
    /// Into `log.sqlite`.
    pub log: LaneStatus,
    /// Records whose segments were removed before they were applied.
    pub missing: u64,
    /// Records that this version can't decode; the ledger keeps their bytes.
    pub unreadable: u64,
    /// Why the last pruning of segments failed.
    pub prune_error: Option<String>,
}

/// The projection's handle. Dropping it ends the thread where it stands: the next start carries on there.
#[derive(Debug)]
pub struct Projection {
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

/// What the handle and the thread share.
#[derive(Debug, Default)]
struct Control {
    state: Mutex<State>,
    /// Wakes the thread, and those who wait for a round's end.
    changed: Condvar,
    /// Holds on the segments. Locked while segments are removed.
    holds: Mutex<usize>,
}

#[derive(Debug, Default)]
struct State {
    stop: Stop,
    /// The databases are another process's.
    pause: bool,
    /// Rounds asked for, and the highest that was asked for when a finished round began.
    asked: u64,
    done: u64,
    status: ProjectionStatus,
}

/// While it lives no applied segment is removed.
#[derive(Debug)]
pub struct SegmentsHeld {
    control: Arc<Control>,
}

impl Drop for SegmentsHeld {
    fn drop(&mut self) {
        *self.control.holds.lock() -= 1;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stop {
    #[default]
    No,
    AfterDraining,
    AtOnce,
}

impl Projection {
    /// Opens both databases in `dir` and starts the thread, which begins where it last stopped. Each sink
    /// gets the records that this process writes, recovery's orphans included.
    pub fn start(
        dir: &Path,
        journal: Journal,
        sinks: Vec<Box<dyn SettledSink>>,
    ) -> Result<Projection, StoreError> {
        let worker = Worker::open(dir, journal, sinks)?;
        let control = Arc::new(Control::default());
        let mine = Arc::clone(&control);
        let builder = std::thread::Builder::new().name("lintel-projection".into());
        let thread = builder
            .spawn(move || worker.run(&mine))
            .map_err(StoreError::io("start the projection's thread for", dir))?;
        Ok(Projection {
            control,
            thread: Some(thread),
        })
    }

    /// How far it is and what fails. As of the last round, at most 100 ms ago.
    pub fn status(&self) -> ProjectionStatus {
        self.control.state.lock().status.clone()
    }

    /// Runs a round now and returns its status: whatever was written before the call is applied, or the
    /// status says why not. Blocks; not for a request's path.
    pub fn flush(&self) -> ProjectionStatus {
        let mut state = self.control.state.lock();
        state.asked += 1;
        let mine = state.asked;
        self.control.changed.notify_all();
        while state.done < mine && self.thread.as_ref().is_some_and(|t| !t.is_finished()) {
            self.control.changed.wait_for(&mut state, worker::ROUND);
        }
        state.status.clone()
    }

    /// Applies what is written, then leaves the databases alone: another process may carry this one's records into them
    /// from now on. The sinks are told as before.
    pub fn pause(&self) -> ProjectionStatus {
        self.control.state.lock().pause = true;
        self.flush()
    }

    /// Takes the databases back after [`Projection::pause`], wherever another process has left them.
    pub fn resume(&self) -> ProjectionStatus {
        self.control.state.lock().pause = false;
        self.flush()
    }

    /// Keeps segments from being removed until the value is dropped. A removal that is under way ends first.
    pub fn hold_segments(&self) -> SegmentsHeld {
        *self.control.holds.lock() += 1;
        SegmentsHeld {
            control: Arc::clone(&self.control),
        }
    }

    /// Applies what is written, then ends the thread. Returns the last status.
    pub fn stop(mut self) -> ProjectionStatus {
        self.end(Stop::AfterDraining);
        self.status()
    }

    fn end(&mut self, how: Stop) {
        self.control.state.lock().stop = how;
        self.control.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has applied what its databases say; the next start carries on there.
            let _ = thread.join();
        }
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end(Stop::AtOnce);
        }
    }
}

#[cfg(test)]
mod tests;
