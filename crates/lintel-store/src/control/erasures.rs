//! Tenants on their way out: who asked, and what is left to do.
//!
//! Decides when a tenant is gone for good. The rows of ledger and log are [`crate::erase`]'s. Invariants: from the moment
//! that its deletion is asked for, a tenant's keys and tokens are revoked and it takes nothing new; what was begun is found again
//! after a crash, and done again.

use lintel_types::{AuditEntry, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::keys::{self, KeyFilter, KeyState};
use super::tenants::bare;
use super::{Control, audit, tokens};
use crate::erase::Erased;
use crate::error::StoreError;

/// A tenant that is being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Which.
    pub tenant: String,
    /// What its money is booked under from now on. No tenant can have this name.
    pub pseudonym: String,
    /// Whether its ledger goes too.
    pub ledger: bool,
    /// Who asked.
    pub actor: String,
    /// When.
    pub asked: Timestamp,
}

impl Control {
    /// Begins to delete a tenant: its keys and the tokens tied to it are revoked, and nothing new is made for it. Asking again changes nothing.
    ///
    /// Errors: no such tenant.
    pub fn begin_erasure(
        &self,
        tenant: &str,
        pseudonym: &str,
        ledger: bool,
        actor: &str,
    ) -> Result<Erasure, StoreError> {
        let now = self.now();
        self.change(|t| {
            if let Some(begun) = find(t, tenant)? {
                return Ok(begun);
            }
            let erasure = Erasure {
                tenant: tenant.to_owned(),
                pseudonym: pseudonym.to_owned(),
                ledger,
                actor: actor.to_owned(),
                asked: now,
            };
            let known = "SELECT EXISTS(SELECT 1 FROM tenants WHERE name = ?1)";
            if !t.query_row(known, [tenant], |row| row.get::<_, bool>(0))? {
                return Err(StoreError::NotFound {
                    what: "tenant",
                    name: tenant.to_owned(),
                }
                .into());
            }
            let of_tenant = KeyFilter {
                tenant: Some(tenant.to_owned()),
                project: None,
            };
            for key in keys::all(t, &of_tenant)? {
                if key.state != KeyState::Revoked {
                    keys::set_state(t, key, KeyState::Revoked, now, actor)?;
                }
            }
            tokens::revoke_of_tenant(t, tenant, now, actor)?;
            let sql = "INSERT INTO erasures(tenant, pseudonym, ledger, actor, asked) VALUES (?1, ?2, ?3, ?4, ?5)";
            t.execute(sql, params![tenant, pseudonym, ledger, actor, now.as_micros()])?;
            let entry = AuditEntry {
                before: Some(json!({ "name": tenant }).to_string()),
                after: Some(json!({ "ledger": if ledger { "deleted" } else { "kept" } }).to_string()),
                ..bare("tenant.delete", tenant, tenant, now, actor)
            };
            audit::append(t, &entry)?;
            Ok(erasure)
        })
    }

    /// The tenants that are being deleted.
    pub fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        self.read(|db| {
            db.prepare(&format!("{SELECT} ORDER BY asked, tenant"))?
                .query_map([], erasure)?
                .collect()
        })
    }

    /// The tenant's rows are gone: so are its keys, its projects and its name. The audit keeps who did what, with counts.
    pub fn finish_erasure(&self, erasure: &Erasure, erased: &Erased) -> Result<(), StoreError> {
        let now = self.now();
        let tenant = erasure.tenant.as_str();
        // What is deleted is overwritten, not only let go.
        self.read(|db| db.pragma_update(None, "secure_delete", true))?;
        self.change(|t| {
            let keys = t.execute("DELETE FROM keys WHERE tenant = ?1", [tenant])?;
            let projects = t.execute("DELETE FROM projects WHERE tenant = ?1", [tenant])?;
            t.execute("DELETE FROM erasures WHERE tenant = ?1", [tenant])?;
            t.execute("DELETE FROM tenants WHERE name = ?1", [tenant])?;
            let counts = json!({
                "keys": keys, "projects": projects, "exchanges": erased.exchanges,
                "ledger_rows": erased.ledger_rows, "objects": erased.objects,
            });
            let entry = AuditEntry {
                after: Some(counts.to_string()),
                ..bare("tenant.erased", tenant, tenant, now, &erasure.actor)
            };
            audit::append(t, &entry)?;
            Ok(())
        })
    }
}

const SELECT: &str = "SELECT tenant, pseudonym, ledger, actor, asked FROM erasures";

fn find(db: &Connection, tenant: &str) -> rusqlite::Result<Option<Erasure>> {
    db.query_row(&format!("{SELECT} WHERE tenant = ?1"), [tenant], erasure)
        .optional()
}

fn erasure(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        tenant: row.get(0)?,
        pseudonym: row.get(1)?,
        ledger: row.get(2)?,
        actor: row.get(3)?,
        asked: Timestamp::from_micros(row.get(4)?),
    })
}
