//! The rollup: the ledger's sums by hour and dimension, so that a usage query over millions of rows reads thousands.
//!
//! Knows no record. Invariants: Σ rollup = Σ ledger, for both move in one transaction and only by
//! rows that were really added; sums saturate and stay integers, whatever a provider claims to have counted.

use std::collections::HashMap;
use std::sync::Arc;

use lintel_types::{ExchangeId, Meter, MeterLine};
use rusqlite::{Transaction, params_from_iter, types::Value};

use super::ledger::Row;

const INSERT: &str = "INSERT INTO rollup VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET ";
/// Columns that count up by rows.
pub(crate) const COUNTS: [&str; 4] = ["requests", "attempts", "orphans", "estimated"];

/// The statement that adds a row to the table. An integer sum that overflows becomes a REAL in SQLite,
/// and stays one: every sum is brought back to the nearest integer, also one that has become a REAL before.
fn upsert() -> String {
    let least = -i64::MAX;
    let most = i64::MAX;
    let grown = COUNTS
        .into_iter()
        .chain(Meter::ALL.map(Meter::name))
        .map(|column| format!("{column} = MIN({most}, {column} + excluded.{column})"));
    let cost = format!("cost = MAX({least}, MIN({most}, cost + excluded.cost))");
    let sets: Vec<String> = grown.chain([cost]).collect();
    format!("{INSERT}{}", sets.join(", "))
}

/// Number of meters: the table has one column for each.
pub(crate) const METERS: usize = Meter::ALL.len();

/// The hour in which an exchange is counted.
pub(crate) fn hour_of(exchange: ExchangeId) -> i64 {
    exchange.made_at().as_secs().div_euclid(3_600)
}

/// The largest sum that the table can hold.
pub(crate) const MOST: u64 = i64::MAX as u64;

/// What one ledger row adds.
pub(super) struct Addition<'a> {
    pub(super) requests: u64,
    pub(super) attempts: u64,
    pub(super) orphans: u64,
    pub(super) estimated: u64,
    /// Nano-dollars.
    pub(super) cost: i64,
    pub(super) lines: &'a [MeterLine],
}

#[derive(PartialEq, Eq, Hash)]
struct Dimensions {
    hour: i64,
    tenant: Arc<str>,
    project: Arc<str>,
    key: Arc<str>,
    feature: Option<Arc<str>>,
    user: Option<Arc<str>>,
    route: Option<Arc<str>>,
    provider: Arc<str>,
    model: Arc<str>,
    leg: &'static str,
}

#[derive(Default)]
struct Sums {
    /// Requests, attempts, orphans, estimated.
    counts: [u64; 4],
    cost: i64,
    meters: [u64; METERS],
}

/// The additions of one batch, by dimensions.
pub(super) struct Rollup {
    sums: HashMap<Dimensions, Sums>,
    upsert: String,
}

impl Default for Rollup {
    fn default() -> Self {
        Self {
            sums: HashMap::new(),
            upsert: upsert(),
        }
    }
}

impl Rollup {
    pub(super) fn clear(&mut self) {
        self.sums.clear();
    }

    pub(super) fn add(&mut self, row: &Row<'_>, addition: &Addition<'_>) {
        let dimensions = Dimensions {
            hour: hour_of(row.exchange),
            tenant: Arc::clone(&row.who.tenant),
            project: Arc::clone(&row.who.project),
            key: Arc::clone(&row.who.key),
            feature: row.who.feature.clone(),
            user: row.who.user.clone(),
            route: row.route.map(Arc::clone),
            provider: Arc::clone(row.provider),
            model: Arc::clone(row.model),
            leg: row.leg,
        };
        let sums = self.sums.entry(dimensions).or_default();
        let more = [
            addition.requests,
            addition.attempts,
            addition.orphans,
            addition.estimated,
        ];
        sums.counts
            .iter_mut()
            .zip(more)
            .for_each(|(sum, n)| *sum = sum.saturating_add(n));
        sums.cost = sums.cost.saturating_add(addition.cost);
        for line in addition.lines {
            if let Some(meter) = sums.meters.get_mut(line.meter as usize) {
                *meter = meter.saturating_add(line.quantity).min(MOST);
            }
        }
    }

    /// Adds the batch's sums to the table.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut upsert = transaction.prepare_cached(&self.upsert)?;
        for (d, sums) in self.sums.drain() {
            let text = |t: &str| Value::Text(t.to_owned());
            let number = |n: u64| Value::Integer(n.min(MOST) as i64);
            let optional = |t: &Option<Arc<str>>| text(t.as_deref().unwrap_or_default());
            let who = [
                text(&d.tenant),
                text(&d.project),
                text(&d.key),
                optional(&d.feature),
                optional(&d.user),
            ];
            let what = [
                optional(&d.route),
                text(&d.provider),
                text(&d.model),
                text(d.leg),
            ];
            let values = std::iter::once(Value::Integer(d.hour))
                .chain(who)
                .chain(what);
            let counts = sums
                .counts
                .into_iter()
                .map(number)
                .chain([Value::Integer(sums.cost)]);
            upsert.execute(params_from_iter(
                values
                    .chain(counts)
                    .chain(sums.meters.into_iter().map(number)),
            ))?;
        }
        Ok(())
    }
}

/// Gives a tenant's sums of an hour to `other`, under one key of nobody's: same sums, fewer dimensions.
pub(crate) fn move_rows(
    transaction: &Transaction<'_>,
    hour: i64,
    tenant: &str,
    other: &str,
) -> rusqlite::Result<()> {
    let columns: Vec<&str> = COUNTS
        .into_iter()
        .chain(["cost"])
        .chain(Meter::ALL.map(Meter::name))
        .collect();
    let columns = columns.join(", ");
    let select = format!(
        "SELECT hour, ?3, '', '', '', '', route, provider, model, leg, {columns} FROM rollup WHERE hour = ?1 AND tenant = ?2"
    );
    let upsert = upsert();
    let (_, sets) = upsert.split_once(" ON CONFLICT").unwrap_or_default();
    // `WHERE` above keeps SQLite from taking `ON` for a join's.
    let sql = format!("INSERT INTO rollup {select} ON CONFLICT{sets}");
    transaction.execute(&sql, rusqlite::params![hour, tenant, other])?;
    transaction.execute(
        "DELETE FROM rollup WHERE hour = ?1 AND tenant = ?2",
        rusqlite::params![hour, tenant],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meter_has_its_column_in_its_place() {
        let table = include_str!("../../migrations/ledger/0003-rollup.sql");
        let columns: Vec<&str> = table
            .split(['\n', ','])
            .filter_map(|c| c.trim().strip_suffix(" INTEGER NOT NULL"))
            .collect();
        let names = Meter::ALL.map(Meter::name);
        assert_eq!(columns[columns.len() - METERS..], names);
        for (index, meter) in Meter::ALL.into_iter().enumerate() {
            assert_eq!(meter as usize, index);
        }
    }
}
