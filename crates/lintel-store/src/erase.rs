//! Erasing a tenant's rows: the request log's for good, the ledger's or what of them points at somebody.
//!
//! Decides what stays of the money. Knows no key. Runs beside the projection, hour by hour, each hour one transaction:
//! a reader sees an hour as it was or as it will be, and Σ ledger = Σ rollup in every snapshot. Whatever is interrupted
//! is done by the next run: what is done holds no row of the tenant any more.

use std::path::Path;

use lintel_types::{ExchangeId, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::database::Schema;
use crate::error::StoreError;
use crate::projection::rollup::move_rows;
use crate::projection::{ledger, log};

/// Rows of the request log that are looked at in one transaction.
const AT_ONCE: i64 = 5_000;

/// What was erased, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Rows of the request log.
    pub exchanges: u64,
    /// Rows of the ledger.
    pub ledger_rows: u64,
    /// Provider-side objects.
    pub objects: u64,
}

/// What happens to the ledger's rows.
#[derive(Debug, Clone, Copy)]
pub enum Money<'a> {
    /// They stay, under a name that is nobody's, without key, project, feature, user and session; their exchange ids and
    /// times keep the hour alone. `salt` is random, and thrown away afterwards.
    Kept {
        /// The name.
        pseudonym: &'a str,
        /// Makes ids that nobody can lead back.
        salt: [u8; 16],
    },
    /// They go.
    Deleted,
}

/// Erases the rows of `tenant` in `dir`. Blocks for as long as it takes.
pub fn erase_rows(dir: &Path, tenant: &str, money: Money<'_>) -> Result<Erased, StoreError> {
    let (ledger_rows, objects) = in_ledger(dir, tenant, money)?;
    let exchanges = in_log(dir, tenant)?;
    Ok(Erased {
        exchanges,
        ledger_rows,
        objects,
    })
}

/// Writes both databases anew without what was deleted, and empties their write-ahead logs: the bytes are gone from the
/// files. Takes as much disk again as they hold, and holds up the projection (never a call) while it runs.
pub fn compact_after(dir: &Path) -> Result<(), StoreError> {
    for schema in [&ledger::SCHEMA, &log::SCHEMA] {
        let db = schema.open(dir)?;
        let failed = || StoreError::sql(schema.path(dir));
        db.execute_batch("VACUUM").map_err(failed())?;
        empty_wal(&db).map_err(failed())?;
    }
    Ok(())
}

/// A reader may hold the log for a moment: it is asked a few times.
fn empty_wal(db: &Connection) -> rusqlite::Result<()> {
    for _ in 0..50 {
        let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
        Some("the write-ahead log is being read".to_owned()),
    ))
}

fn open(dir: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let db = schema.open(dir)?;
    let failed = StoreError::sql(schema.path(dir));
    db.pragma_update(None, "secure_delete", true)
        .map_err(failed)?;
    Ok(db)
}

fn in_ledger(dir: &Path, tenant: &str, money: Money<'_>) -> Result<(u64, u64), StoreError> {
    let mut db = open(dir, &ledger::SCHEMA)?;
    let failed = || StoreError::sql(ledger::SCHEMA.path(dir));
    let mut rows = 0;
    while let Some(hour) = next_hour(&db, tenant).map_err(failed())? {
        let mut one = || {
            let t = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = one_hour(&t, tenant, hour, money)?;
            t.commit()?;
            Ok(done)
        };
        rows += one().map_err(failed())?;
    }
    let rest = || {
        let sql = "DELETE FROM unreadable WHERE instr(payload, CAST(?1 AS BLOB)) > 0";
        db.execute(
            sql,
            [serde_json::json!({ "tenant": tenant })
                .to_string()
                .trim_matches(['{', '}'])],
        )?;
        db.execute("DELETE FROM resources WHERE tenant = ?1", [tenant])
    };
    let objects = rest().map_err(failed())?;
    Ok((rows, objects as u64))
}

fn next_hour(db: &Connection, tenant: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT MIN(hour) FROM rollup WHERE tenant = ?1";
    db.query_row(sql, [tenant], |row| row.get(0))
}

/// Row key: exchange, attempt, kind, sequence.
type RowKey = ([u8; 16], i64, String, i64);

fn one_hour(
    t: &Transaction<'_>,
    tenant: &str,
    hour: i64,
    money: Money<'_>,
) -> rusqlite::Result<u64> {
    let bound = |hour: i64| {
        let start = Timestamp::from_micros(hour.saturating_mul(3_600_000_000));
        ExchangeId::floor_at(start).to_bytes()
    };
    let (from, to) = (bound(hour), bound(hour + 1));
    let Money::Kept { pseudonym, salt } = money else {
        let sql = "DELETE FROM ledger WHERE exchange >= ?1 AND exchange < ?2 AND tenant = ?3";
        let rows = t.execute(sql, params![from, to, tenant])?;
        t.execute(
            "DELETE FROM rollup WHERE hour = ?1 AND tenant = ?2",
            params![hour, tenant],
        )?;
        return Ok(rows as u64);
    };
    let sql = "SELECT exchange, attempt, kind, sequence FROM ledger WHERE exchange >= ?1 AND exchange < ?2 AND tenant = ?3";
    let key = |row: &rusqlite::Row<'_>| {
        Ok::<RowKey, _>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    let keys: Vec<RowKey> = t
        .prepare(sql)?
        .query_map(params![from, to, tenant], key)?
        .collect::<rusqlite::Result<_>>()?;
    let mut update = t.prepare(
        "UPDATE ledger SET exchange = ?5, at = ?6, tenant = ?7, project = '', key = '', feature = '', user = '', session = '',
           release = NULL, prompt_version = NULL, experiment = NULL, policy_hash = NULL
         WHERE exchange = ?1 AND attempt = ?2 AND kind = ?3 AND sequence = ?4",
    )?;
    let at = hour.saturating_mul(3_600_000_000);
    for (exchange, attempt, kind, sequence) in &keys {
        let other = within_hour(&from, &salt, exchange);
        update.execute(params![
            exchange, attempt, kind, sequence, other, at, pseudonym
        ])?;
    }
    move_rows(t, hour, tenant, pseudonym)?;
    Ok(keys.len() as u64)
}

/// An id of the same hour that says nothing else of the one before. One exchange's attempts stay together.
fn within_hour(hour: &[u8; 16], salt: &[u8; 16], exchange: &[u8; 16]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(exchange)
        .finalize();
    let mut id = *hour;
    // The first 48 bits are the time.
    for (slot, byte) in id.iter_mut().skip(6).zip(digest) {
        *slot = byte;
    }
    id
}

fn in_log(dir: &Path, tenant: &str) -> Result<u64, StoreError> {
    let mut db = open(dir, &log::SCHEMA)?;
    let mut erase = || {
        let (mut after, mut rows) = (Vec::new(), 0);
        loop {
            let t = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "SELECT MAX(exchange) FROM (SELECT exchange FROM log WHERE exchange > ?1 ORDER BY exchange LIMIT ?2)";
            let upto: Option<Vec<u8>> =
                t.query_row(sql, params![after, AT_ONCE], |row| row.get(0))?;
            let Some(upto) = upto else {
                return Ok(rows);
            };
            let sql = "DELETE FROM log WHERE exchange > ?1 AND exchange <= ?2 AND tenant = ?3";
            rows += t.execute(sql, params![after, upto, tenant])? as u64;
            t.commit()?;
            after = upto;
        }
    };
    erase().map_err(StoreError::sql(log::SCHEMA.path(dir)))
}

#[cfg(test)]
mod tests;
