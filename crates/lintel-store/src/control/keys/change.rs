//! Changes of keys inside a transaction, each with its audit row.
//!
//! Decides what is accepted. Invariant: what is refused has changed nothing, for the transaction is given up.

use lintel_types::{AuditEntry, RouteAccess, Timestamp};
use rusqlite::{Transaction, params};

use super::super::tenants::ensure_project;
use super::super::{Change, audit, names};
use super::secrets::{self, NewSecret};
use super::{KeyRow, KeySpec, KeyState, NewKey};
use crate::error::StoreError;

/// Most entries of a list of routes, models or headers.
const MOST: usize = 256;
/// Longest text of such an entry, in bytes.
const LONGEST: usize = 256;

/// Makes a key. See [`super::Control::create_key`].
pub(in crate::control) fn create(
    t: &Transaction<'_>,
    new: &NewKey,
    secret: &NewSecret,
    managed: bool,
    now: Timestamp,
    actor: &str,
) -> Result<KeyRow, Change> {
    names::check("tenant", &new.tenant)?;
    names::check("project", &new.project)?;
    check(&new.spec)?;
    check_expiry(new.spec.expires, now)?;
    let row = KeyRow {
        id: names::id_of("key_", &secret.hash),
        tenant: new.tenant.clone(),
        project: new.project.clone(),
        spec: new.spec.clone(),
        made: now,
        state: KeyState::Active,
        managed,
        used: None,
        secrets: vec![secret.row(now)],
    };
    ensure_project(t, &row.tenant, &row.project, now, actor)?;
    if !insert(t, &row)? {
        return Err(taken(&row.id));
    }
    if !secrets::insert(t, &row.id, secret, now)? {
        return Err(taken(&row.id));
    }
    audit::append(t, &entry("key.create", None, &row, now, actor))?;
    Ok(row)
}

/// Gives a key another spec and, if said, another mark. See [`super::Control::change_key`].
pub(in crate::control) fn edit(
    t: &Transaction<'_>,
    before: KeyRow,
    spec: KeySpec,
    managed: Option<bool>,
    now: Timestamp,
    actor: &str,
) -> Result<KeyRow, Change> {
    let managed = managed.unwrap_or(before.managed);
    if before.spec == spec && before.managed == managed {
        return Ok(before);
    }
    refuse_revoked(&before)?;
    check(&spec)?;
    if spec.expires != before.spec.expires {
        check_expiry(spec.expires, now)?;
    }
    let after = KeyRow {
        spec,
        managed,
        ..before.clone()
    };
    let s = &after.spec;
    let sql = "UPDATE keys SET name = ?2, owner = ?3, description = ?4, routes = ?5, direct = ?6, expose_targets = ?7,
        caps = ?8, expires = ?9, managed = ?10 WHERE id = ?1";
    t.execute(
        sql,
        params![
            after.id,
            s.name,
            s.owner,
            s.description,
            routes(&s.routes),
            s.direct,
            s.expose_targets,
            serde_json::json!(s.caps).to_string(),
            s.expires.map(Timestamp::as_micros),
            after.managed
        ],
    )?;
    audit::append(t, &entry("key.update", Some(&before), &after, now, actor))?;
    Ok(after)
}

/// Puts a key into `state`, unless it is there.
pub(in crate::control) fn set_state(
    t: &Transaction<'_>,
    before: KeyRow,
    state: KeyState,
    now: Timestamp,
    actor: &str,
) -> Result<KeyRow, Change> {
    if before.state == state {
        return Ok(before);
    }
    refuse_revoked(&before)?;
    let action = match state {
        KeyState::Active => "key.enable",
        KeyState::Disabled => "key.disable",
        KeyState::Revoked => "key.revoke",
    };
    t.execute(
        "UPDATE keys SET state = ?2 WHERE id = ?1",
        params![before.id, state.name()],
    )?;
    let after = KeyRow {
        state,
        ..before.clone()
    };
    audit::append(t, &entry(action, Some(&before), &after, now, actor))?;
    Ok(after)
}

pub(super) fn refuse_revoked(key: &KeyRow) -> Result<(), StoreError> {
    if key.state != KeyState::Revoked {
        return Ok(());
    }
    Err(StoreError::Revoked { id: key.id.clone() })
}

/// Refuses an end that is over already: whoever wants that revokes the key.
fn check_expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<(), StoreError> {
    match expires.filter(|e| *e <= now) {
        None => Ok(()),
        Some(expires) => Err(StoreError::Invalid {
            what: "expiry",
            value: expires.to_string(),
            why: "has passed: give the key a later expiry, or none",
        }),
    }
}

fn check(spec: &KeySpec) -> Result<(), StoreError> {
    names::check_label("key name", &spec.name)?;
    names::check_text("owner", &spec.owner)?;
    names::check_text("description", &spec.description)?;
    let caps = &spec.caps;
    let wrong = |what, value: &str, why| {
        let value = value.chars().filter(|c| !c.is_control()).take(64).collect();
        Err(StoreError::Invalid { what, value, why })
    };
    if caps.max_body == Some(0) {
        return wrong(
            "max_body",
            "0",
            "lets no call through: disable the key instead",
        );
    }
    if caps.max_in_flight == Some(0) {
        return wrong(
            "max_in_flight",
            "0",
            "lets no call through: disable the key instead",
        );
    }
    if let Some(feature) = &caps.feature
        && (feature.is_empty()
            || feature.len() > 128
            || !feature.bytes().all(|b| (b' '..=b'~').contains(&b)))
    {
        return wrong(
            "feature",
            feature,
            "is no feature: use 1 to 128 printable ASCII characters",
        );
    }
    if let RouteAccess::Only(routes) = &spec.routes {
        check_list("route", routes.iter().map(|r| &**r))?;
    }
    for pattern in caps.models.iter().flatten() {
        if !pattern.contains('/') {
            return wrong(
                "model",
                pattern,
                "names no target: write `provider/model`, with `*` for any run of characters",
            );
        }
    }
    check_list("model", caps.models.iter().flatten().map(|m| &**m))
}

fn check_list<'a>(
    what: &'static str,
    list: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    for (index, text) in list.enumerate() {
        let why = if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            "must be 1 to 256 printable characters"
        } else if index >= MOST {
            "is one too many: a key names 256 at most"
        } else {
            continue;
        };
        return Err(StoreError::Invalid {
            what,
            value: text.chars().filter(|c| !c.is_control()).take(64).collect(),
            why,
        });
    }
    Ok(())
}

fn insert(t: &Transaction<'_>, key: &KeyRow) -> rusqlite::Result<bool> {
    let s = &key.spec;
    let sql = "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, NULL) ON CONFLICT DO NOTHING";
    let values = params![
        key.id,
        key.tenant,
        key.project,
        s.name,
        s.owner,
        s.description,
        routes(&s.routes),
        s.direct,
        s.expose_targets,
        serde_json::json!(s.caps).to_string(),
        s.expires.map(Timestamp::as_micros),
        key.made.as_micros(),
        key.state.name(),
        key.managed
    ];
    Ok(t.execute(sql, values)? == 1)
}

fn routes(access: &RouteAccess) -> Option<String> {
    match access {
        RouteAccess::All => None,
        RouteAccess::Only(names) => Some(serde_json::json!(names).to_string()),
    }
}

pub(super) fn taken(id: &str) -> Change {
    StoreError::Duplicate {
        what: "key",
        name: id.to_owned(),
    }
    .into()
}

pub(super) fn entry(
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
