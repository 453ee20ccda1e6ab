//! A lane: one destination of the journal with its own position in it.
//!
//! Decides what every lane must keep to. Knows no destination. Invariant: rows and position move in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::LaneStatus;
use crate::database::Schema;
use crate::error::StoreError;
use crate::journal::{Batch, Position};

/// Rows of one database, made from records.
pub(super) trait Rows: Send {
    /// The database.
    fn schema(&self) -> &'static Schema;
    /// Writes the rows of a batch. Called again with the same batch after an error.
    fn write(&mut self, batch: &Batch, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
}

/// A database lane.
pub(super) struct Lane<R> {
    dir: PathBuf,
    rows: R,
    /// None after a failure: it is opened anew, for the file may have been replaced.
    db: Option<Connection>,
    position: Position,
    failures: u64,
    error: Option<String>,
}

impl<R: Rows> Lane<R> {
    /// Opens the lane where it stopped; `born` is where this process's records begin.
    pub(super) fn open(dir: &Path, rows: R, born: Position) -> Result<Self, StoreError> {
        let db = rows.schema().open(dir)?;
        let mut lane = Self {
            dir: dir.to_owned(),
            rows,
            db: None,
            position: Position::default(),
            failures: 0,
            error: None,
        };
        let stored = read_position(&db)
            .map_err(|e| lane.failed(e))?
            .unwrap_or_default();
        // A power cut may take more from the journal than from the database. What the journal lost is
        // applied already, and its sequences are given out again: begin with this process's records.
        lane.position = if stored.sequence > born.sequence {
            born
        } else {
            stored
        };
        lane.db = Some(db);
        Ok(lane)
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Applies a batch that begins at this lane's position. After an error nothing of it is applied.
    pub(super) fn apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let outcome = self.try_apply(batch);
        match &outcome {
            Ok(()) => self.error = None,
            Err(error) => {
                self.db = None;
                self.note(error);
            }
        }
        outcome
    }

    /// Notes a failure to read the lane's next batch or to apply it.
    pub(super) fn note(&mut self, error: &StoreError) {
        self.failures += 1;
        self.error = Some(error.to_string());
    }

    fn try_apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.db.is_none() {
            let db = self.rows.schema().open(&self.dir)?;
            let stored = read_position(&db)
                .map_err(|e| self.failed(e))?
                .unwrap_or_default();
            self.db = Some(db);
            if stored != batch.from {
                // The file was replaced, or the failed commit did succeed: carry on from what it says.
                self.position = stored;
                return Ok(());
            }
        }
        let (Some(db), rows) = (self.db.as_mut(), &mut self.rows) else {
            return Ok(());
        };
        let mut write = || {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            rows.write(batch, &transaction)?;
            write_position(&transaction, batch.to)?;
            transaction.commit()
        };
        write().map_err(|e| self.failed(e))?;
        self.position = batch.to;
        Ok(())
    }

    /// Makes what is applied survive a power cut. Returns whether all of it does.
    pub(super) fn checkpoint(&self) -> Result<bool, StoreError> {
        let Some(db) = &self.db else { return Ok(false) };
        let all = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        };
        let (busy, written, kept) = db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], all)
            .map_err(|e| self.failed(e))?;
        Ok(busy == 0 && written == kept)
    }

    pub(super) fn status(&self, end: Position) -> LaneStatus {
        let applied = self.position.sequence;
        LaneStatus {
            applied,
            lag: end.sequence.saturating_sub(applied),
            failures: self.failures,
            error: self.error.clone(),
        }
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(self.dir.join(self.rows.schema().file))(error)
    }
}

fn read_position(db: &Connection) -> rusqlite::Result<Option<Position>> {
    let position = |row: &rusqlite::Row<'_>| {
        let number = |i| row.get::<_, i64>(i).map(|n| n as u64);
        Ok(Position {
            segment: number(0)?,
            offset: number(1)?,
            sequence: number(2)?,
        })
    };
    db.query_row("SELECT segment, at, sequence FROM position", [], position)
        .optional()
}

fn write_position(transaction: &Transaction<'_>, to: Position) -> rusqlite::Result<()> {
    let sql = "INSERT INTO position VALUES (1, ?1, ?2, ?3) ON CONFLICT DO UPDATE SET segment = ?1, at = ?2, sequence = ?3";
    transaction.prepare_cached(sql)?.execute([
        to.segment as i64,
        to.offset as i64,
        to.sequence as i64,
    ])?;
    Ok(())
}
