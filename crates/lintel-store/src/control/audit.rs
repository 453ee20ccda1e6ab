//! The audit: who changed what, when, from what to what.
//!
//! Knows no object's meaning. Invariant: rows are only ever added; the database itself refuses anything else.

use lintel_types::{AuditEntry, AuditSink, Error, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;

use super::Control;
use crate::error::StoreError;

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Counts from 1. A gap is what retention took, which an `audit.expire` row tells.
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

/// Which rows of the audit.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this actor only.
    pub actor: Option<String>,
    /// Of this action only.
    pub action: Option<String>,
    /// Of this object only.
    pub object: Option<String>,
    /// Of this tenant only.
    pub tenant: Option<String>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Before this sequence.
    pub before: Option<u64>,
}

const COLUMNS: &str = "sequence, at, actor, action, object, tenant, before, after";

impl Control {
    /// Writes down that `actor` asked for something that changes no object of the control state.
    pub fn note(&self, actor: &str, action: &str, object: &str) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: self.now(),
            actor: actor.into(),
            action: action.into(),
            object: object.into(),
            tenant: None,
            before: None,
            after: None,
        };
        self.change(|transaction| Ok(append(transaction, &entry)?))
    }

    /// Deletes the oldest rows from before `before`, `limit` at most, and says so in a new row. Returns how many.
    pub(crate) fn expire_audit(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let now = self.now();
        self.change(|transaction| {
            let find = "SELECT MAX(sequence) FROM (SELECT sequence, at FROM audit ORDER BY sequence LIMIT ?2) WHERE at < ?1";
            let bounds = params![before.as_micros(), i64::try_from(limit).unwrap_or(i64::MAX)];
            let upto: Option<i64> = transaction.query_row(find, bounds, |row| row.get(0))?;
            let Some(upto) = upto else { return Ok(0) };
            let allow = "INSERT INTO audit_expired VALUES (1, ?1) ON CONFLICT DO UPDATE SET upto = MAX(upto, ?1)";
            transaction.execute(allow, [upto])?;
            let gone = transaction.execute("DELETE FROM audit WHERE sequence <= ?1", [upto])?;
            let entry = AuditEntry {
                at: now,
                actor: "retention".into(),
                action: "audit.expire".into(),
                object: format!("rows up to {upto}").into(),
                tenant: None,
                before: Some(serde_json::json!({ "rows": gone }).to_string()),
                after: None,
            };
            append(transaction, &entry)?;
            Ok(gone as u64)
        })
    }

    /// The latest rows before sequence `before`, newest first, `limit` at most.
    pub fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let filter = AuditFilter {
            before,
            ..AuditFilter::default()
        };
        self.audit_rows(&filter, limit)
    }

    /// The latest rows that match, newest first, `limit` at most.
    pub fn audit_rows(
        &self,
        filter: &AuditFilter,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut sql = format!("SELECT {COLUMNS} FROM audit WHERE 1");
        let mut values: Vec<Value> = Vec::new();
        let texts = [
            ("actor = ?", &filter.actor),
            ("action = ?", &filter.action),
            ("object = ?", &filter.object),
            ("tenant = ?", &filter.tenant),
        ];
        let texts = texts.map(|(clause, text)| (clause, text.clone().map(Value::Text)));
        let micros = |at: Option<Timestamp>| at.map(|at| Value::Integer(at.as_micros()));
        let before = filter
            .before
            .map(|before| i64::try_from(before).unwrap_or(i64::MAX));
        let numbers = [
            ("at >= ?", micros(filter.since)),
            ("at < ?", micros(filter.until)),
            ("sequence < ?", before.map(Value::Integer)),
        ];
        for (clause, value) in texts.into_iter().chain(numbers) {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(clause);
                values.push(value);
            }
        }
        sql.push_str(" ORDER BY sequence DESC LIMIT ?");
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.read(|db| {
            db.prepare(&sql)?
                .query_map(params_from_iter(values), audit_row)?
                .collect()
        })
    }

    /// One row.
    pub fn audit_row(&self, sequence: u64) -> Result<AuditRow, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE sequence = ?1");
        let key = i64::try_from(sequence).unwrap_or(i64::MAX);
        self.read(|db| db.query_row(&sql, [key], audit_row).optional())?
            .ok_or_else(|| StoreError::NotFound {
                what: "audit row",
                name: sequence.to_string(),
            })
    }
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let text = |i: usize| row.get::<_, String>(i).map(Into::into);
    let entry = AuditEntry {
        at: Timestamp::from_micros(row.get(1)?),
        actor: text(2)?,
        action: text(3)?,
        object: text(4)?,
        tenant: row.get::<_, Option<String>>(5)?.map(Into::into),
        before: row.get(6)?,
        after: row.get(7)?,
    };
    Ok(AuditRow {
        sequence: row.get::<_, i64>(0)? as u64,
        entry,
    })
}
