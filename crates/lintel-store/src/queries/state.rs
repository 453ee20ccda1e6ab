//! The store looked at from outside: what lies on the disk, how old, how much of it could be given back.
//!
//! Reads only. Invariant: nothing here scans a table unless it is asked to count.

use std::path::Path;

use lintel_types::{ExchangeId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::Queries;
use crate::control;
use crate::database::{self, Schema, free_bytes};
use crate::error::StoreError;
use crate::journal::{self, Generation};
use crate::projection::{ledger, log};

/// What lies in a store directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// Bytes that may still be written on its disk.
    pub disk_free: u64,
    /// The databases.
    pub databases: Vec<DatabaseState>,
    /// Generations of the journal; more than one while processes overlap.
    pub generations: usize,
    /// Segments of the journal.
    pub segments: usize,
    /// Their bytes.
    pub journal_bytes: u64,
}

/// One database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseState {
    /// Its file.
    pub file: &'static str,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes of its write-ahead log.
    pub wal_bytes: u64,
    /// Bytes of it that hold nothing: new rows use them, compaction gives them back.
    pub free: u64,
    /// Whether compaction can work in small steps; else it writes the file anew.
    pub incremental: bool,
    /// Its schema version.
    pub schema: i64,
    /// The table that grows: `ledger`, `log` or `audit`.
    pub table: &'static str,
    /// The time of its first row.
    pub oldest: Option<Timestamp>,
    /// The time of its last row.
    pub newest: Option<Timestamp>,
    /// Its rows, when they were to be counted.
    pub rows: Option<u64>,
}

impl Queries {
    /// How the store stands. `count` reads every page of every table.
    pub fn state(&self, count: bool) -> Result<StoreState, StoreError> {
        let dir = self.dir.as_path();
        let files = journal::files(dir)?;
        let bytes = |path: &Path| std::fs::metadata(dir.join(path)).map_or(0, |m| m.len());
        let tables = [
            (&control::SCHEMA, "audit"),
            (&ledger::SCHEMA, "ledger"),
            (&log::SCHEMA, "log"),
        ];
        let databases = tables
            .into_iter()
            .map(|(schema, table)| database(dir, schema, table, count));
        Ok(StoreState {
            disk_free: free_bytes(dir)?,
            databases: databases.collect::<Result<_, _>>()?,
            generations: Generation::all(dir)?.len(),
            segments: files.len(),
            journal_bytes: files.iter().map(|path| bytes(path)).sum(),
        })
    }
}

fn database(
    dir: &Path,
    schema: &Schema,
    table: &'static str,
    count: bool,
) -> Result<DatabaseState, StoreError> {
    let path = schema.path(dir);
    let length = |suffix: &str| {
        let name = format!("{}{suffix}", schema.file);
        std::fs::metadata(dir.join(name)).map_or(0, |m| m.len())
    };
    let db = schema.read(dir)?;
    let read = || -> rusqlite::Result<DatabaseState> {
        let pragma =
            |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        let rows = if count {
            let counted = db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| {
                row.get::<_, i64>(0)
            })?;
            Some(counted.unsigned_abs())
        } else {
            None
        };
        Ok(DatabaseState {
            file: schema.file,
            bytes: length(""),
            wal_bytes: length("-wal"),
            free: pragma("freelist_count")?.unsigned_abs() * pragma("page_size")?.unsigned_abs(),
            incremental: pragma("auto_vacuum")? == 2,
            schema: database::version(&db)?,
            table,
            oldest: edge(&db, table, "ASC")?,
            newest: edge(&db, table, "DESC")?,
            rows,
        })
    };
    read().map_err(StoreError::sql(path))
}

/// The time of a table's first or last row, by its key.
fn edge(db: &Connection, table: &str, order: &str) -> rusqlite::Result<Option<Timestamp>> {
    if table == "audit" {
        let sql = format!("SELECT at FROM audit ORDER BY sequence {order} LIMIT 1");
        return db
            .query_row(&sql, [], |row| row.get(0).map(Timestamp::from_micros))
            .optional();
    }
    let sql = format!("SELECT exchange FROM {table} ORDER BY exchange {order} LIMIT 1");
    db.query_row(&sql, [], |row| {
        row.get(0).map(|id| ExchangeId::from_bytes(id).made_at())
    })
    .optional()
}
