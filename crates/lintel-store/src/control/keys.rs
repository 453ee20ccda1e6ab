//! Virtual keys: who may call, which routes, until when.
//!
//! Knows a key by the SHA-256 of its text, never the text. Invariants: an id names one hash; a revoked key
//! stays revoked; every change has its audit row, which holds neither secret nor hash.

use std::sync::Arc;

use lintel_types::{AuditEntry, Principal, PrincipalKind, RouteAccess, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::tenants::ensure_project;
use super::{Control, audit, names};
use crate::error::StoreError;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose; made when new.
    pub tenant: String,
    /// Of which project; made when new.
    pub project: String,
    /// A label for people; may be empty.
    pub name: String,
    /// Which routes it may name.
    pub routes: RouteAccess,
    /// Whether it may name `provider/model`.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
}

/// What an operator has decided about a key. Expiry is a date, not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// May be used.
    Active,
    /// May not be used until it is enabled.
    Disabled,
    /// May never be used again.
    Revoked,
}

impl KeyState {
    /// The name in JSON and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
        }
    }
}

/// A key as it is shown: everything but its secret and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// `key_` and the first 16 hex digits of the hash.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Of which project.
    pub project: String,
    /// The label.
    pub name: String,
    /// Which routes it may name.
    pub routes: RouteAccess,
    /// Whether it may name `provider/model`.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub made: Timestamp,
    /// What an operator has decided about it.
    pub state: KeyState,
}

impl KeyRow {
    /// Whether it may be used at `now`.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.expires.is_none_or(|e| now < e)
    }

    /// The caller that the key stands for.
    pub fn principal(&self) -> Principal {
        Principal {
            kind: PrincipalKind::Key,
            key: Arc::from(&*self.id),
            tenant: Arc::from(&*self.tenant),
            project: Arc::from(&*self.project),
            routes: self.routes.clone(),
            direct: self.direct,
            expose_targets: self.expose_targets,
            expires: self.expires,
        }
    }
}

/// Which keys to list.
#[derive(Debug, Clone, Default)]
pub struct KeyFilter {
    /// This tenant's only.
    pub tenant: Option<String>,
    /// Of projects of this name only.
    pub project: Option<String>,
}

const COLUMNS: &str =
    "id, tenant, project, name, routes, direct, expose_targets, expires, made, state, hash";

impl Control {
    /// Makes a key whose text has the SHA-256 `hash`; tenant and project are made, and audited, when they are new.
    ///
    /// Errors: a name is no name, the expiry has passed, the hash or its first 16 digits are taken.
    pub fn create_key(
        &self,
        new: &NewKey,
        hash: [u8; 32],
        actor: &str,
    ) -> Result<KeyRow, StoreError> {
        names::check("tenant", &new.tenant)?;
        names::check("project", &new.project)?;
        names::check_label("key name", &new.name)?;
        let now = self.now();
        if let Some(expires) = new.expires.filter(|e| *e <= now) {
            let why = "has passed: give the key a later expiry, or none";
            return Err(StoreError::Invalid {
                what: "expiry",
                value: expires.to_string(),
                why,
            });
        }
        let row = KeyRow {
            id: id_of(&hash),
            tenant: new.tenant.clone(),
            project: new.project.clone(),
            name: new.name.clone(),
            routes: new.routes.clone(),
            direct: new.direct,
            expose_targets: new.expose_targets,
            expires: new.expires,
            made: now,
            state: KeyState::Active,
        };
        self.change(|t| {
            ensure_project(t, &row.tenant, &row.project, now, actor)?;
            if !insert(t, &row, &hash)? {
                return Err(StoreError::Duplicate {
                    what: "key",
                    name: row.id.clone(),
                }
                .into());
            }
            audit::append(t, &changed("key.create", None, &row, now, actor))?;
            Ok(())
        })?;
        Ok(row)
    }

