//! Tenants and their projects.
//!
//! Knows of keys only that a project with keys in force can't go. Invariants: a project's tenant exists; a name is given
//! once; a tenant that is being erased takes nothing new.

use lintel_types::{AuditEntry, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::{Change, Control, audit, names, tokens};
use crate::error::StoreError;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// Whether it is declared in files.
    pub managed: bool,
    /// Whether it is being erased.
    pub deleting: bool,
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
    /// Whether it is declared in files.
    pub managed: bool,
}

impl Control {
    /// Makes a tenant. Errors: the name is no name, or taken.
    pub fn create_tenant(&self, name: &str, actor: &str) -> Result<Tenant, StoreError> {
        names::check("tenant", name)?;
        let now = self.now();
        self.change(|t| {
            if !ensure_tenant(t, name, false, now, actor)? {
                return Err(StoreError::Duplicate {
                    what: "tenant",
                    name: name.to_owned(),
                }
                .into());
            }
            Ok(Tenant {
                name: name.to_owned(),
                made: now,
                managed: false,
                deleting: false,
            })
        })
    }

    /// Every tenant, by name.
    pub fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.read(tenants)
    }

    /// One tenant.
    pub fn tenant(&self, name: &str) -> Result<Tenant, StoreError> {
        let found = self.read(|db| {
            let sql = format!("{TENANTS} WHERE name = ?1");
            db.query_row(&sql, [name], tenant).optional()
        })?;
        found.ok_or_else(|| StoreError::NotFound {
            what: "tenant",
            name: name.to_owned(),
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
                managed: false,
            })
        })
    }

    /// Removes a project and its revoked keys. What the ledger says of it stays. Returns it as it was.
    ///
    /// Errors: unknown, or a key of it is not revoked.
    pub fn delete_project(
        &self,
        tenant: &str,
        name: &str,
        actor: &str,
    ) -> Result<Project, StoreError> {
        let now = self.now();
        self.change(|t| delete_project(t, tenant, name, now, actor))
    }

    /// The projects of a tenant, or of all, by name.
    pub fn projects(&self, tenant: Option<&str>) -> Result<Vec<Project>, StoreError> {
        self.read(|db| projects(db, tenant))
    }
}

const TENANTS: &str =
    "SELECT name, made, managed, EXISTS(SELECT 1 FROM erasures WHERE tenant = name) FROM tenants";

fn tenant(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    Ok(Tenant {
        name: row.get(0)?,
        made: Timestamp::from_micros(row.get(1)?),
        managed: row.get(2)?,
        deleting: row.get(3)?,
    })
}

pub(super) fn tenants(db: &Connection) -> rusqlite::Result<Vec<Tenant>> {
    db.prepare(&format!("{TENANTS} ORDER BY name"))?
        .query_map([], tenant)?
        .collect()
}

pub(super) fn projects(db: &Connection, tenant: Option<&str>) -> rusqlite::Result<Vec<Project>> {
    let project = |row: &Row<'_>| {
        Ok(Project {
            tenant: row.get(0)?,
            name: row.get(1)?,
            made: Timestamp::from_micros(row.get(2)?),
            managed: row.get(3)?,
        })
    };
    let sql = "SELECT tenant, name, made, managed FROM projects WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, name";
    db.prepare(sql)?.query_map([tenant], project)?.collect()
}

/// Makes the tenant, with its audit row, unless it exists. Returns whether it was made.
pub(super) fn ensure_tenant(
    t: &Transaction<'_>,
    name: &str,
    managed: bool,
    now: Timestamp,
    actor: &str,
) -> Result<bool, Change> {
    let sql = "INSERT INTO tenants(name, made, managed) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let made = t.execute(sql, params![name, now.as_micros(), managed])? == 1;
    if made {
        audit::append(t, &created("tenant.create", name, name, now, actor))?;
        return Ok(true);
    }
    stays(t, name)?;
    Ok(false)
}

