//! What ledger rows and rollup rows add up to: the same sums, whichever table they come from.
//!
//! Knows no question. Invariant: adding a ledger row here adds what the projection added to the rollup,
//! and saturates where that does.

use std::collections::BTreeMap;

use lintel_types::{Meter, MeterLine, Money};
use rusqlite::Row;

use crate::projection::ledger::ORPHAN;
use crate::projection::rollup::{COUNTS, MOST};

/// Columns of the rollup that [`Sums::from_rollup`] reads, in its order, as sums. Counts are summed as
/// they are; each cost and quantity as two halves of 32 bits, so that no sum of saturated values
/// overflows, and a REAL that an older version left is read as the nearest integer.
pub(super) fn rollup_sums() -> String {
    let halves = |column| format!("SUM({column} >> 32), SUM({column} & 4294967295)");
    let columns: Vec<String> = COUNTS
        .into_iter()
        .map(|column| format!("SUM({column})"))
        .chain([halves("cost")])
        .chain(Meter::ALL.map(Meter::name).map(halves))
        .collect();
    columns.join(", ")
}

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
    /// Reads [`rollup_sums`] beginning at column `first`.
    pub(super) fn from_rollup(row: &Row<'_>, first: usize) -> rusqlite::Result<Sums> {
        let number = |i: usize| row.get::<_, Option<i64>>(first + i).map(|n| n.unwrap_or(0));
        let count = |i: usize| number(i).map(|n| u64::try_from(n).unwrap_or(0));
        let whole = |n: usize| -> rusqlite::Result<i64> {
            let high = COUNTS.len() + 2 * n;
            let sum = (i128::from(number(high)?) << 32) + i128::from(number(high + 1)?);
            Ok(sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
        };
        let mut meters = BTreeMap::new();
        for (index, meter) in Meter::ALL.into_iter().enumerate() {
            let quantity = u64::try_from(whole(1 + index)?).unwrap_or(0);
            if quantity > 0 {
                meters.insert(meter, quantity);
            }
        }
        Ok(Sums {
            requests: count(0)?,
            attempts: count(1)?,
            orphans: count(2)?,
            estimated: count(3)?,
            cost: Money::from_nanos(whole(0)?),
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
            self.grow(line.meter, line.quantity);
        }
        Ok(())
    }

    /// Adds other sums.
    pub(super) fn add(&mut self, other: &Sums) {
        self.requests = self.requests.saturating_add(other.requests);
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.orphans = self.orphans.saturating_add(other.orphans);
        self.estimated = self.estimated.saturating_add(other.estimated);
        self.cost += other.cost;
        for (meter, quantity) in &other.meters {
            self.grow(*meter, *quantity);
        }
    }

    /// Saturates where the rollup does.
    fn grow(&mut self, meter: Meter, quantity: u64) {
        let sum = self.meters.entry(meter).or_default();
        *sum = sum.saturating_add(quantity).min(MOST);
    }
}
