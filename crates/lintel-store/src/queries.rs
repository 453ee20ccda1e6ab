//! Reading ledger and log back: usage, exchanges, totals, and the proof that they agree.
//!
//! Decides what a question reads; writes nothing. Each call opens its own read-only connection, so a long
//! report holds up nobody. Invariant: an answer is one snapshot of one database.

mod exchanges;
mod resources;
mod state;
mod sums;
mod tenant;
mod usage;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use exchanges::{LogQuery, LogRow};
pub use state::{DatabaseState, StoreState};
pub use usage::{Dimension, UsageQuery, UsageRow};
pub use verify::{Totals, Verification};

use crate::error::StoreError;
use crate::projection::{ledger, log};

/// Read access to the ledger and the request log of a store directory. Blocking: not for a request's path.
#[derive(Debug, Clone)]
pub struct Queries {
    dir: Arc<PathBuf>,
}

impl Queries {
    /// Queries on `dir`. Makes empty databases where there are none yet.
    pub fn open(dir: &Path) -> Result<Queries, StoreError> {
        ledger::SCHEMA.open(dir)?;
        log::SCHEMA.open(dir)?;
        Ok(Queries {
            dir: Arc::new(dir.to_owned()),
        })
    }

    fn ledger(&self) -> Result<rusqlite::Connection, StoreError> {
        ledger::SCHEMA.read(&self.dir)
    }

    fn log(&self) -> Result<rusqlite::Connection, StoreError> {
        log::SCHEMA.read(&self.dir)
    }

    fn ledger_error(&self) -> impl FnOnce(rusqlite::Error) -> StoreError {
        StoreError::sql(self.dir.join(ledger::SCHEMA.file))
    }

    fn log_error(&self) -> impl FnOnce(rusqlite::Error) -> StoreError {
        StoreError::sql(self.dir.join(log::SCHEMA.file))
    }
}
