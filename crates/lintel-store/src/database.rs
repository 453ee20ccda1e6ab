//! How a SQLite file is opened: private, WAL, versioned.
//!
//! Knows no table. Invariant: a file whose `user_version` is newer than this version's is never touched.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::private;

/// What a database of the store is like.
pub(crate) struct Schema {
    /// Name of the file in the store directory.
    pub(crate) file: &'static str,
    /// One script for each version; `user_version` counts those that have run.
    pub(crate) migrations: &'static [&'static str],
    /// Bytes a page; larger where rows are, so that they don't spill to overflow pages.
    pub(crate) page_bytes: u32,
    /// `NORMAL` where the journal can replay what a power cut loses, `FULL` where nothing else can.
    pub(crate) synchronous: &'static str,
    /// KiB of page cache.
    pub(crate) cache_kib: u32,
}

impl Schema {
    /// Opens the file in `dir` for writing, making it and running its migrations where needed.
    pub(crate) fn open(&self, dir: &Path) -> Result<Connection, StoreError> {
        let path = dir.join(self.file);
        // SQLite would make it readable for others; its -wal and -shm files take the mode of this one.
        private::open_file(&path).map_err(StoreError::io("open", &path))?;
        let mut db = Connection::open(&path).map_err(StoreError::sql(&path))?;
        self.refuse_newer(&db, &path)?;
        self.prepare(&mut db).map_err(StoreError::sql(&path))?;
        Ok(db)
    }

    /// Opens the file in `dir` for reading only.
    pub(crate) fn read(&self, dir: &Path) -> Result<Connection, StoreError> {
        let path = dir.join(self.file);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).map_err(StoreError::sql(&path))?;
        db.busy_timeout(std::time::Duration::from_secs(2))
            .map_err(StoreError::sql(&path))?;
        self.refuse_newer(&db, &path)?;
        Ok(db)
    }

    fn refuse_newer(&self, db: &Connection, path: &Path) -> Result<(), StoreError> {
        let known = self.migrations.len() as i64;
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

    fn prepare(&self, db: &mut Connection) -> rusqlite::Result<()> {
        db.busy_timeout(std::time::Duration::from_secs(2))?;
        db.set_prepared_statement_cache_capacity(32);
        db.pragma_update(None, "page_size", self.page_bytes)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", self.synchronous)?;
        db.pragma_update(None, "cache_size", -i64::from(self.cache_kib))?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        let done = usize::try_from(version(db)?).unwrap_or(0);
        for (index, script) in self.migrations.iter().enumerate().skip(done) {
            let step = db.transaction()?;
            step.execute_batch(script)?;
            step.pragma_update(None, "user_version", index as i64 + 1)?;
            step.commit()?;
        }
        Ok(())
    }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Scratch;
    use std::os::unix::fs::PermissionsExt;

    const SCHEMA: Schema = Schema {
        file: "t.sqlite",
        migrations: &["CREATE TABLE a(x)", "CREATE TABLE b(x)"],
        page_bytes: 4096,
        synchronous: "NORMAL",
        cache_kib: 64,
    };

    #[test]
    fn migrates_once_and_keeps_others_out() {
        let scratch = Scratch::new();
        drop(
            Schema {
                migrations: &["CREATE TABLE a(x)"],
                ..SCHEMA
            }
            .open(scratch.path())
            .unwrap(),
        );
        let db = SCHEMA.open(scratch.path()).unwrap();
        db.execute("INSERT INTO a SELECT 1 FROM (SELECT 1) LEFT JOIN b", [])
            .unwrap();
        drop(SCHEMA.open(scratch.path()).unwrap());
        for file in ["t.sqlite", "t.sqlite-wal"] {
            let mode = std::fs::metadata(scratch.path().join(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn refuses_a_newer_schema() {
        let scratch = Scratch::new();
        drop(SCHEMA.open(scratch.path()).unwrap());
        let older = Schema {
            migrations: &["CREATE TABLE a(x)"],
            ..SCHEMA
        };
        let refused = older.open(scratch.path()).unwrap_err().to_string();
        assert!(
            refused.contains("schema version 2, this version knows 1"),
            "{refused}"
        );
        assert!(older.read(scratch.path()).is_err());
    }
}
