//! The audit: who changed what, when, from what to what.
//!
//! Knows no object's meaning. Invariant: rows are only ever added; the database itself refuses anything else.

use lintel_types::{AuditEntry, AuditSink, Error, Timestamp};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::Control;
use crate::error::StoreError;

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Counts from 1, without gaps.
    pub sequence: u64,
    /// What happened.
    pub entry: AuditEntry,
}

/// Adds a row inside the caller's transaction.
pub(super) fn append(db: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit(at, actor, action, object, tenant, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        entry.at.as_micros(),
        &*entry.actor,
        &*entry.action,
        &*entry.object,
        entry.tenant.as_deref(),
        entry.before,
        entry.after
    ];
    db.execute(sql, values)?;
    Ok(())
}

impl AuditSink for Control {
    fn append(&self, entry: &AuditEntry) -> Result<(), Error> {
        Ok(self.change(|transaction| Ok(append(transaction, entry)?))?)
    }
}

impl Control {
    /// The latest rows before sequence `before`, newest first, `limit` at most.
    pub fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT sequence, at, actor, action, object, tenant, before, after FROM audit WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2";
        let text = |row: &rusqlite::Row<'_>, i: usize| row.get::<_, String>(i).map(Into::into);
        let audit_row = |row: &rusqlite::Row<'_>| {
            let entry = AuditEntry {
                at: Timestamp::from_micros(row.get(1)?),
                actor: text(row, 2)?,
                action: text(row, 3)?,
                object: text(row, 4)?,
                tenant: row.get::<_, Option<String>>(5)?.map(Into::into),
                before: row.get(6)?,
                after: row.get(7)?,
            };
            Ok(AuditRow {
                sequence: row.get::<_, i64>(0)? as u64,
                entry,
            })
        };
        let bounds = [
            before
                .and_then(|b| i64::try_from(b).ok())
                .unwrap_or(i64::MAX),
            i64::try_from(limit).unwrap_or(i64::MAX),
        ];
        self.read(|db| db.prepare(sql)?.query_map(bounds, audit_row)?.collect())
    }
}
