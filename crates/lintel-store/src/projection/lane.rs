//! A lane: one destination of the journal with its own position in each generation of it.
//!
//! Decides what every lane must keep to. Knows no destination. Invariant: rows and position move in one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

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

/// How far a lane is, by the number of a generation.
type Positions = BTreeMap<u64, Position>;

/// A database lane.
pub(super) struct Lane<R> {
    dir: PathBuf,
    rows: R,
    /// None after a failure: it is opened anew, for the file may have been replaced.
    db: Option<Connection>,
    /// By generation; one without an entry has not been begun.
    positions: Positions,
    failures: u64,
    error: Option<String>,
}

impl<R: Rows> Lane<R> {
    /// Opens the lane where it stopped; `born` is where this process's records begin in its own generation `own`.
    pub(super) fn open(dir: &Path, rows: R, own: u64, born: Position) -> Result<Self, StoreError> {
        let db = rows.schema().open(dir)?;
        let mut lane = Self {
            dir: dir.to_owned(),
            rows,
            db: None,
            positions: Positions::new(),
            failures: 0,
            error: None,
        };
        lane.positions = read_positions(&db).map_err(|e| lane.failed(e))?;
        lane.db = Some(db);
        lane.no_further_than(own, born)?;
        Ok(lane)
    }

    /// A power cut may take more from the journal than from the database. What the journal lost is applied
    /// already, and its sequences are given out again: begin with the records from `born` on. Written down at once,
    /// for whoever reads the positions anew.
    pub(super) fn no_further_than(
        &mut self,
        generation: u64,
        born: Position,
    ) -> Result<(), StoreError> {
        let beyond = self.position(generation).sequence > born.sequence;
        let (true, Some(db)) = (beyond, &self.db) else {
            return Ok(());
        };
        write_position(db, generation, born).map_err(|e| self.failed(e))?;
        self.positions.insert(generation, born);
        Ok(())
    }

    /// How far it is in `generation`.
    pub(super) fn position(&self, generation: u64) -> Position {
        self.positions.get(&generation).copied().unwrap_or_default()
    }

    /// Reads the positions anew: another process has moved them.
    pub(super) fn reload(&mut self) -> Result<(), StoreError> {
        if let Some(db) = &self.db {
            self.positions = read_positions(db).map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    /// Forgets a generation whose files are gone.
    pub(super) fn forget(&mut self, generation: u64) -> Result<(), StoreError> {
        self.positions.remove(&generation);
        if let Some(db) = &self.db {
            db.execute(
                "DELETE FROM positions WHERE generation = ?1",
                [generation as i64],
            )
            .map_err(|e| self.failed(e))?;
        }
        Ok(())
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
            self.positions = read_positions(&db).map_err(|e| self.failed(e))?;
            self.db = Some(db);
            if self.position(batch.generation) != batch.from {
                // The file was replaced, or the failed commit did succeed: carry on from what it says.
                return Ok(());
            }
        }
        let (Some(db), rows) = (self.db.as_mut(), &mut self.rows) else {
            return Ok(());
        };
        let mut write = || {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            rows.write(batch, &transaction)?;
            write_position(&transaction, batch.generation, batch.to)?;
            transaction.commit()
        };
        write().map_err(|e| self.failed(e))?;
        self.positions.insert(batch.generation, batch.to);
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

    /// `ends` are the known ends of generations, this process's own first.
    pub(super) fn status(&self, ends: &[(u64, Position)]) -> LaneStatus {
        let applied = |generation| self.position(generation).sequence;
        let lag =
            |(generation, end): &(u64, Position)| end.sequence.saturating_sub(applied(*generation));
        LaneStatus {
            applied: ends.first().map_or(0, |(own, _)| applied(*own)),
            lag: ends.iter().map(lag).sum(),
            failures: self.failures,
            error: self.error.clone(),
        }
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(self.dir.join(self.rows.schema().file))(error)
    }
}

fn read_positions(db: &Connection) -> rusqlite::Result<Positions> {
    let position = |row: &rusqlite::Row<'_>| {
        let number = |i| row.get::<_, i64>(i).map(|n| n as u64);
        let position = Position {
            segment: number(1)?,
            offset: number(2)?,
            sequence: number(3)?,
        };
        Ok((number(0)?, position))
    };
    let mut read = db.prepare("SELECT generation, segment, at, sequence FROM positions")?;
    read.query_map([], position)?.collect()
}

fn write_position(db: &Connection, generation: u64, to: Position) -> rusqlite::Result<()> {
    let sql = "INSERT INTO positions VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET segment = ?2, at = ?3, sequence = ?4";
    db.prepare_cached(sql)?.execute([
        generation as i64,
        to.segment as i64,
        to.offset as i64,
        to.sequence as i64,
    ])?;
    Ok(())
}
