//! The proof that the books agree: Σ ledger = Σ rollup, and no exchange is booked in two ways.
//!
//! Reads every ledger row; repairs nothing. Invariant: both sides are read in one snapshot.

use std::collections::BTreeMap;

use lintel_types::{ExchangeId, Meter, Money};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::Queries;
use super::sums::{LEDGER_SUMS, Sums, rollup_sums};
use crate::error::StoreError;
use crate::projection::rollup::hour_of;

/// Everything that was booked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Exchanges that were dispatched.
    pub requests: u64,
    /// Attempts.
    pub attempts: u64,
    /// Exchanges without a settlement.
    pub orphans: u64,
    /// Attempts booked by estimate.
    pub estimated: u64,
    /// Quantities.
    pub meters: BTreeMap<Meter, u64>,
    /// Cost.
    pub cost: Money,
}

impl From<Sums> for Totals {
    fn from(s: Sums) -> Self {
        Self {
            requests: s.requests,
            attempts: s.attempts,
            orphans: s.orphans,
            estimated: s.estimated,
            meters: s.meters,
            cost: s.cost,
        }
    }
}

/// What [`Queries::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Rows of the ledger.
    pub rows: u64,
    /// Sum over the ledger.
    pub ledger: Totals,
    /// Sum over the rollup.
    pub rollup: Totals,
    /// Hours and tenants whose sums differ, as `hour tenant`; hours since the epoch. At most 100.
    pub differences: Vec<String>,
    /// Exchanges that have both a settlement and an orphan.
    pub conflicts: u64,
    /// Records that could not be decoded and are not booked.
    pub unreadable: u64,
}

impl Verification {
    /// Whether the books agree.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
            && self.ledger == self.rollup
            && self.conflicts == 0
            && self.unreadable == 0
    }
}

const CONFLICTS: &str = "SELECT COUNT(*) FROM ledger o WHERE o.kind = 'orphan'
  AND EXISTS (SELECT 1 FROM ledger s WHERE s.exchange = o.exchange AND s.kind = 'settlement')";

type ByHourAndTenant = BTreeMap<(i64, String), Sums>;

impl Queries {
    /// Everything that was booked, from the rollup.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        let db = self.ledger()?;
        let sql = format!("SELECT {} FROM rollup", rollup_sums());
        let sums = db.query_row(&sql, [], |row| Sums::from_rollup(row, 0));
        sums.map(Totals::from).map_err(self.ledger_error())
    }

    /// Adds up the whole ledger and compares it with the rollup, hour by hour and tenant by tenant.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        let mut db = self.ledger()?;
        let verified = db.transaction().and_then(|snapshot| verify(&snapshot));
        verified.map_err(self.ledger_error())
    }
}

/// The hour from which on no row of the ledger was deleted.
pub(super) fn kept_from(db: &Connection) -> rusqlite::Result<i64> {
    let kept = db
        .query_row("SELECT kept_from FROM retention", [], |row| row.get(0))
        .optional()?;
    Ok(kept.unwrap_or(i64::MIN))
}

fn verify(db: &Connection) -> rusqlite::Result<Verification> {
    // Of hours before this one retention has deleted rows: there the sums are all that is left.
    let from = kept_from(db)?;
    let (rows, ledger) = ledger(db, from)?;
    let rollup = rollup(db, from)?;
    let keys = ledger
        .keys()
        .chain(rollup.keys().filter(|k| !ledger.contains_key(*k)));
    let differs = |key: &&(i64, String)| ledger.get(*key) != rollup.get(*key);
    let differences = keys
        .filter(differs)
        .take(100)
        .map(|(hour, tenant)| format!("{hour} {tenant}"))
        .collect();
    let total = |by: &ByHourAndTenant| {
        let mut sum = Sums::default();
        by.values().for_each(|s| sum.add(s));
        Totals::from(sum)
    };
    let count = |sql: &str| {
        db.query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(Verification {
        rows,
        ledger: total(&ledger),
        rollup: total(&rollup),
        differences,
        conflicts: count(CONFLICTS)?,
        unreadable: count("SELECT COUNT(*) FROM unreadable")?,
    })
}

fn ledger(db: &Connection, from: i64) -> rusqlite::Result<(u64, ByHourAndTenant)> {
    let (mut rows, mut sums) = (0, ByHourAndTenant::new());
    let mut statement = db.prepare(&format!(
        "SELECT exchange, tenant, {LEDGER_SUMS} FROM ledger"
    ))?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let hour = hour_of(ExchangeId::from_bytes(row.get(0)?));
        if hour < from {
            continue;
        }
        sums.entry((hour, row.get(1)?))
            .or_default()
            .add_ledger(row, 2)?;
        rows += 1;
    }
    Ok((rows, sums))
}

fn rollup(db: &Connection, from: i64) -> rusqlite::Result<ByHourAndTenant> {
    let mut statement = db.prepare(&format!(
        "SELECT hour, tenant, {} FROM rollup WHERE hour >= ?1 GROUP BY 1, 2",
        rollup_sums()
    ))?;
    let sums = statement.query_map([from], |row| {
        Ok(((row.get(0)?, row.get(1)?), Sums::from_rollup(row, 2)?))
    })?;
    sums.collect()
}
