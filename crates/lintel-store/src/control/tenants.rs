//! Tenants and their projects.
//!
//! Knows no key. Invariant: a project's tenant exists; a name is given once.

use lintel_types::{AuditEntry, Timestamp};
use rusqlite::{Row, Transaction, params};
use serde::Serialize;

use super::{Change, Control, audit, names};
use crate::error::StoreError;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
}

/// A project of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Project {
    /// Whose it is.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
}

impl Control {
    /// Makes a tenant. Errors: the name is no name, or taken.
    pub fn create_tenant(&self, name: &str, actor: &str) -> Result<Tenant, StoreError> {
        names::check("tenant", name)?;
        let now = self.now();
        self.change(|t| {
            if !ensure_tenant(t, name, now, actor)? {
                return Err(StoreError::Duplicate {
                    what: "tenant",
                    name: name.to_owned(),
                }
                .into());
            }
            Ok(Tenant {
                name: name.to_owned(),
                made: now,
            })
        })
    }

    /// Every tenant, by name.
    pub fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let tenant = |row: &Row<'_>| {
            Ok(Tenant {
                name: row.get(0)?,
                made: Timestamp::from_micros(row.get(1)?),
            })
        };
        self.read(|db| {
            db.prepare("SELECT name, made FROM tenants ORDER BY name")?
                .query_map([], tenant)?
                .collect()
        })
    }

    /// Makes a project, and its tenant when that is new. Errors: a name is no name, or the project exists.
    pub fn create_project(
        &self,
        tenant: &str,
        name: &str,
        actor: &str,
    ) -> Result<Project, StoreError> {
        names::check("tenant", tenant)?;
        names::check("project", name)?;
        let now = self.now();
        self.change(|t| {
            if !ensure_project(t, tenant, name, now, actor)? {
                return Err(StoreError::Duplicate {
                    what: "project",
                    name: format!("{tenant}/{name}"),
                }
                .into());
            }
            Ok(Project {
                tenant: tenant.to_owned(),
                name: name.to_owned(),
                made: now,
            })
        })
    }

    /// The projects of a tenant, or of all, by name.
    pub fn projects(&self, tenant: Option<&str>) -> Result<Vec<Project>, StoreError> {
        let project = |row: &Row<'_>| {
            Ok(Project {
                tenant: row.get(0)?,
                name: row.get(1)?,
                made: Timestamp::from_micros(row.get(2)?),
            })
        };
        let sql = "SELECT tenant, name, made FROM projects WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, name";
        self.read(|db| db.prepare(sql)?.query_map([tenant], project)?.collect())
    }
}

/// Makes the tenant, with its audit row, unless it exists. Returns whether it was made.
fn ensure_tenant(
    t: &Transaction<'_>,
    name: &str,
    now: Timestamp,
    actor: &str,
) -> Result<bool, Change> {
    let made = t.execute(
        "INSERT INTO tenants VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![name, now.as_micros()],
    )? == 1;
    if made {
        audit::append(t, &created("tenant.create", name, name, now, actor))?;
    }
    Ok(made)
}

/// Makes the project and its tenant, with their audit rows, unless they exist. Returns whether the project was made.
pub(super) fn ensure_project(
    t: &Transaction<'_>,
    tenant: &str,
    name: &str,
    now: Timestamp,
    actor: &str,
) -> Result<bool, Change> {
    ensure_tenant(t, tenant, now, actor)?;
    let sql = "INSERT INTO projects VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let made = t.execute(sql, params![tenant, name, now.as_micros()])? == 1;
    if made {
        audit::append(
            t,
            &created(
                "project.create",
                &format!("{tenant}/{name}"),
                tenant,
                now,
                actor,
            ),
        )?;
    }
    Ok(made)
}

fn created(action: &str, object: &str, tenant: &str, now: Timestamp, actor: &str) -> AuditEntry {
    let after = serde_json::json!({ "name": object }).to_string();
    AuditEntry {
        at: now,
        actor: actor.into(),
        action: action.into(),
        object: object.into(),
        tenant: Some(tenant.into()),
        before: None,
        after: Some(after),
    }
}
