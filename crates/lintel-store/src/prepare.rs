//! What a start does to the databases before anything uses them: refuse damaged and newer ones, migrate older ones.
//!
//! Knows no table. Invariant: after it each database has the schema of this version, and every step on
//! the way was told of.

use std::path::Path;

use crate::control;
use crate::database::{Migrated, Schema};
use crate::error::StoreError;
use crate::journal::Generation;
use crate::projection::{ledger, log};

/// Every database of a store.
pub(crate) const DATABASES: [&Schema; 3] = [&control::SCHEMA, &ledger::SCHEMA, &log::SCHEMA];

/// Refuses damaged databases, then brings every database in `dir`, whose lock the caller holds, to this version's
/// schema, and tells of each migration that ran.
///
/// Errors: a damaged file, one that can't be opened, one of a newer version, a migration that failed or has no room; what
/// ran before stands.
pub fn prepare(dir: &Path, tell: &mut dyn FnMut(Migrated)) -> Result<(), StoreError> {
    // The journal is opened when all databases stand.
    let used = !Generation::all(dir)?.is_empty();
    for schema in DATABASES {
        schema.examine(dir, used)?;
        schema.open_telling(dir, tell)?;
    }
    Ok(())
}

/// Refuses a store with a database of a newer version than this one's, changing nothing: what another process uses may
/// be looked at. A file that is not there yet is none.
///
/// Errors: a database of a newer version, or one that can't be read.
pub fn refuse_newer(dir: &Path) -> Result<(), StoreError> {
    for schema in DATABASES {
        if schema.path(dir).exists() {
            schema.read(dir)?;
        }
    }
    Ok(())
}
