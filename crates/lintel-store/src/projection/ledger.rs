//! The ledger's rows: one for each attempt of a settled exchange, one for each orphan.
//!
//! Knows no journal position (the lane does) and no query. Invariants: a row's key is (exchange, attempt,
//! kind, sequence), so a record that comes twice adds nothing; an exchange with a settlement gets no
//! orphan; every row that is added is added to the rollup in the same transaction.

use std::sync::Arc;
use std::time::Duration;

use lintel_types::record::Attribution;
use lintel_types::{AttemptRecord, ExchangeId, Meter, MeterLine, Orphaned, Settled, Timestamp};
use rusqlite::{CachedStatement, Transaction, params};

use super::lane::Rows;
use super::resources;
use super::rollup::{Addition, Rollup};
use crate::database::{Examine, Migration, Schema};
use crate::journal::{Batch, Entry};

/// `kind` of an attempt's row.
pub(crate) const SETTLEMENT: &str = "settlement";
/// `kind` of an orphan's row.
pub(crate) const ORPHAN: &str = "orphan";

/// `ledger.sqlite`. Money in nano-dollars, times in microseconds since the epoch. No secondary index:
/// they decide what a row costs, and sums come from the rollup.
pub(crate) const SCHEMA: Schema = Schema {
    file: "ledger.sqlite",
    migrations: &[
        Migration::adds(
            "0001-position",
            include_str!("../../migrations/ledger/0001-position.sql"),
        ),
        Migration::adds(
            "0002-ledger",
            include_str!("../../migrations/ledger/0002-ledger.sql"),
        ),
        Migration::adds(
            "0003-rollup",
            include_str!("../../migrations/ledger/0003-rollup.sql"),
        ),
        Migration::adds(
            "0004-resources",
            include_str!("../../migrations/ledger/0004-resources.sql"),
        ),
        Migration::rewrites(
            "0005-generations",
            include_str!("../../migrations/ledger/0005-generations.sql"),
        ),
        Migration::adds(
            "0006-retention",
            include_str!("../../migrations/ledger/0006-retention.sql"),
        ),
    ],
    page_bytes: 8192,
    synchronous: "NORMAL",
    examine: Examine::AfterUncleanEnd,
    cache_kib: 8 << 10,
};

const INSERT: &str = "INSERT INTO ledger VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING";
const IS_SETTLED: &str =
    "SELECT EXISTS(SELECT 1 FROM ledger WHERE exchange = ?1 AND kind = 'settlement')";
const KEEP_UNREADABLE: &str =
    "INSERT INTO unreadable VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

/// Makes ledger rows; keeps the batch's additions to the rollup.
#[derive(Default)]
pub(super) struct LedgerRows {
    rollup: Rollup,
    lines: String,
}

impl Rows for LedgerRows {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn write(&mut self, batch: &Batch, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        // What a batch that failed had added must not be added with this one.
        self.rollup.clear();
        let mut insert = transaction.prepare_cached(INSERT)?;
        for (sequence, entry) in &batch.entries {
            match entry {
                Entry::Settled(settled, _) => self.settlement(settled, transaction, &mut insert)?,
                Entry::Orphaned(orphaned, _) => self.orphan(orphaned, transaction, &mut insert)?,
                Entry::Unreadable(why, range) => {
                    let payload = batch.payload(range);
                    transaction
                        .prepare_cached(KEEP_UNREADABLE)?
                        .execute(params![
                            batch.generation as i64,
                            *sequence as i64,
                            why,
                            payload
                        ])?;
                }
            }
        }
        self.rollup.write(transaction)
    }
}

impl LedgerRows {
    fn settlement(
        &mut self,
        settled: &Settled,
        transaction: &Transaction<'_>,
        insert: &mut CachedStatement<'_>,
    ) -> rusqlite::Result<()> {
        let surface = settled.surface.as_deref().unwrap_or_default();
        for (index, attempt) in settled.attempts.iter().enumerate() {
            // A correction's amounts are added; its exchange was counted before.
            let first = settled.sequence == 1;
            let row = Row {
                exchange: settled.exchange,
                attempt: attempt.ordinal,
                kind: SETTLEMENT,
                sequence: settled.sequence,
                at: settled
                    .started
                    .plus(Duration::from_micros(attempt.start_us)),
                node: settled.node.0,
                leg: attempt.leg.name(),
                surface,
                route: settled.route.as_ref(),
                provider: &attempt.provider,
                model: &attempt.model,
                who: &settled.who,
                config: &settled.config,
                outcome: outcome(settled, attempt),
                cost: attempt.cost.nanos(),
                last: first && index + 1 == settled.attempts.len(),
                estimated: attempt.estimated,
                inconsistent: attempt.inconsistent,
                unpriced: attempt.unpriced,
            };
            self.add(&row, &attempt.lines, u64::from(first), insert)?;
            resources::write(settled, attempt, transaction)?;
        }
        Ok(())
    }

