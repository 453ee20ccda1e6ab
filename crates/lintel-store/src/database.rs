//! How a SQLite file is opened: private, WAL, versioned, migrated.
//!
//! Knows no table. Invariants: a file whose `user_version` is newer than this version's is never touched;
//! a file that is damaged is named with what to do, and never mended by guessing.

mod health;
mod migrate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use health::{Examine, means_damage, remedy};
pub use migrate::Migrated;
pub(crate) use migrate::{Migration, free_bytes};

use crate::error::StoreError;
use crate::private;

/// How long a statement waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(2);

/// What a database of the store is like.
pub(crate) struct Schema {
    /// Name of the file in the store directory.
    pub(crate) file: &'static str,
    /// In order; `user_version` counts those that have run.
    pub(crate) migrations: &'static [Migration],
    /// Bytes a page; larger where rows are, so that they don't spill to overflow pages.
    pub(crate) page_bytes: u32,
    /// `NORMAL` where the journal can replay what a power cut loses, `FULL` where nothing else can.
    pub(crate) synchronous: &'static str,
    /// When a start reads every page of it.
    pub(crate) examine: Examine,
    /// KiB of page cache.
    pub(crate) cache_kib: u32,
}

impl Schema {
    /// The file in `dir`.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.file)
    }

    /// The version that this build knows.
    pub(crate) fn version(&self) -> i64 {
        self.migrations.len() as i64
    }

    /// Opens the file in `dir` for writing, making it and running its migrations where needed.
    pub(crate) fn open(&self, dir: &Path) -> Result<Connection, StoreError> {
        self.open_telling(dir, &mut |_| {})
    }

    /// Like [`Schema::open`]; tells of each migration that ran.
    pub(crate) fn open_telling(
        &self,
        dir: &Path,
        tell: &mut dyn FnMut(Migrated),
    ) -> Result<Connection, StoreError> {
        let path = self.path(dir);
        // SQLite would make it readable for others; its -wal and -shm files take the mode of this one.
        private::open_file(&path).map_err(StoreError::io("open", &path))?;
        let mut db = Connection::open(&path).map_err(StoreError::sql(&path))?;
        self.refuse_newer(&db, &path)?;
        self.prepare(&db).map_err(StoreError::sql(&path))?;
        migrate::run(self, &mut db, &path, tell)?;
        Ok(db)
    }

    /// Opens the file in `dir` for reading only.
    pub(crate) fn read(&self, dir: &Path) -> Result<Connection, StoreError> {
        let path = self.path(dir);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).map_err(StoreError::sql(&path))?;
        db.busy_timeout(BUSY).map_err(StoreError::sql(&path))?;
        self.refuse_newer(&db, &path)?;
        Ok(db)
    }

    fn refuse_newer(&self, db: &Connection, path: &Path) -> Result<(), StoreError> {
        let known = self.version();
        let found = version(db).map_err(StoreError::sql(path))?;
        if found > known {
            return Err(StoreError::NewerSchema {
                path: path.to_owned(),
                found,
                known,
            });
        }
        Ok(())
    }

    fn prepare(&self, db: &Connection) -> rusqlite::Result<()> {
        db.busy_timeout(BUSY)?;
        db.set_prepared_statement_cache_capacity(32);
        db.pragma_update(None, "page_size", self.page_bytes)?;
        // In force only where the file is made; `compact` gives it to an older one.
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", self.synchronous)?;
        db.pragma_update(None, "cache_size", -i64::from(self.cache_kib))?;
        db.pragma_update(None, "temp_store", "MEMORY")
    }
}

/// Refuses what needs more room than the disk of `path` has.
pub(crate) fn make_sure_of_room(path: &Path, needed: u64) -> Result<(), StoreError> {
    let free = free_bytes(path)?;
    if free >= needed {
        return Ok(());
    }
    let path = path.to_owned();
    Err(StoreError::NoRoom { path, needed, free })
}

/// How many migrations a file has behind it.
pub(crate) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests;
