//! Whether a database may be used: what a start looks at before any row is read.
//!
//! Decides which pages are read, so that damage is met at the start and not at three in the morning. Knows no table,
//! and mends nothing. Invariant: a start that succeeds has read every page of a database that is small, or that the
//! process before did not close.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use super::Schema;
use crate::error::StoreError;

/// Up to this many bytes a database that was not closed is read as a whole: 0.6 s from memory, and
/// more from a slow disk. A larger one would keep the start waiting; `lintel backup verify` reads it.
const READ_WHOLE: u64 = 256 << 20;

/// When a start reads every page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Examine {
    /// Always: the file is small, and nothing can replace it.
    Always,
    /// When the process before did not close it, and it is not over [`READ_WHOLE`].
    AfterUncleanEnd,
}

impl Schema {
    /// Refuses the file in `dir` when it is damaged. `used`: the store has served before, so that a file without a
    /// byte is one that was emptied, and not one whose making a crash cut short. Call before anything else opens it.
    pub(crate) fn examine(&self, dir: &Path, used: bool) -> Result<(), StoreError> {
        let path = self.path(dir);
        let Ok(found) = std::fs::metadata(&path) else {
            // Not there: it is made. What can't be looked at can't be opened either, and that error says more.
            return Ok(());
        };
        let damaged = |why: &str| Err(StoreError::damaged(&path, why));
        if found.is_dir() {
            return damaged("a directory is in its place");
        }
        if found.len() == 0 {
            return if used {
                damaged("it is empty, and the store has been used before")
            } else {
                Ok(())
            };
        }
        // The last one to close a database removes its write-ahead log.
        let unclean = std::fs::metadata(beside(&path, "-wal")).is_ok_and(|wal| wal.len() > 0);
        let whole = match self.examine {
            Examine::Always => true,
            Examine::AfterUncleanEnd => unclean && found.len() <= READ_WHOLE,
        };
        if !whole {
            return Ok(());
        }
        let db = Connection::open(&path).map_err(StoreError::sql(&path))?;
        // Whoever starts this again must find the same: the log stays, or the next start would take the file for closed.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .and_then(|_| db.busy_timeout(super::BUSY))
            .map_err(StoreError::sql(&path))?;
        self.refuse_newer(&db, &path)?;
        match quick_check(&db).map_err(StoreError::sql(&path))? {
            None => Ok(()),
            Some(why) => damaged(&why),
        }
    }
}

/// The first thing that is wrong. <https://sqlite.org/pragma.html#pragma_quick_check>
fn quick_check(db: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    // It names the database on one line, what is wrong on the next.
    Ok((said != "ok").then(|| said.replace('\n', " ")))
}

/// SQLite's file of this kind beside a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether SQLite's words mean that the bytes of the file are not what it wrote.
pub(crate) fn means_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// What to do about a damaged database.
pub(crate) fn remedy(path: &Path) -> String {
    let store = path.parent().unwrap_or(path).display();
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let anew = match name.as_str() {
        "control.sqlite" => {
            "the next start makes an empty one: no tenant, project, key, token or audit of before"
        }
        "ledger.sqlite" => {
            "the next start makes an empty one and enters what the journal still holds: older rows, their sums and which \
             tenant owns which object at a provider are gone"
        }
        "log.sqlite" => {
            "the next start makes an empty one and enters what the journal still holds: older records are gone"
        }
        _ => return "restore the newest backup that `lintel backup verify` accepts".to_owned(),
    };
    format!(
        "put the newest backup that `lintel backup verify` accepts in place with `lintel backup restore DIR --store {store} \
         --force`, which keeps the damaged store beside it; without a backup, move {name}, {name}-wal and {name}-shm away, and {anew}"
    )
}
