//! Tokens of the control API: who may administer, under which name and role, until when.
//!
//! Knows a token by the SHA-256 of its text, and a role by its name only: what a role may do is decided
//! above. Invariants: a name is given once, so that an actor of the audit is one token; a revoked token stays
//! revoked; a tenant's tokens don't outlive it; every change but the moment of last use has its audit row, which holds
//! neither secret nor hash.

use lintel_types::{AuditEntry, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::{Control, audit, names, tenants};
use crate::error::StoreError;

/// Actors that are no stored token: the token that the process is started with, and the configuration.
const TAKEN: [&str; 2] = ["admin", "config"];

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What the audit calls its holder.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// The one tenant that it sees; none: all.
    pub tenant: Option<String>,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
}

/// A token as it is shown: everything but its secret and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// `tok_` and the first 16 hex digits of the hash.
    pub id: String,
    /// What the audit calls its holder.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// The one tenant that it sees; none: all.
    pub tenant: Option<String>,
    /// When it was made.
    pub made: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(skip)]
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

const COLUMNS: &str = "id, name, role, tenant, made, made_by, expires, last_used, revoked, hash";

impl Control {
    /// Makes a token whose text has the SHA-256 `hash`.
    ///
    /// Errors: the name is no name or was given before, the expiry has passed, the tenant does not exist or is being deleted.
    pub fn create_token(
        &self,
        new: &NewToken,
        hash: [u8; 32],
        actor: &str,
    ) -> Result<TokenRow, StoreError> {
        names::check("token name", &new.name)?;
        let now = self.now();
        if let Some(expires) = new.expires.filter(|expires| *expires <= now) {
            let why = "has passed: give the token a later expiry, or none";
            let value = expires.to_string();
            return Err(StoreError::Invalid {
                what: "expiry",
                value,
                why,
            });
        }
        let row = TokenRow {
            id: names::id_of("tok_", &hash),
            name: new.name.clone(),
            role: new.role.clone(),
            tenant: new.tenant.clone(),
            made: now,
            made_by: actor.to_owned(),
            expires: new.expires,
            last_used: None,
            revoked: None,
        };
        self.change(|t| {
            if let Some(tenant) = &row.tenant {
                names::exists(t, "tenant", "SELECT 1 FROM tenants WHERE name = ?1", tenant)?;
                tenants::stays(t, tenant)?;
            }
            if TAKEN.contains(&&*row.name) || !insert(t, &row, &hash)? {
                let name = row.name.clone();
                return Err(StoreError::Duplicate {
                    what: "token",
                    name,
                }
                .into());
            }
            Ok(audit::append(
                t,
                &changed("token.create", None, &row, now, actor),
            )?)
        })?;
        Ok(row)
    }

    /// Every token, revoked ones included, oldest first; `tenant`'s only when one is named.
    pub fn tokens(&self, tenant: Option<&str>) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tokens WHERE ?1 IS NULL OR tenant = ?1 ORDER BY made, id"
        );
        self.read(|db| db.prepare(&sql)?.query_map([tenant], token_row)?.collect())
    }

    /// One token.
    pub fn token(&self, id: &str) -> Result<TokenRow, StoreError> {
        self.read(|db| find(db, id))?.ok_or_else(|| unknown(id))
    }

    /// Revokes a token for good. Revoking it again changes nothing.
    pub fn revoke_token(&self, id: &str, actor: &str) -> Result<TokenRow, StoreError> {
        let now = self.now();
        self.change(|t| {
            let before = find(t, id)?.ok_or_else(|| unknown(id))?;
            if before.revoked.is_some() {
                return Ok(before);
            }
            Ok(revoke(t, &before, now, actor)?)
        })
    }

    /// Hash and facts of every token: what authentication looks up.
    pub fn token_hashes(&self) -> Result<Vec<([u8; 32], TokenRow)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens");
        let entry = |row: &Row<'_>| Ok((row.get(9)?, token_row(row)?));
        self.read(|db| db.prepare(&sql)?.query_map([], entry)?.collect())
    }

    /// Notes that the token `id` was used at `at`. No audit row: it is no change that anybody made.
    pub fn token_used(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE tokens SET last_used = max(coalesce(last_used, 0), ?2) WHERE id = ?1";
        self.change(|t| Ok(t.execute(sql, params![id, at.as_micros()]).map(drop)?))
    }
}

/// Revokes every token that is tied to `tenant`: one that is made under its name later must not be open to them.
pub(super) fn revoke_of_tenant(
    t: &Transaction<'_>,
    tenant: &str,
    now: Timestamp,
    actor: &str,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE tenant = ?1 AND revoked IS NULL");
    let tokens: Vec<TokenRow> = t
        .prepare(&sql)?
        .query_map([tenant], token_row)?
        .collect::<rusqlite::Result<_>>()?;
    for token in &tokens {
        revoke(t, token, now, actor)?;
    }
    Ok(())
}

fn revoke(
    t: &Transaction<'_>,
    before: &TokenRow,
    now: Timestamp,
    actor: &str,
) -> rusqlite::Result<TokenRow> {
    t.execute(
        "UPDATE tokens SET revoked = ?2 WHERE id = ?1",
        params![before.id, now.as_micros()],
    )?;
    let after = TokenRow {
        revoked: Some(now),
        ..before.clone()
    };
    audit::append(
        t,
        &changed("token.revoke", Some(before), &after, now, actor),
    )?;
    Ok(after)
}

fn insert(db: &Connection, token: &TokenRow, hash: &[u8; 32]) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO tokens(id, hash, name, role, tenant, made, made_by, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    let values = params![
        token.id,
        hash,
        token.name,
        token.role,
        token.tenant,
        token.made.as_micros(),
        token.made_by,
        token.expires.map(Timestamp::as_micros)
    ];
    Ok(db.execute(sql, values)? == 1)
}

fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<TokenRow>> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1");
    db.query_row(&sql, [id], token_row).optional()
}

fn token_row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let moment = |i: usize| -> rusqlite::Result<_> {
        Ok(row.get::<_, Option<i64>>(i)?.map(Timestamp::from_micros))
    };
    Ok(TokenRow {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        tenant: row.get(3)?,
        made: Timestamp::from_micros(row.get(4)?),
        made_by: row.get(5)?,
        expires: moment(6)?,
        last_used: moment(7)?,
        revoked: moment(8)?,
    })
}

fn unknown(id: &str) -> StoreError {
    StoreError::NotFound {
        what: "token",
        name: id.to_owned(),
    }
}

fn changed(
    action: &str,
    before: Option<&TokenRow>,
    after: &TokenRow,
    now: Timestamp,
    actor: &str,
) -> AuditEntry {
    let json = |token: &TokenRow| serde_json::json!(token).to_string();
    AuditEntry {
        at: now,
        actor: actor.into(),
        action: action.into(),
        object: after.id.as_str().into(),
        tenant: after.tenant.as_deref().map(Into::into),
        before: before.map(json),
        after: Some(json(after)),
    }
}

#[cfg(test)]
mod tests;
