//! Deleting what is too old or too much, oldest first, in portions.
//!
//! Knows no clock and no thread. Invariants: of the ledger whole hours go, and `kept_from` says so before the first row does;
//! its rollup is never touched; the last day of it stays whatever it takes.

use std::path::Path;
use std::time::Duration;

use lintel_types::{ExchangeId, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::Keep;
use super::pace::Pace;
use crate::control::Control;
use crate::database::Schema;
use crate::error::StoreError;
use crate::projection::rollup::hour_of;
use crate::projection::{ledger, log};

/// Of the ledger at least so much stays: what is written again after a crash must meet the row that it would double.
const LEAST_HOURS: i64 = 24;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const AUDIT_ROWS: usize = 1_000;

/// Rows that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Of the request log.
    pub log: u64,
    /// Of the ledger.
    pub ledger: u64,
    /// Of the audit.
    pub audit: u64,
}

impl Swept {
    pub(super) fn add(&mut self, other: &Swept) {
        self.log += other.log;
        self.ledger += other.ledger;
        self.audit += other.audit;
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    let micros = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros).max(0))
}

/// Bytes of the pages that hold something.
pub(super) fn live_bytes(db: &Connection) -> rusqlite::Result<u64> {
    let pragma =
        |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(pages.unsigned_abs() * pragma("page_size")?.unsigned_abs())
}

/// The request log.
pub(super) fn log(
    dir: &Path,
    keep: &Keep,
    now: Timestamp,
    pace: &mut Pace<'_>,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    if *keep == Keep::default() {
        return Ok(());
    }
    let (mut db, failed) = open(&log::SCHEMA, dir)?;
    if let Some(age) = keep.age {
        let end = ExchangeId::floor_at(before(now, age));
        delete_before(&mut db, "log", end, pace, &mut swept.log).map_err(&failed)?;
    }
    let Some(most) = keep.bytes else {
        return Ok(());
    };
    while live_bytes(&db).map_err(&failed)? > most {
        let everything = ExchangeId::from_bytes([0xff; 16]);
        let done = pace
            .portion(|rows| delete(&mut db, "log", everything, rows))
            .map_err(&failed)?;
        swept.log += done.unwrap_or(0);
        if done.is_none_or(|rows| rows == 0) {
            break;
        }
    }
    Ok(())
}

/// The ledger's rows.
pub(super) fn ledger(
    dir: &Path,
    keep: &Keep,
    now: Timestamp,
    pace: &mut Pace<'_>,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    if *keep == Keep::default() {
        return Ok(());
    }
    let (mut db, failed) = open(&ledger::SCHEMA, dir)?;
    let last = hour(now) - LEAST_HOURS;
    if let Some(age) = keep.age {
        let end = hour(before(now, age)).min(last);
        delete_hours(&mut db, end, pace, &mut swept.ledger).map_err(&failed)?;
    }
    let Some(most) = keep.bytes else {
        return Ok(());
    };
    while live_bytes(&db).map_err(&failed)? > most {
        let Some(oldest) = oldest_hour(&db)
            .map_err(&failed)?
            .filter(|hour| *hour < last)
        else {
            break;
        };
        if !delete_hours(&mut db, oldest + 1, pace, &mut swept.ledger).map_err(&failed)? {
            break;
        }
    }
    Ok(())
}

fn hour(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(3_600)
}

fn oldest_hour(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT exchange FROM ledger ORDER BY exchange LIMIT 1";
    db.query_row(sql, [], |row| {
        Ok(hour_of(ExchangeId::from_bytes(row.get(0)?)))
    })
    .optional()
}

/// Deletes every row of hours before `end`. Returns whether it could finish.
fn delete_hours(
    db: &mut Connection,
    end: i64,
    pace: &mut Pace<'_>,
    count: &mut u64,
) -> rusqlite::Result<bool> {
    if oldest_hour(db)?.is_none_or(|oldest| oldest >= end) {
        return Ok(true);
    }
    let sql = "INSERT INTO retention VALUES (1, ?1) ON CONFLICT DO UPDATE SET kept_from = MAX(kept_from, ?1)";
    db.execute(sql, [end])?;
    let end = ExchangeId::floor_at(Timestamp::from_millis(end * 3_600_000));
    delete_before(db, "ledger", end, pace, count)
}

/// Deletes every row before `end`. Returns whether it could finish.
fn delete_before(
    db: &mut Connection,
    table: &str,
    end: ExchangeId,
    pace: &mut Pace<'_>,
    count: &mut u64,
) -> rusqlite::Result<bool> {
    loop {
        match pace.portion(|rows| delete(db, table, end, rows))? {
            None => return Ok(false),
            Some(0) => return Ok(true),
            Some(rows) => *count += rows,
        }
    }
}

/// Deletes the rows of about the first `rows` exchanges, as far as they stand before `end`.
fn delete(db: &mut Connection, table: &str, end: ExchangeId, rows: usize) -> rusqlite::Result<u64> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (end, rows) = (end.to_bytes(), i64::try_from(rows).unwrap_or(i64::MAX));
    let find = format!(
        "SELECT exchange FROM {table} WHERE exchange < ?1 ORDER BY exchange LIMIT 1 OFFSET ?2"
    );
    let upto: Option<[u8; 16]> = transaction
        .prepare_cached(&find)?
        .query_row(params![end, rows], |row| row.get(0))
        .optional()?;
    let sql = format!("DELETE FROM {table} WHERE exchange < ?1");
    let deleted = transaction
        .prepare_cached(&sql)?
        .execute([upto.unwrap_or(end)])?;
    transaction.commit()?;
    Ok(deleted as u64)
}

/// The audit, by age. By whole days: what goes is told in a row, and a row for each round of each day would be as many
/// as what goes.
pub(super) fn audit(
    control: &Control,
    keep: &Keep,
    now: Timestamp,
    pace: &mut Pace<'_>,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    let Some(age) = keep.age else { return Ok(()) };
    let before = before(now, age).as_micros();
    let day = Timestamp::from_micros(before - before.rem_euclid(DAY_MICROS));
    loop {
        let gone = pace.portion(|_| control.expire_audit(day, AUDIT_ROWS))?;
        swept.audit += gone.unwrap_or_default();
        if gone.is_none_or(|gone| gone < AUDIT_ROWS as u64) {
            return Ok(());
        }
    }
}

fn open(
    schema: &Schema,
    dir: &Path,
) -> Result<(Connection, impl Fn(rusqlite::Error) -> StoreError + use<>), StoreError> {
    let path = schema.path(dir);
    let failed = move |error| StoreError::sql(&path)(error);
    Ok((schema.open(dir)?, failed))
}
