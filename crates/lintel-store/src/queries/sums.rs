//! What ledger rows and rollup rows add up to: the same sums, whichever table they come from.
//!
//! Knows no question. Invariant: adding a ledger row here adds what the projection added to the rollup.

use std::collections::BTreeMap;

use lintel_types::{Meter, MeterLine, Money};
use rusqlite::Row;

use crate::projection::ledger::ORPHAN;

/// Columns of the rollup that [`Sums::from_rollup`] reads, in its order, as sums.
pub(super) const ROLLUP_SUMS: &str = "SUM(requests), SUM(attempts), SUM(orphans), SUM(estimated), SUM(cost), SUM(input), SUM(cache_read), \
SUM(cache_write_5m), SUM(cache_write_1h), SUM(input_audio), SUM(input_image), SUM(output), SUM(reasoning), SUM(output_audio), SUM(output_image), \
SUM(web_search), SUM(request)";

/// Columns of the ledger that [`Sums::add_ledger`] reads, in its order.
pub(super) const LEDGER_SUMS: &str = "last, sequence, kind, estimated, cost, lines";

/// Counts, cost and quantities of some rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) requests: u64,
    pub(super) attempts: u64,
    pub(super) orphans: u64,
    pub(super) estimated: u64,
    pub(super) cost: Money,
    pub(super) meters: BTreeMap<Meter, u64>,
}

impl Sums {
    /// Reads [`ROLLUP_SUMS`] beginning at column `first`.
    pub(super) fn from_rollup(row: &Row<'_>, first: usize) -> rusqlite::Result<Sums> {
        let number = |i: usize| row.get::<_, Option<i64>>(first + i).map(|n| n.unwrap_or(0));
        let count = |i: usize| number(i).map(|n| u64::try_from(n).unwrap_or(0));
        let mut meters = BTreeMap::new();
        for (index, meter) in Meter::ALL.into_iter().enumerate() {
            let quantity = count(5 + index)?;
            if quantity > 0 {
                meters.insert(meter, quantity);
            }
        }
        let cost = Money::from_nanos(number(4)?);
        Ok(Sums {
            requests: count(0)?,
            attempts: count(1)?,
            orphans: count(2)?,
            estimated: count(3)?,
            cost,
            meters,
        })
    }

    /// Adds one ledger row, whose [`LEDGER_SUMS`] begin at column `first`.
    pub(super) fn add_ledger(&mut self, row: &Row<'_>, first: usize) -> rusqlite::Result<()> {
        let last: bool = row.get(first)?;
        let sequence: i64 = row.get(first + 1)?;
        let kind = row.get_ref(first + 2)?.as_str()?;
        let estimated: bool = row.get(first + 3)?;
        self.requests += u64::from(last);
        self.attempts += u64::from(sequence == 1);
        self.orphans += u64::from(kind == ORPHAN);
        self.estimated += u64::from(estimated);
        self.cost += Money::from_nanos(row.get(first + 4)?);
        let unreadable = |e| {
            rusqlite::Error::FromSqlConversionFailure(
                first + 5,
                rusqlite::types::Type::Text,
                Box::new(e),
            )
        };
        let lines: Vec<MeterLine> =
            serde_json::from_str(row.get_ref(first + 5)?.as_str()?).map_err(unreadable)?;
        for line in lines.iter().filter(|l| l.quantity > 0) {
            let sum = self.meters.entry(line.meter).or_default();
            *sum = sum.saturating_add(line.quantity);
        }
        Ok(())
    }

    /// Adds other sums.
    pub(super) fn add(&mut self, other: &Sums) {
        self.requests += other.requests;
        self.attempts += other.attempts;
        self.orphans += other.orphans;
        self.estimated += other.estimated;
        self.cost += other.cost;
        for (meter, quantity) in &other.meters {
            let sum = self.meters.entry(*meter).or_default();
            *sum = sum.saturating_add(*quantity);
        }
    }
}
