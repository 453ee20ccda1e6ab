//! Control state: tenants, projects, keys, tokens, and the audit of every change to them.
//!
//! Decides what may be changed and what is written down about it. Knows no request and no key's secret:
//! only its SHA-256 comes in. Invariant: a change and its audit row are one transaction; no audit, no change.

mod apply;
mod audit;
mod erasures;
mod keys;
mod names;
mod replays;
mod tenants;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lintel_types::{Clock, Timestamp};
use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use apply::{ApplyHow, Desired, DesiredKey, FieldChange, Mint, Plan, Step};
pub use audit::{AuditFilter, AuditRow};
pub use erasures::Erasure;
pub use keys::{KeyFilter, KeyRow, KeySpec, KeyState, NewKey, NewSecret, SecretRow, StoredSecret};
pub use replays::{Replay, ReplayKey};
pub use tenants::{Project, Tenant};
pub use tokens::{NewToken, TokenRow};

use crate::database::{Examine, Migration, Schema};
use crate::error::StoreError;

/// `control.sqlite`. Nothing can replay it: every commit is synced.
pub(crate) const SCHEMA: Schema = Schema {
    file: "control.sqlite",
    migrations: &[
        Migration::adds(
            "0001-tables",
            include_str!("../migrations/control/0001-tables.sql"),
        ),
        Migration::adds(
            "0002-tokens",
            include_str!("../migrations/control/0002-tokens.sql"),
        ),
        Migration::rewrites(
            "0003-keys",
            include_str!("../migrations/control/0003-keys.sql"),
        ),
        Migration::adds(
            "0004-erasures",
            include_str!("../migrations/control/0004-erasures.sql"),
        ),
        Migration::adds(
            "0005-audit-retention",
            include_str!("../migrations/control/0005-audit-retention.sql"),
        ),
    ],
    page_bytes: 4096,
    synchronous: "FULL",
    examine: Examine::Always,
    cache_kib: 1 << 10,
};

/// Control state of a store directory. Clones share one connection. Blocking, a few milliseconds a change:
/// for the admin listener, not for a request's path.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    db: Mutex<Connection>,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Another process makes the changes.
    let_go: AtomicBool,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("path", &self.inner.path)
            .finish()
    }
}

impl Control {
    /// Opens `control.sqlite` in `dir`, whose lock the caller holds. `clock` dates the changes.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Control, StoreError> {
        let db = SCHEMA.open(dir)?;
        let path = dir.join(SCHEMA.file);
        db.pragma_update(None, "foreign_keys", true)
            .map_err(StoreError::sql(&path))?;
        Ok(Control {
            inner: Arc::new(Inner {
                db: Mutex::new(db),
                path,
                clock,
                let_go: AtomicBool::new(false),
            }),
        })
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    fn sql(&self) -> impl FnOnce(rusqlite::Error) -> StoreError {
        StoreError::sql(&self.inner.path)
    }

    /// Reads.
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.inner.db.lock()).map_err(self.sql())
    }

    /// Refuses changes from now on: another process makes them.
    pub fn let_go(&self) {
        // Under the lock: a change that has begun is whole before this returns.
        let _db = self.inner.db.lock();
        self.inner.let_go.store(true, Ordering::Release);
    }

    /// Takes changes again after [`Control::let_go`].
    pub fn take_back(&self) {
        self.inner.let_go.store(false, Ordering::Release);
    }

    /// Whether changes are another process's.
    pub fn is_let_go(&self) -> bool {
        self.inner.let_go.load(Ordering::Acquire)
    }

    /// A number that is another one whenever another connection has changed something.
    /// <https://sqlite.org/pragma.html#pragma_data_version>
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.read(|db| db.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    /// Changes, all or nothing.
    fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Change>,
    ) -> Result<T, StoreError> {
        let attempt = || {
            let mut db = self.inner.db.lock();
            if self.inner.let_go.load(Ordering::Acquire) {
                return Err(Change::Refused(StoreError::LetGo));
            }
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        self.told(attempt())
    }
}

impl Control {
    /// Does what [`Control::change`] does, and gives it up.
    fn rehearse<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Change>,
    ) -> Result<T, StoreError> {
        let attempt = || {
            let mut db = self.inner.db.lock();
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.rollback()?;
            Ok(done)
        };
        self.told(attempt())
    }

    fn told<T>(&self, outcome: Result<T, Change>) -> Result<T, StoreError> {
        outcome.map_err(|refused| match refused {
            Change::Refused(why) => why,
            Change::Sql(source) => self.sql()(source),
        })
    }
}

/// Why a change didn't happen.
enum Change {
    Refused(StoreError),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Change {
    fn from(error: rusqlite::Error) -> Self {
        Change::Sql(error)
    }
}

impl From<StoreError> for Change {
    fn from(error: StoreError) -> Self {
        Change::Refused(error)
    }
}

#[cfg(test)]
pub(crate) mod tests;
