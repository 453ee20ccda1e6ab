//! Migrations: what takes a database from one schema version to the next.
//!
//! Decides order, atomicity and room. Knows no table. Invariants: a migration and its version are one
//! transaction, so a crash leaves the version before or after, never a mixture; a migration that runs is
//! never edited, only followed by another.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::{Schema, means_damage, version};
use crate::error::StoreError;

/// One step of a schema. Its script is a file of `migrations/<database>`, named as it is.
pub(crate) struct Migration {
    /// `0001-tables`: number and what it is about.
    pub(crate) name: &'static str,
    /// SQL.
    pub(crate) script: &'static str,
    /// Whether it writes every row anew, and so needs about twice the file's size for a while.
    rewrites: bool,
}

impl Migration {
    /// A step that makes tables, columns or triggers: it costs nothing, however many rows there are.
    pub(crate) const fn adds(name: &'static str, script: &'static str) -> Self {
        Self {
            name,
            script,
            rewrites: false,
        }
    }

    /// A step that touches every row: it is begun only when there is room for all of them once more in
    /// the write-ahead log and in the file.
    pub(crate) const fn rewrites(name: &'static str, script: &'static str) -> Self {
        Self {
            name,
            script,
            rewrites: true,
        }
    }
}

/// A migration that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The database.
    pub path: PathBuf,
    /// Which.
    pub name: &'static str,
    /// The version that the file has now.
    pub version: i64,
    /// How long it took.
    pub took: Duration,
}

/// Runs what is missing.
pub(super) fn run(
    schema: &Schema,
    db: &mut Connection,
    path: &Path,
    tell: &mut dyn FnMut(Migrated),
) -> Result<(), StoreError> {
    let found = version(db).map_err(StoreError::sql(path))?;
    let done = usize::try_from(found).unwrap_or(0);
    let missing = schema.migrations.get(done..).unwrap_or_default();
    if missing.iter().any(|step| step.rewrites) {
        let bytes = std::fs::metadata(path).map_err(StoreError::io("read", path))?;
        super::make_sure_of_room(path, bytes.len().saturating_mul(2))?;
    }
    for (index, step) in missing.iter().enumerate() {
        let to = (done + index) as i64 + 1;
        let begun = Instant::now();
        let ran = apply(db, step, to).map_err(|source| failed(path, step, to - 1, source))?;
        // A file that is made has no former version to speak of.
        if ran && done > 0 {
            tell(Migrated {
                path: path.to_owned(),
                name: step.name,
                version: to,
                took: begun.elapsed(),
            });
        }
    }
    Ok(())
}

/// A page that a step meets may be damaged: then the step is not to blame.
fn failed(path: &Path, step: &Migration, version: i64, source: rusqlite::Error) -> StoreError {
    if means_damage(&source) {
        return StoreError::sql(path)(source);
    }
    StoreError::Migration {
        path: path.to_owned(),
        name: step.name,
        version,
        source,
    }
}

/// Returns whether it had to run: another connection may have been first.
fn apply(db: &mut Connection, step: &Migration, to: i64) -> rusqlite::Result<bool> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version(&transaction)? >= to {
        return Ok(false);
    }
    transaction.execute_batch(step.script)?;
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()?;
    Ok(true)
}

/// Bytes that this process may still write on the disk of `path`.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(path)
        .map_err(|e| StoreError::io("read the free space at", path)(e.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
