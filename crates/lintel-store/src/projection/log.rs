//! The request log's rows: one for each exchange, its record as it stood in the journal.
//!
//! Knows no money. Invariants: a later record of an exchange takes the place of an earlier one, an orphan
//! never that of a settlement; no secondary index, for one costs as much as the row.

use rusqlite::{Transaction, params};

use super::lane::Rows;
use crate::database::{Examine, Migration, Schema};
use crate::journal::{Batch, Entry};

/// `log.sqlite`. Pages are large so that a row of a kilobyte or three doesn't spill to an overflow page.
pub(crate) const SCHEMA: Schema = Schema {
    file: "log.sqlite",
    migrations: &[
        Migration::adds(
            "0001-position",
            include_str!("../../migrations/log/0001-position.sql"),
        ),
        Migration::adds(
            "0002-log",
            include_str!("../../migrations/log/0002-log.sql"),
        ),
        Migration::adds(
            "0003-generations",
            include_str!("../../migrations/log/0003-generations.sql"),
        ),
    ],
    page_bytes: 16384,
    synchronous: "NORMAL",
    examine: Examine::AfterUncleanEnd,
    cache_kib: 8 << 10,
};

const SETTLED: &str = "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET tenant = ?2, route = ?3, outcome = ?4, status = ?5, record = ?6";
const ORPHANED: &str =
    "INSERT INTO log VALUES (?1, ?2, ?3, 'orphaned', 0, ?4) ON CONFLICT DO NOTHING";

/// Makes log rows.
#[derive(Default)]
pub(super) struct LogRows;

impl Rows for LogRows {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn write(&mut self, batch: &Batch, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut settle = transaction.prepare_cached(SETTLED)?;
        for (_, entry) in &batch.entries {
            match entry {
                Entry::Settled(s, range) => {
                    let route = s.route.as_deref().unwrap_or_default();
                    let record = batch.payload(range);
                    settle.execute(params![
                        s.exchange.to_bytes(),
                        &*s.who.tenant,
                        route,
                        s.outcome.name(),
                        s.status,
                        record
                    ])?;
                }
                Entry::Orphaned(o, range) => {
                    let d = &o.dispatched;
                    let record = batch.payload(range);
                    transaction.prepare_cached(ORPHANED)?.execute(params![
                        d.exchange.to_bytes(),
                        &*d.who.tenant,
                        &*d.route,
                        record
                    ])?;
                }
                // The ledger keeps its bytes.
                Entry::Unreadable(..) => {}
            }
        }
        Ok(())
    }
}