    fn orphan(
        &mut self,
        orphaned: &Orphaned,
        transaction: &Transaction<'_>,
        insert: &mut CachedStatement<'_>,
    ) -> rusqlite::Result<()> {
        let d = &orphaned.dispatched;
        // After a power cut the journal may have lost a settlement that the ledger has.
        let settled: bool = transaction
            .prepare_cached(IS_SETTLED)?
            .query_row([d.exchange.to_bytes()], |row| row.get(0))?;
        if settled {
            return Ok(());
        }
        let row = Row {
            exchange: d.exchange,
            attempt: d.attempt,
            kind: ORPHAN,
            sequence: 1,
            at: d.at,
            node: d.node.0,
            leg: d.leg.name(),
            surface: &d.surface,
            route: Some(&d.route),
            provider: &d.provider,
            model: &d.model,
            who: &d.who,
            config: &d.config,
            outcome: "orphaned",
            cost: d.estimated_cost.nanos(),
            last: true,
            estimated: true,
            inconsistent: false,
            unpriced: d.price.is_none(),
        };
        let line = MeterLine {
            meter: Meter::Input,
            quantity: d.estimated_input,
            price: d.price.clone(),
            cost: d.estimated_cost,
        };
        self.add(&row, &[line], 1, insert)
    }

    /// Inserts the row; what is new goes into the rollup.
    fn add(
        &mut self,
        row: &Row<'_>,
        lines: &[MeterLine],
        attempts: u64,
        insert: &mut CachedStatement<'_>,
    ) -> rusqlite::Result<()> {
        write_lines(lines, &mut self.lines);
        if row.insert(&self.lines, insert)? == 0 {
            return Ok(());
        }
        let addition = Addition {
            requests: u64::from(row.last),
            attempts,
            orphans: u64::from(row.kind == ORPHAN),
            estimated: u64::from(row.estimated),
            cost: row.cost,
            lines,
        };
        self.rollup.add(row, &addition);
        Ok(())
    }
}

/// How an attempt ended: the exchange's outcome for its last one, else the failure that led to the next.
fn outcome<'a>(settled: &'a Settled, attempt: &AttemptRecord) -> &'a str {
    attempt
        .class
        .map_or(settled.outcome.name(), |class| class.name())
}

/// A ledger row, borrowed from its record.
pub(super) struct Row<'a> {
    pub(super) exchange: ExchangeId,
    attempt: u8,
    kind: &'static str,
    sequence: u32,
    at: Timestamp,
    node: u16,
    pub(super) leg: &'static str,
    surface: &'a str,
    pub(super) route: Option<&'a Arc<str>>,
    pub(super) provider: &'a Arc<str>,
    pub(super) model: &'a Arc<str>,
    pub(super) who: &'a Attribution,
    config: &'a str,
    outcome: &'a str,
    cost: i64,
    last: bool,
    estimated: bool,
    inconsistent: bool,
    unpriced: bool,
}

impl Row<'_> {
    fn insert(&self, lines: &str, insert: &mut CachedStatement<'_>) -> rusqlite::Result<usize> {
        let who = self.who;
        let exchange = self.exchange.to_bytes();
        insert.execute(params![
            exchange,
            self.attempt,
            self.kind,
            self.sequence,
            self.at.as_micros(),
            self.node,
            self.leg,
            self.surface,
            self.route.map_or("", |r| &**r),
            &**self.provider,
            &**self.model,
            &*who.tenant,
            &*who.project,
            &*who.key,
            who.feature.as_deref().unwrap_or_default(),
            who.user.as_deref().unwrap_or_default(),
            who.session.as_deref().unwrap_or_default(),
            who.release.as_deref(),
            who.prompt_version.as_deref(),
            who.experiment.as_deref(),
            who.policy_hash.as_deref(),
            self.config,
            self.outcome,
            self.cost,
            lines,
            self.last,
            self.estimated,
            self.inconsistent,
            self.unpriced,
        ])
    }
}

/// The lines as compact JSON, written into memory that is used again for every row.
fn write_lines(lines: &[MeterLine], out: &mut String) {
    use std::fmt::Write as _;
    out.clear();
    out.push('[');
    for (index, line) in lines.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string can't fail.
        let _ = write!(
            out,
            "{comma}{{\"meter\":\"{}\",\"quantity\":{}",
            line.meter.name(),
            line.quantity
        );
        if let Some(price) = &line.price {
            out.push_str(",\"price\":");
            out.push_str(&serde_json::to_string(&**price).unwrap_or_default());
        }
        let _ = write!(out, ",\"cost\":\"{}\"}}", line.cost);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_types::Money;

    #[test]
    fn lines_are_the_json_of_the_record() {
        let lines = [
            MeterLine {
                meter: Meter::CacheWrite1h,
                quantity: u64::MAX,
                price: Some("a\"b\\c\u{1}".into()),
                cost: Money::from_nanos(-5),
            },
            MeterLine {
                meter: Meter::Input,
                quantity: 0,
                price: None,
                cost: Money::from_nanos(2_000_000_001),
            },
        ];
        let mut out = "old".to_owned();
        write_lines(&lines, &mut out);
        assert_eq!(out, serde_json::to_string(&lines).unwrap());
    }
}
