//! What the rows of a copy come to: counts, and money by tenant.
//!
//! Reads databases, changes none. Invariant: sums are integers of nano-dollars, exact however many rows there are.

use std::path::Path;

use lintel_types::Money;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::control;
use crate::database::{self, Schema};
use crate::error::StoreError;
use crate::projection::{ledger, log};

/// Rows of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Tenants.
    pub tenants: u64,
    /// Keys, revoked ones too.
    pub keys: u64,
    /// Rows of the audit.
    pub audit: u64,
    /// Rows of the ledger.
    pub ledger: u64,
    /// Rows of the rollup, the ledger's sums by hour.
    pub rollup: u64,
    /// Exchanges in the request log.
    pub log: u64,
    /// Records in the journal's segments.
    pub journal: u64,
}

/// One tenant's sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSum {
    /// Whose.
    pub tenant: String,
    /// Attempts in the rollup, rows in the ledger.
    pub rows: u64,
    /// What they cost.
    pub cost: Money,
}

/// What is counted in the three databases of a directory.
pub(super) struct Summed {
    pub(super) counts: Counts,
    pub(super) usage: Vec<TenantSum>,
    pub(super) ledger: Vec<TenantSum>,
}

/// Opens a database that nothing writes: neither a log nor a lock is made beside it.
pub(super) fn still(schema: &Schema, dir: &Path) -> Result<Connection, StoreError> {
    let path = schema.path(dir);
    // The characters that mean something in a SQLite URI.
    let name = path
        .display()
        .to_string()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        .map_err(StoreError::sql(&path))
}

/// Counts and sums the databases in `dir`. `journal` is counted by the caller.
pub(super) fn sum(dir: &Path) -> Result<Summed, StoreError> {
    let count = |schema: &Schema, tables: &[&str]| -> Result<Vec<u64>, StoreError> {
        let db = still(schema, dir)?;
        let one = |table: &&str| {
            db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| {
                row.get::<_, i64>(0)
            })
            .map(i64::unsigned_abs)
        };
        let counts: rusqlite::Result<Vec<u64>> = tables.iter().map(one).collect();
        counts.map_err(StoreError::sql(schema.path(dir)))
    };
    let control = count(&control::SCHEMA, &["tenants", "keys", "audit"])?;
    let rollup = count(&ledger::SCHEMA, &["rollup"])?;
    let logged = count(&log::SCHEMA, &["log"])?;
    let at = |counts: &[u64], index: usize| counts.get(index).copied().unwrap_or(0);
    let db = still(&ledger::SCHEMA, dir)?;
    let by_tenant = |table: &str, rows: &str| {
        tenant_sums(&db, table, rows).map_err(StoreError::sql(ledger::SCHEMA.path(dir)))
    };
    let booked = by_tenant("ledger", "COUNT(*)")?;
    Ok(Summed {
        counts: Counts {
            tenants: at(&control, 0),
            keys: at(&control, 1),
            audit: at(&control, 2),
            ledger: booked.iter().map(|sum| sum.rows).sum(),
            rollup: at(&rollup, 0),
            log: at(&logged, 0),
            journal: 0,
        },
        usage: by_tenant("rollup", "SUM(attempts)")?,
        ledger: booked,
    })
}

/// Costs are summed in two halves of 32 bits, so that saturated ones can't overflow.
fn tenant_sums(db: &Connection, table: &str, rows: &str) -> rusqlite::Result<Vec<TenantSum>> {
    let sql = format!(
        "SELECT tenant, {rows}, SUM(cost >> 32), SUM(cost & 4294967295) FROM {table} GROUP BY tenant ORDER BY tenant"
    );
    let mut statement = db.prepare(&sql)?;
    let sum = |row: &rusqlite::Row<'_>| {
        let whole = (i128::from(row.get::<_, i64>(2)?) << 32) + i128::from(row.get::<_, i64>(3)?);
        let nanos = whole.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        Ok(TenantSum {
            tenant: row.get(0)?,
            rows: row.get::<_, i64>(1)?.unsigned_abs(),
            cost: Money::from_nanos(nanos),
        })
    };
    statement.query_map([], sum)?.collect()
}

/// The schema version of a database that nothing writes.
pub(super) fn schema_version(schema: &Schema, dir: &Path) -> Result<i64, StoreError> {
    database::version(&still(schema, dir)?).map_err(StoreError::sql(schema.path(dir)))
}
