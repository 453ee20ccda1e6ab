//! Upkeep: what is older or more than it may be goes, and the space with it, beside everything else.
//!
//! Decides when and in which portions; what may go is the configuration's word. Knows no request. Invariants: one
//! transaction of upkeep holds a database for some milliseconds, and as long again it lets others have it; sums
//! that usage is read from outlive the rows that they were made from; the deletion of audit rows is itself in the audit;
//! by a clock that has jumped nothing is deleted before it has stood by that for an hour.

mod compact;
mod pace;
mod steady;
mod sweep;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use lintel_types::{Clock, Timestamp};
use parking_lot::Mutex;

pub use sweep::Swept;

use crate::control::Control;
use crate::error::StoreError;
use crate::priority;
use pace::{Pace, Stop};
use steady::Steady;

/// Time between two looks at what may go.
const ROUND: Duration = Duration::from_secs(60);

/// How long and how much is kept of a table. What is not bounded is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Rows that are older go.
    pub age: Option<Duration>,
    /// When the database's rows take more bytes, the oldest go.
    pub bytes: Option<u64>,
}

/// What is kept of each table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// The request log.
    pub log: Keep,
    /// The ledger's rows, whose sums by hour stay. By whole hours, and never of the last day.
    pub ledger: Keep,
    /// The audit; by age alone.
    pub audit: Keep,
}

/// How upkeep does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpkeepStatus {
    /// Rows that went since the start.
    pub swept: Swept,
    /// Why the last round did not end in order; none when it did.
    pub error: Option<String>,
}

/// The thread that does it.
pub struct Upkeep {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Is told what each round deleted, and how upkeep does after it; called on its thread.
pub type Told = Box<dyn Fn(&Swept, &UpkeepStatus) + Send + Sync>;

struct Shared {
    dir: PathBuf,
    control: Control,
    clock: Arc<dyn Clock>,
    retention: Mutex<Retention>,
    status: Mutex<UpkeepStatus>,
    steady: Mutex<Steady>,
    /// Held by whoever works, so that nobody asked to compact meets a round.
    turn: Mutex<()>,
    stop: Stop,
    told: Told,
}

impl std::fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upkeep")
            .field("status", &self.status())
            .finish()
    }
}

impl Upkeep {
    /// Starts the thread for the store in `dir`, whose lock the caller holds.
    pub fn start(
        dir: &Path,
        retention: Retention,
        control: Control,
        clock: Arc<dyn Clock>,
        told: Told,
    ) -> Result<Upkeep, StoreError> {
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            control,
            clock,
            retention: Mutex::new(retention),
            status: Mutex::default(),
            steady: Mutex::default(),
            turn: Mutex::new(()),
            stop: Stop::default(),
            told,
        });
        let mine = Arc::clone(&shared);
        let spawned = std::thread::Builder::new()
            .name("lintel-upkeep".into())
            .spawn(move || {
                priority::low();
                while !mine.stop.ended(ROUND) {
                    mine.round();
                }
            });
        let thread = spawned.map_err(StoreError::io("start the upkeep's thread for", dir))?;
        Ok(Upkeep {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// From the next round on.
    pub fn set(&self, retention: Retention) {
        *self.shared.retention.lock() = retention;
    }

    /// How it does.
    pub fn status(&self) -> UpkeepStatus {
        self.shared.status.lock().clone()
    }

    /// Gives free space of every database back to the disk now, and returns the bytes that it came to.
    /// A database that was made before there was compaction is written anew: the projection of its rows waits so
    /// long, calls don't.
    ///
    /// Errors: the databases are another process's, or can't be written.
    pub fn compact(&self) -> Result<u64, StoreError> {
        let _turn = self.shared.turn.lock();
        if self.shared.stop.rests() {
            return Err(StoreError::LetGo);
        }
        compact::all(&self.shared.dir, &self.shared.stop)
    }

    /// Leaves the databases alone, for they are another process's: returns when nothing works on them any more. Or takes
    /// them back.
    pub fn pause(&self, paused: bool) {
        self.shared.stop.rest(paused);
        drop(self.shared.turn.lock());
    }

    /// Ends after the portion that it is at.
    pub fn stop(&self) {
        self.shared.stop.now();
        if let Some(thread) = self.thread.lock().take() {
            // What a thread that panicked had begun was rolled back.
            let _ = thread.join();
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn round(&self) {
        let (wall, mono) = (self.clock.wall(), self.clock.mono());
        let now = self.steady.lock().look(wall, mono);
        let _turn = self.turn.lock();
        if self.stop.rests() {
            return;
        }
        let retention = *self.retention.lock();
        let mut swept = Swept::default();
        let done = sweep(
            &self.dir,
            &retention,
            &self.control,
            now,
            &self.stop,
            &mut swept,
        );
        let mut status = self.status.lock();
        status.swept.add(&swept);
        status.error = done.err().map(|error| error.to_string());
        let after = status.clone();
        drop(status);
        (self.told)(&swept, &after);
    }
}

/// One round: everything that may go by `now`, which none leaves open, then the space that it held where that is worth it.
fn sweep(
    dir: &Path,
    retention: &Retention,
    control: &Control,
    now: Option<Timestamp>,
    stop: &Stop,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    // At the beginning of time nothing is old yet. What is bounded by size alone needs no date.
    let now = now.unwrap_or(Timestamp::from_micros(0));
    let mut pace = Pace::new(stop);
    sweep::log(dir, &retention.log, now, &mut pace, swept)?;
    sweep::ledger(dir, &retention.ledger, now, &mut pace, swept)?;
    sweep::audit(control, &retention.audit, now, &mut pace, swept)?;
    compact::worthwhile(dir, stop)
}

#[cfg(test)]
mod tests;
