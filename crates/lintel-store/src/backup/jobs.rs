//! Backups of a store that serves: one at a time, on a thread of low priority, seen from outside.
//!
//! Decides who may start one and what is told of it. Knows no request. Invariants: a backup is in the audit
//! before it begins; it goes into the configured directory and nowhere else; dropping the owner breaks it off.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use lintel_types::{Clock, NodeId, Timestamp};
use parking_lot::Mutex;

use super::{Listed, Manifest, Progress, Source, create, list, wrong};
use crate::control::Control;
use crate::error::StoreError;
use crate::priority;
use crate::projection::Projection;

/// The last backup of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupState {
    /// None was made yet.
    None,
    /// It is being made.
    Running {
        /// Since when.
        began: Timestamp,
        /// How far it is.
        progress: Progress,
    },
    /// It stands.
    Done {
        /// Since when it was made.
        began: Timestamp,
        /// When it was whole.
        ended: Timestamp,
        /// Its directory.
        path: PathBuf,
        /// What it holds.
        manifest: Box<Manifest>,
    },
    /// It failed, and nothing is left of it.
    Failed {
        /// Since when it was made.
        began: Timestamp,
        /// When it failed.
        ended: Timestamp,
        /// Why.
        why: String,
    },
}

/// Makes backups of one store.
pub struct Backups {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    store: PathBuf,
    directory: PathBuf,
    node: NodeId,
    lintel: String,
    /// Weak: whoever stops it must be its only owner.
    projection: Weak<Projection>,
    control: Control,
    clock: Arc<dyn Clock>,
    state: Mutex<BackupState>,
    stop: AtomicBool,
    ended: Box<dyn Fn(&BackupState) + Send + Sync>,
}

/// What [`Backups`] are made from.
pub struct BackupDeps {
    /// The store directory.
    pub store: PathBuf,
    /// Where backups go.
    pub directory: PathBuf,
    /// Whose store it is.
    pub node: NodeId,
    /// The version of Lintel.
    pub lintel: String,
    /// What removes applied segments.
    pub projection: Weak<Projection>,
    /// The audit.
    pub control: Control,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Is told how each one ended, on its thread.
    pub ended: Box<dyn Fn(&BackupState) + Send + Sync>,
}

impl std::fmt::Debug for Backups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backups")
            .field("directory", &self.shared.directory)
            .finish_non_exhaustive()
    }
}

impl Backups {
    /// Backups of the store that `deps` name.
    pub fn new(deps: BackupDeps) -> Backups {
        let BackupDeps {
            store,
            directory,
            node,
            lintel,
            projection,
            control,
            clock,
            ended,
        } = deps;
        let shared = Shared {
            store,
            directory,
            node,
            lintel,
            projection,
            control,
            clock,
            state: Mutex::new(BackupState::None),
            stop: AtomicBool::new(false),
            ended,
        };
        Backups {
            shared: Arc::new(shared),
            thread: Mutex::new(None),
        }
    }

    /// Begins a backup that `actor` asked for, and returns at once.
    ///
    /// Errors: one is running, or the audit can't be written; nothing was begun then.
    pub fn start(&self, actor: &str) -> Result<BackupState, StoreError> {
        let shared = &self.shared;
        let mut thread = self.thread.lock();
        if matches!(*shared.state.lock(), BackupState::Running { .. }) {
            return Err(StoreError::Busy { what: "a backup" });
        }
        let began = shared.clock.wall();
        shared.control.note(
            actor,
            "backup.create",
            &shared.directory.display().to_string(),
        )?;
        let running = BackupState::Running {
            began,
            progress: Progress::default(),
        };
        *shared.state.lock() = running.clone();
        let mine = Arc::clone(shared);
        let spawned = std::thread::Builder::new()
            .name("lintel-backup".into())
            .spawn(move || mine.run(began));
        match spawned {
            Ok(handle) => *thread = Some(handle),
            Err(error) => {
                *shared.state.lock() = BackupState::None;
                return Err(StoreError::io(
                    "start the backup's thread for",
                    &shared.store,
                )(error));
            }
        }
        Ok(running)
    }

    /// The last one's state.
    pub fn state(&self) -> BackupState {
        self.shared.state.lock().clone()
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Those that are there, newest first.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        list(&self.shared.directory)
    }

    /// Breaks off the one that is being made, and waits until it has ended. Another can be begun after it.
    pub fn stop(&self) {
        let mut thread = self.thread.lock();
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = thread.take() {
            // One that panicked left a `.partial`, which is no backup.
            let _ = thread.join();
        }
        self.shared.stop.store(false, Ordering::Release);
    }
}

impl Drop for Backups {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn run(&self, began: Timestamp) {
        priority::low();
        let made = self.make(began);
        let ended = self.clock.wall();
        let state = match made {
            Ok((path, manifest)) => BackupState::Done {
                began,
                ended,
                path,
                manifest: Box::new(manifest),
            },
            Err(error) => BackupState::Failed {
                began,
                ended,
                why: error.to_string(),
            },
        };
        (self.ended)(&state);
        *self.state.lock() = state;
    }

    fn make(&self, began: Timestamp) -> Result<(PathBuf, Manifest), StoreError> {
        let projection = self.projection.upgrade();
        let Some(projection) = projection else {
            return Err(wrong(&self.directory, "the gateway is stopping"));
        };
        let source = Source {
            store: &self.store,
            projection: Some(&projection),
            node: self.node,
            lintel: &self.lintel,
            now: began,
        };
        create(&source, &self.directory, &mut |progress| {
            *self.state.lock() = BackupState::Running { began, progress };
            !self.stop.load(Ordering::Acquire)
        })
    }
}
