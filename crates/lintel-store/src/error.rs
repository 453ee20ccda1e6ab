//! What can go wrong in the store, in words that name the file and the remedy.
//!
//! Knows nothing of HTTP; the one conversion to [`lintel_types::Error`] decides what a client may read.

use std::io;
use std::path::PathBuf;

use lintel_types::{Error, Kind};
use rusqlite::ErrorCode;

use crate::database;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process holds the directory.
    #[error("store directory {} is in use by process {pid}: stop that process, or give this one another `store`", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The holder's process id, as it stands in the lock file.
        pid: String,
    },
    /// A journal segment is damaged before its end.
    #[error(
        "journal segment {} is corrupt at byte {offset} ({why}): put the newest backup that `lintel backup verify` accepts in \
         place with `lintel backup restore`, or {} to start without the records from there on", path.display(), cut(*offset)
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// First byte that can't be read.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// A journal segment was written by a newer version.
    #[error("journal segment {} has format {found}, this version reads {known}: start the version that wrote it", path.display())]
    NewerJournal {
        /// The segment.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The newest format known here.
        known: u16,
    },
    /// A journal segment belongs to another node.
    #[error("journal segment {} belongs to node {found}, this is node {here}: give each node its own `store`, or start as node {found}", path.display())]
    ForeignNode {
        /// The segment.
        path: PathBuf,
        /// Whose it is.
        found: u16,
        /// Who asked.
        here: u16,
    },
    /// A database was written by a newer version.
    #[error(
        "{} has schema version {found}, this version knows {known}: start the version of Lintel that wrote it, or restore a \
         backup of schema version {known} or older with `lintel backup restore`", path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A migration failed; the database is as it was before it.
    #[error(
        "{} stays at schema version {version}, for migration {name} failed: {source}; start the version of Lintel that ran before, \
         or mend the cause and start this one again", path.display()
    )]
    Migration {
        /// The database.
        path: PathBuf,
        /// The migration.
        name: &'static str,
        /// The version that it still has.
        version: i64,
        /// Why.
        source: rusqlite::Error,
    },
    /// A backup that can't be made, or is none.
    #[error("backup {}: {why}", dir.display())]
    Backup {
        /// Its directory.
        dir: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// A directory that must not be written to.
    #[error("{}: {why}", dir.display())]
    Occupied {
        /// The directory.
        dir: PathBuf,
        /// By what, and what to do.
        why: String,
    },
    /// Something of which there is one at a time.
    #[error("{what} is running already: wait until it has ended")]
    Busy {
        /// What.
        what: &'static str,
    },
    /// Something that takes room was not begun, for there is too little.
    #[error("{} needs {needed} bytes free on its disk for a while, and {free} are: free some, then try again", path.display())]
    NoRoom {
        /// What it is for.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes there.
        free: u64,
    },
    /// The journal can't be written now; nothing was recorded and nothing may be dispatched.
    #[error(
        "the journal cannot be written: {0}; free space on the store's disk, the journal then recovers by itself"
    )]
    Unwritable(#[source] io::Error),
    /// A record that is larger than a frame may be.
    #[error("a journal record of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A record that can't be written as or read from JSON.
    #[error("a journal record is not readable as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A database is not what SQLite wrote.
    #[error("database {} is damaged ({why}): {}", path.display(), database::remedy(path))]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A database statement failed.
    #[error("database {}: {source}", path.display())]
    Sql {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// An object of this name exists.
    #[error("{what} `{name}` exists already: choose another name")]
    Duplicate {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// No object of this name exists.
    #[error("no {what} `{name}`: list them to see which exist")]
    NotFound {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Another process takes over, and makes the changes.
    #[error(
        "an upgrade is under way, and the new process makes the changes: try again in a moment"
    )]
    LetGo,
    /// A key that was revoked.
    #[error("key `{id}` is revoked for good: make a new key")]
    Revoked {
        /// The key.
        id: String,
    },
    /// An object whose state forbids the change.
    #[error("{what} `{name}` {why}")]
    Conflict {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// Something was changed since the plan was made.
    #[error("tenants, projects or keys have changed since this plan was made: plan again")]
    Moved,
    /// A value that can't be accepted.
    #[error("{what} `{value}` {why}")]
    Invalid {
        /// Which value.
        what: &'static str,
        /// The value.
        value: String,
        /// What is wrong and what would be right.
        why: &'static str,
    },
}

impl StoreError {
    /// For `map_err` on file operations.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::Io {
            action,
            path,
            source,
        }
    }

    /// For `map_err` on database operations.
    pub(crate) fn sql(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> StoreError {
        let path = path.into();
        move |source| {
            if database::means_damage(&source) {
                StoreError::damaged(path, source.to_string())
            } else {
                StoreError::Sql { path, source }
            }
        }
    }

    /// A database that must not be used.
    pub(crate) fn damaged(path: impl Into<PathBuf>, why: impl Into<String>) -> StoreError {
        let (path, why) = (path.into(), why.into());
        StoreError::Damaged { path, why }
    }
}

/// How to start without what lies behind a damaged byte of a segment.
fn cut(offset: u64) -> String {
    match offset {
        0 => "move it and every later segment away".to_owned(),
        _ => format!("cut it with `truncate -s {offset}` and move every later segment away"),
    }
}

impl From<StoreError> for Error {
    /// Faults of the request keep their text; faults of the store tell a client no file names.
    fn from(error: StoreError) -> Error {
        match &error {
            StoreError::NotFound { .. } => {
                Error::client(Kind::NotFound, "not_found", error.to_string())
            }
            StoreError::Duplicate { .. } => {
                Error::client(Kind::InvalidRequest, "already_exists", error.to_string())
            }
            StoreError::Revoked { .. } => {
                Error::client(Kind::InvalidRequest, "revoked_key", error.to_string())
            }
            StoreError::Conflict { .. } => {
                Error::client(Kind::InvalidRequest, "conflict", error.to_string())
            }
            StoreError::Moved => {
                Error::client(Kind::InvalidRequest, "plan_outdated", error.to_string())
            }
            StoreError::Invalid { .. } => {
                Error::client(Kind::InvalidRequest, "invalid_value", error.to_string())
            }
            StoreError::LetGo => {
                Error::gateway(Kind::Overloaded, "upgrade_under_way", error.to_string())
            }
            StoreError::Sql { source, .. }
                if source.sqlite_error_code() == Some(ErrorCode::DiskFull) =>
            {
                let text = "the store's disk is full, and nothing was changed: free space on it, then try again";
                Error::gateway(Kind::Overloaded, "ledger_unavailable", text).because(error)
            }
            StoreError::Unwritable(_) => {
                let text = "the ledger cannot be written now: try again in a moment";
                Error::gateway(Kind::Overloaded, "ledger_unavailable", text).because(error)
            }
            _ => Error::gateway(
                Kind::Internal,
                "store_failed",
                "the store failed: see the server's log",
            )
            .because(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_reads_no_file_names() {
        let full = StoreError::Io {
            action: "write",
            path: "/srv/lintel/x".into(),
            source: io::Error::other("no space"),
        };
        let shown = Error::from(full);
        assert_eq!(shown.kind(), Kind::Internal);
        assert!(!shown.message().contains("/srv"), "{shown}");
        let missing = Error::from(StoreError::NotFound {
            what: "key",
            name: "key_1".into(),
        });
        assert_eq!(
            (missing.kind(), missing.code()),
            (Kind::NotFound, "not_found")
        );
        let full = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
            None,
        );
        let full = Error::from(StoreError::sql("/srv/lintel/control.sqlite")(full));
        assert_eq!(full.code(), "ledger_unavailable");
        assert!(
            full.message().contains("disk is full") && !full.message().contains("/srv"),
            "{full}"
        );
        let busy = Error::from(StoreError::Unwritable(io::Error::other("no space")));
        assert_eq!(
            (busy.kind(), busy.code()),
            (Kind::Overloaded, "ledger_unavailable")
        );
    }
}
