//! Usage: what was used and what it cost, by any dimensions, between any two instants.
//!
//! Decides which hours come from the rollup and which rows from the ledger. Invariant: the answer is exact
//! to the millisecond: whole hours are read from the rollup, the rest of the first and last from the ledger itself.

use std::collections::BTreeMap;

use lintel_types::time::civil_from_days;
use lintel_types::{ExchangeId, Meter, Money, Timestamp};
use rusqlite::{Connection, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};

use super::Queries;
use super::sums::{LEDGER_SUMS, Sums, rollup_sums};
use super::verify::kept_from;
use crate::error::StoreError;

/// What usage can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The tenant.
    Tenant,
    /// The tenant's project.
    Project,
    /// The key's id.
    Key,
    /// `x-lintel-feature`; empty when none was given.
    Feature,
    /// `x-lintel-user`; empty when none was given.
    User,
    /// The route.
    Route,
    /// The provider.
    Provider,
    /// The model at the provider.
    Model,
    /// Why the attempt was made.
    Leg,
    /// The day in UTC, `2026-11-24`.
    Day,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Dimension; 10] = [
        Dimension::Tenant,
        Dimension::Project,
        Dimension::Key,
        Dimension::Feature,
        Dimension::User,
        Dimension::Route,
        Dimension::Provider,
        Dimension::Model,
        Dimension::Leg,
        Dimension::Day,
    ];

    /// The name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Dimension::Tenant => "tenant",
            Dimension::Project => "project",
            Dimension::Key => "key",
            Dimension::Feature => "feature",
            Dimension::User => "user",
            Dimension::Route => "route",
            Dimension::Provider => "provider",
            Dimension::Model => "model",
            Dimension::Leg => "leg",
            Dimension::Day => "day",
        }
    }

    /// The dimension of this name.
    pub fn by_name(name: &str) -> Option<Dimension> {
        Dimension::ALL.into_iter().find(|d| d.name() == name)
    }

    /// In the rollup.
    const fn in_rollup(self) -> &'static str {
        match self {
            Dimension::Day => "date(hour * 3600, 'unixepoch')",
            column => column.name(),
        }
    }

    /// In the ledger; the day of the rows that are read is bound by the caller.
    const fn in_ledger(self) -> &'static str {
        match self {
            Dimension::Day => "?1",
            column => column.name(),
        }
    }
}

/// A question about usage. An exchange belongs to the instant at which its id was made.
#[derive(Debug, Clone, Default)]
pub struct UsageQuery {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Told apart by these, in this order; none gives one row.
    pub by: Vec<Dimension>,
    /// This tenant's only.
    pub tenant: Option<String>,
}

/// Usage of one combination of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageRow {
    /// Values of the dimensions, in the order of the question.
    pub dims: Vec<String>,
    /// Exchanges, each counted where its last attempt went.
    pub requests: u64,
    /// Attempts.
    pub attempts: u64,
    /// Exchanges that a crash left without a settlement, booked by estimate.
    pub orphans: u64,
    /// Attempts booked by estimate, orphans included.
    pub estimated: u64,
    /// Quantities; a meter that counted nothing is absent.
    pub meters: BTreeMap<Meter, u64>,
    /// What it cost.
    pub cost: Money,
}

const HOUR_MS: i64 = 3_600_000;
/// The last millisecond that an exchange id can hold.
const END_MS: i64 = (1 << 48) - 1;

