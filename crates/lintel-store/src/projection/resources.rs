//! Resource rows: which tenant made which object at which provider.
//!
//! Knows no surface. Invariant: the first tenant that a provider gives an id to keeps it; a provider that gives the
//! same id twice does not hand one tenant's object to another.

use lintel_types::{AttemptRecord, Settled};
use rusqlite::{Transaction, params};

const INSERT: &str = "INSERT INTO resources VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// The rows of one attempt.
pub(super) fn write(
    settled: &Settled,
    attempt: &AttemptRecord,
    transaction: &Transaction<'_>,
) -> rusqlite::Result<()> {
    if attempt.made.is_empty() {
        return Ok(());
    }
    let mut insert = transaction.prepare_cached(INSERT)?;
    for object in &attempt.made {
        insert.execute(params![
            &*attempt.provider,
            object.kind.name(),
            &*object.id,
            &*settled.who.tenant,
            &*attempt.model,
            settled.started.as_micros(),
        ])?;
    }
    Ok(())
}
