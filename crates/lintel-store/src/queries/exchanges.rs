//! The request log read back: one exchange by its id, or the latest that match.
//!
//! Knows no sum. Invariant: exchanges come newest first, and a page ends where the next one's `before` begins.

use lintel_types::{ExchangeId, Record, Timestamp};
use rusqlite::{OptionalExtension, Row, params_from_iter, types::Value};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Queries;
use crate::error::StoreError;

/// Rows that one page holds at most.
const PAGE: usize = 1_000;

/// A question to the request log.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// This tenant's only.
    pub tenant: Option<String>,
    /// Of this route only.
    pub route: Option<String>,
    /// With this outcome only: [`lintel_types::Outcome::name`], or `orphaned`.
    pub outcome: Option<String>,
    /// Made at or after this instant.
    pub since: Option<Timestamp>,
    /// Made before this exchange: the last one of the former page.
    pub before: Option<ExchangeId>,
    /// At most this many; 1,000 at most.
    pub limit: usize,
}

/// One exchange of the request log.
#[derive(Debug, Clone, Serialize)]
pub struct LogRow {
    /// The exchange.
    pub exchange: ExchangeId,
    /// Whose.
    pub tenant: String,
    /// The route; empty when none was known.
    pub route: String,
    /// How it ended, or `orphaned`.
    pub outcome: String,
    /// The HTTP status sent; 0 when none was.
    pub status: u16,
    /// The record as it stood in the journal, `kind` being `settled` or `orphaned`.
    pub record: Box<RawValue>,
}

impl LogRow {
    /// The record, decoded.
    pub fn decode(&self) -> Result<Record, StoreError> {
        Ok(serde_json::from_str(self.record.get())?)
    }
}

const COLUMNS: &str = "exchange, tenant, route, outcome, status, record";

impl Queries {
    /// One exchange; none when it is unknown or not projected yet.
    pub fn exchange(&self, exchange: ExchangeId) -> Result<Option<LogRow>, StoreError> {
        let db = self.log()?;
        let sql = format!("SELECT {COLUMNS} FROM log WHERE exchange = ?1");
        let found = db
            .query_row(&sql, [exchange.to_bytes()], log_row)
            .optional();
        found.map_err(self.log_error())
    }

    /// The exchanges that match, newest first. Filters are looked at row by row, newest first: a rare
    /// match far back takes a scan, which `since` bounds.
    pub fn exchanges(&self, query: &LogQuery) -> Result<Vec<LogRow>, StoreError> {
        let mut sql = format!("SELECT {COLUMNS} FROM log WHERE 1");
        let mut values = Vec::new();
        let mut only = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(condition);
                values.push(value);
            }
        };
        let key = |id: ExchangeId| Value::Blob(id.to_bytes().to_vec());
        only(
            " AND exchange >= ?",
            query.since.map(ExchangeId::floor_at).map(key),
        );
        only(" AND exchange < ?", query.before.map(key));
        only(" AND tenant = ?", query.tenant.clone().map(Value::Text));
        only(" AND route = ?", query.route.clone().map(Value::Text));
        only(" AND outcome = ?", query.outcome.clone().map(Value::Text));
        only(
            " ORDER BY exchange DESC LIMIT ?",
            Some(Value::Integer(query.limit.min(PAGE) as i64)),
        );
        let db = self.log()?;
        let read = || {
            db.prepare(&sql)?
                .query_map(params_from_iter(values), log_row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.log_error())
    }
}

fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let text: String = String::from_utf8_lossy(row.get_ref(5)?.as_blob()?).into_owned();
    let unreadable =
        |e| rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Blob, Box::new(e));
    Ok(LogRow {
        exchange: ExchangeId::from_bytes(row.get(0)?),
        tenant: row.get(1)?,
        route: row.get(2)?,
        outcome: row.get(3)?,
        status: row.get(4)?,
        record: RawValue::from_string(text).map_err(unreadable)?,
    })
}
