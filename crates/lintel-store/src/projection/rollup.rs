//! The rollup: the ledger's sums by hour and dimension, so that a usage query over millions of rows reads thousands.
//!
//! Knows no record. Invariant: Σ rollup = Σ ledger, for both move in one transaction and only by rows that were really added.

use std::collections::HashMap;
use std::sync::Arc;

use lintel_types::{ExchangeId, Meter, MeterLine};
use rusqlite::{Transaction, params_from_iter, types::Value};

use super::ledger::Row;

/// An absent feature, user or route is the empty text. `hour` counts from the epoch, by the exchange id's
/// time, so that a bound in time is a bound on the ledger's key too.
pub(super) const ROLLUP_TABLE: &str = "
CREATE TABLE rollup(
  hour INTEGER NOT NULL, tenant TEXT NOT NULL, project TEXT NOT NULL, key TEXT NOT NULL, feature TEXT NOT NULL, user TEXT NOT NULL,
  route TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, leg TEXT NOT NULL,
  requests INTEGER NOT NULL, attempts INTEGER NOT NULL, orphans INTEGER NOT NULL, estimated INTEGER NOT NULL, cost INTEGER NOT NULL,
  input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  input_audio INTEGER NOT NULL, input_image INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL,
  output_audio INTEGER NOT NULL, output_image INTEGER NOT NULL, web_search INTEGER NOT NULL, request INTEGER NOT NULL,
  PRIMARY KEY (hour, tenant, project, key, feature, user, route, provider, model, leg)
) WITHOUT ROWID;
";

const UPSERT: &str = "
INSERT INTO rollup VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, attempts = attempts + excluded.attempts,
  orphans = orphans + excluded.orphans, estimated = estimated + excluded.estimated, cost = cost + excluded.cost,
  input = input + excluded.input, cache_read = cache_read + excluded.cache_read, cache_write_5m = cache_write_5m + excluded.cache_write_5m,
  cache_write_1h = cache_write_1h + excluded.cache_write_1h, input_audio = input_audio + excluded.input_audio,
  input_image = input_image + excluded.input_image, output = output + excluded.output, reasoning = reasoning + excluded.reasoning,
  output_audio = output_audio + excluded.output_audio, output_image = output_image + excluded.output_image,
  web_search = web_search + excluded.web_search, request = request + excluded.request";

/// Number of meters: the table has one column for each.
pub(crate) const METERS: usize = Meter::ALL.len();

/// The hour in which an exchange is counted.
pub(crate) fn hour_of(exchange: ExchangeId) -> i64 {
    exchange.made_at().as_secs().div_euclid(3_600)
}

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
#[derive(Default)]
pub(super) struct Rollup {
    sums: HashMap<Dimensions, Sums>,
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
            .for_each(|(sum, n)| *sum += n);
        sums.cost = sums.cost.saturating_add(addition.cost);
        for line in addition.lines {
            if let Some(meter) = sums.meters.get_mut(line.meter as usize) {
                *meter = meter.saturating_add(line.quantity);
            }
        }
    }

    /// Adds the batch's sums to the table.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut upsert = transaction.prepare_cached(UPSERT)?;
        for (d, sums) in self.sums.drain() {
            let text = |t: &str| Value::Text(t.to_owned());
            let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meter_has_its_column_in_its_place() {
        let columns: Vec<&str> = ROLLUP_TABLE
            .split(['\n', ','])
            .filter_map(|c| c.trim().strip_suffix(" INTEGER NOT NULL"))
            .collect();
        let names = Meter::ALL.map(Meter::name);
        assert_eq!(columns[columns.len() - METERS..], names);
        for (index, meter) in Meter::ALL.into_iter().enumerate() {
            assert_eq!(meter as usize, index);
            assert!(UPSERT.contains(&format!("{0} = {0} + excluded.{0}", meter.name())));
        }
    }
}