    /// The keys that match, oldest first.
    pub fn keys(&self, filter: &KeyFilter) -> Result<Vec<KeyRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM keys WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR project = ?2) ORDER BY made, id"
        );
        self.read(|db| {
            db.prepare(&sql)?
                .query_map([&filter.tenant, &filter.project], key_row)?
                .collect()
        })
    }

    /// One key.
    pub fn key(&self, id: &str) -> Result<KeyRow, StoreError> {
        self.read(|db| find(db, id))?.ok_or_else(|| unknown(id))
    }

    /// Revokes a key for good. Revoking it again changes nothing.
    pub fn revoke_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Revoked, "key.revoke", actor)
    }

    /// Disables a key until it is enabled. Errors: unknown, or revoked.
    pub fn disable_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Disabled, "key.disable", actor)
    }

    /// Enables a disabled key. Errors: unknown, or revoked.
    pub fn enable_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Active, "key.enable", actor)
    }

    fn set_state(
        &self,
        id: &str,
        state: KeyState,
        action: &str,
        actor: &str,
    ) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.change(|t| {
            let before = find(t, id)?.ok_or_else(|| unknown(id))?;
            if before.state == state {
                return Ok(before);
            }
            if before.state == KeyState::Revoked {
                let why = "is revoked for good: make a new key";
                return Err(StoreError::Invalid {
                    what: "key",
                    value: id.to_owned(),
                    why,
                }
                .into());
            }
            t.execute(
                "UPDATE keys SET state = ?2 WHERE id = ?1",
                params![id, state.name()],
            )?;
            let after = KeyRow {
                state,
                ..before.clone()
            };
            audit::append(t, &changed(action, Some(&before), &after, now, actor))?;
            Ok(after)
        })
    }

    /// Hash, caller and state of every key, revoked ones included: what authentication looks up.
    pub fn principals(&self) -> Result<Vec<([u8; 32], Principal, KeyState)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM keys ORDER BY id");
        let principal = |row: &Row<'_>| {
            let key = key_row(row)?;
            Ok((row.get(10)?, key.principal(), key.state))
        };
        self.read(|db| db.prepare(&sql)?.query_map([], principal)?.collect())
    }
}

fn id_of(hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().take(8).fold("key_".to_owned(), |mut id, byte| {
        // Writing to a string can't fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

fn insert(db: &Connection, key: &KeyRow, hash: &[u8; 32]) -> rusqlite::Result<bool> {
    let routes = match &key.routes {
        RouteAccess::All => None,
        RouteAccess::Only(names) => Some(serde_json::json!(names).to_string()),
    };
    let sql = "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    let (expires, made) = (key.expires.map(Timestamp::as_micros), key.made.as_micros());
    let values = params![
        key.id,
        hash,
        key.tenant,
        key.project,
        key.name,
        routes,
        key.direct,
        key.expose_targets,
        expires,
        made,
        key.state.name()
    ];
    Ok(db.execute(sql, values)? == 1)
}

fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<KeyRow>> {
    db.query_row(
        &format!("SELECT {COLUMNS} FROM keys WHERE id = ?1"),
        [id],
        key_row,
    )
    .optional()
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let unreadable = |e: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(e))
    };
    let routes = match row.get::<_, Option<String>>(4)? {
        None => RouteAccess::All,
        Some(names) => RouteAccess::Only(serde_json::from_str(&names).map_err(unreadable)?),
    };
    let state = match row.get_ref(9)?.as_str()? {
        "active" => KeyState::Active,
        "disabled" => KeyState::Disabled,
        // A state that this version doesn't know must not let anyone in.
        _ => KeyState::Revoked,
    };
    Ok(KeyRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        project: row.get(2)?,
        name: row.get(3)?,
        routes,
        direct: row.get(5)?,
        expose_targets: row.get(6)?,
        expires: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_micros),
        made: Timestamp::from_micros(row.get(8)?),
        state,
    })
}

fn unknown(id: &str) -> StoreError {
    StoreError::NotFound {
        what: "key",
        name: id.to_owned(),
    }
}

fn changed(
    action: &str,
    before: Option<&KeyRow>,
    after: &KeyRow,
    now: Timestamp,
    actor: &str,
) -> AuditEntry {
    let json = |key: &KeyRow| serde_json::json!(key).to_string();
    AuditEntry {
        at: now,
        actor: actor.into(),
        action: action.into(),
        object: after.id.as_str().into(),
        tenant: Some(after.tenant.as_str().into()),
        before: before.map(json),
        after: Some(json(after)),
    }
}