impl Queries {
    /// Usage by the dimensions of `query`, in ascending order of their values.
    pub fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        let mut db = self.ledger()?;
        let snapshot = db.transaction().map_err(self.ledger_error())?;
        let kept_from = kept_from(&snapshot).map_err(self.ledger_error())?;
        refuse_lost("since", query.since, kept_from)?;
        refuse_lost("until", query.until, kept_from)?;
        let rows = read(&snapshot, query).map_err(self.ledger_error())?;
        let row = |(dims, s): (Vec<String>, Sums)| UsageRow {
            dims,
            requests: s.requests,
            attempts: s.attempts,
            orphans: s.orphans,
            estimated: s.estimated,
            meters: s.meters,
            cost: s.cost,
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

/// Refuses a bound inside an hour of which retention has left nothing but the sum.
fn refuse_lost(
    what: &'static str,
    bound: Option<Timestamp>,
    kept_from: i64,
) -> Result<(), StoreError> {
    let inside = bound.filter(|at| at.as_millis().rem_euclid(HOUR_MS) != 0);
    match inside.filter(|at| at.as_millis().div_euclid(HOUR_MS) < kept_from) {
        None => Ok(()),
        Some(at) => Err(StoreError::Invalid {
            what,
            value: at.to_string(),
            why: "lies inside an hour whose rows retention has deleted: their sum is left, so give a full hour",
        }),
    }
}

type Rows = BTreeMap<Vec<String>, Sums>;

fn read(db: &Connection, query: &UsageQuery) -> rusqlite::Result<Rows> {
    let mut rows = Rows::new();
    let since = query.since.map_or(0, |t| t.as_millis().clamp(0, END_MS));
    let until = query
        .until
        .map_or(END_MS, |t| t.as_millis().clamp(0, END_MS));
    let first_whole = since.div_euclid(HOUR_MS) + i64::from(since.rem_euclid(HOUR_MS) != 0);
    let end_whole = until.div_euclid(HOUR_MS);
    let head_end = until.min(first_whole * HOUR_MS);
    let tail_start = head_end.max(end_whole * HOUR_MS);
    from_ledger(db, query, since, head_end, &mut rows)?;
    if first_whole < end_whole {
        from_rollup(db, query, first_whole, end_whole, &mut rows)?;
    }
    from_ledger(db, query, tail_start, until, &mut rows)?;
    Ok(rows)
}

fn from_rollup(
    db: &Connection,
    query: &UsageQuery,
    first_hour: i64,
    end_hour: i64,
    rows: &mut Rows,
) -> rusqlite::Result<()> {
    let columns: String = query
        .by
        .iter()
        .map(|d| format!("{}, ", d.in_rollup()))
        .collect();
    let groups: Vec<String> = (1..=query.by.len()).map(|n| n.to_string()).collect();
    let grouped = if groups.is_empty() {
        "HAVING SUM(attempts) IS NOT NULL".to_owned()
    } else {
        format!("GROUP BY {}", groups.join(", "))
    };
    let of_tenant = if query.tenant.is_some() {
        "AND tenant = ?3"
    } else {
        ""
    };
    let sums = rollup_sums();
    let sql = format!(
        "SELECT {columns}{sums} FROM rollup WHERE hour >= ?1 AND hour < ?2 {of_tenant} {grouped}"
    );
    let bounds = [Value::Integer(first_hour), Value::Integer(end_hour)];
    let mut statement = db.prepare(&sql)?;
    let mut found = statement.query(params_from_iter(
        bounds
            .into_iter()
            .chain(query.tenant.clone().map(Value::Text)),
    ))?;
    while let Some(row) = found.next()? {
        let dims = dimensions(row, query.by.len())?;
        rows.entry(dims)
            .or_default()
            .add(&Sums::from_rollup(row, query.by.len())?);
    }
    Ok(())
}

/// Adds the exchanges made from `since` to before `until`: milliseconds of one hour, hence of one day.
fn from_ledger(
    db: &Connection,
    query: &UsageQuery,
    since: i64,
    until: i64,
    rows: &mut Rows,
) -> rusqlite::Result<()> {
    if since >= until {
        return Ok(());
    }
    let columns: String = query
        .by
        .iter()
        .map(|d| format!("{}, ", d.in_ledger()))
        .collect();
    let of_tenant = if query.tenant.is_some() {
        "AND tenant = ?4"
    } else {
        ""
    };
    let sql = format!(
        "SELECT {columns}{LEDGER_SUMS} FROM ledger WHERE exchange >= ?2 AND exchange < ?3 AND ?1 IS NOT NULL {of_tenant}"
    );
    let key = |ms| {
        Value::Blob(
            ExchangeId::floor_at(Timestamp::from_millis(ms))
                .to_bytes()
                .to_vec(),
        )
    };
    let bounds = [Value::Text(day_of(since)), key(since), key(until)];
    let mut statement = db.prepare(&sql)?;
    let mut found = statement.query(params_from_iter(
        bounds
            .into_iter()
            .chain(query.tenant.clone().map(Value::Text)),
    ))?;
    while let Some(row) = found.next()? {
        let dims = dimensions(row, query.by.len())?;
        rows.entry(dims)
            .or_default()
            .add_ledger(row, query.by.len())?;
    }
    Ok(())
}

fn dimensions(row: &rusqlite::Row<'_>, count: usize) -> rusqlite::Result<Vec<String>> {
    (0..count).map(|i| row.get(i)).collect()
}

fn day_of(ms: i64) -> String {
    let (year, month, day) = civil_from_days(ms.div_euclid(24 * HOUR_MS));
    format!("{year:04}-{month:02}-{day:02}")
}