/// Refuses a tenant that is being deleted: it takes nothing new.
pub(super) fn stays(t: &Transaction<'_>, name: &str) -> Result<(), Change> {
    let going = "SELECT EXISTS(SELECT 1 FROM erasures WHERE tenant = ?1)";
    if t.query_row(going, [name], |row| row.get(0))? {
        return Err(StoreError::Conflict {
            what: "tenant",
            name: name.to_owned(),
            why: "is being deleted: wait until it is gone, or use another name",
        }
        .into());
    }
    Ok(())
}

/// Makes the project and its tenant, with their audit rows, unless they exist. Returns whether the project was made.
pub(super) fn ensure_project(
    t: &Transaction<'_>,
    tenant: &str,
    name: &str,
    now: Timestamp,
    actor: &str,
) -> Result<bool, Change> {
    ensure_tenant(t, tenant, false, now, actor)?;
    insert_project(t, tenant, name, false, now, actor)
}

/// Makes a project of a tenant that exists, unless it exists itself. Returns whether it was made.
pub(super) fn insert_project(
    t: &Transaction<'_>,
    tenant: &str,
    name: &str,
    managed: bool,
    now: Timestamp,
    actor: &str,
) -> Result<bool, Change> {
    let sql = "INSERT INTO projects(tenant, name, made, managed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    let made = t.execute(sql, params![tenant, name, now.as_micros(), managed])? == 1;
    if made {
        let object = format!("{tenant}/{name}");
        audit::append(t, &created("project.create", &object, tenant, now, actor))?;
    }
    Ok(made)
}

/// See [`Control::delete_project`].
pub(super) fn delete_project(
    t: &Transaction<'_>,
    tenant: &str,
    name: &str,
    now: Timestamp,
    actor: &str,
) -> Result<Project, Change> {
    let object = format!("{tenant}/{name}");
    let found = projects(t, Some(tenant))?
        .into_iter()
        .find(|p| p.name == name);
    let Some(project) = found else {
        return Err(StoreError::NotFound {
            what: "project",
            name: object,
        }
        .into());
    };
    let held = "SELECT EXISTS(SELECT 1 FROM keys WHERE tenant = ?1 AND project = ?2 AND state <> 'revoked')";
    if t.query_row(held, [tenant, name], |row| row.get(0))? {
        return Err(StoreError::Conflict {
            what: "project",
            name: object,
            why: "has keys that are not revoked: revoke them first",
        }
        .into());
    }
    t.execute(
        "DELETE FROM keys WHERE tenant = ?1 AND project = ?2",
        [tenant, name],
    )?;
    t.execute(
        "DELETE FROM projects WHERE tenant = ?1 AND name = ?2",
        [tenant, name],
    )?;
    audit::append(t, &deleted("project.delete", &object, tenant, now, actor))?;
    Ok(project)
}

/// Removes a tenant without projects, and revokes the tokens tied to it.
pub(super) fn delete_tenant(
    t: &Transaction<'_>,
    name: &str,
    now: Timestamp,
    actor: &str,
) -> Result<(), Change> {
    tokens::revoke_of_tenant(t, name, now, actor)?;
    t.execute("DELETE FROM tenants WHERE name = ?1", [name])?;
    audit::append(t, &deleted("tenant.delete", name, name, now, actor))?;
    Ok(())
}

fn created(action: &str, object: &str, tenant: &str, now: Timestamp, actor: &str) -> AuditEntry {
    let after = Some(serde_json::json!({ "name": object }).to_string());
    AuditEntry {
        after,
        ..bare(action, object, tenant, now, actor)
    }
}

fn deleted(action: &str, object: &str, tenant: &str, now: Timestamp, actor: &str) -> AuditEntry {
    let before = Some(serde_json::json!({ "name": object }).to_string());
    AuditEntry {
        before,
        ..bare(action, object, tenant, now, actor)
    }
}

pub(super) fn bare(
    action: &str,
    object: &str,
    tenant: &str,
    now: Timestamp,
    actor: &str,
) -> AuditEntry {
    AuditEntry {
        at: now,
        actor: actor.into(),
        action: action.into(),
        object: object.into(),
        tenant: Some(tenant.into()),
        before: None,
        after: None,
    }
}
