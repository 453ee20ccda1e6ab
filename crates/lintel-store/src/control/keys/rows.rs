//! Keys read back, each with its secrets.
//!
//! Changes nothing. Invariant: a state or a cap that this version can't read lets nobody in.

use std::collections::HashMap;

use lintel_types::{RouteAccess, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{KeyFilter, KeyRow, KeySpec, KeyState, SecretRow};

const COLUMNS: &str = "id, tenant, project, name, owner, description, routes, direct, expose_targets, caps, expires, made, state, managed, used";

/// The keys that match, oldest first.
pub(in crate::control) fn all(
    db: &Connection,
    filter: &KeyFilter,
) -> rusqlite::Result<Vec<KeyRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM keys WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR project = ?2) ORDER BY made, id"
    );
    let mut keys = db.prepare(&sql)?;
    let keys = keys.query_map([&filter.tenant, &filter.project], key_row)?;
    let mut keys = keys.collect::<rusqlite::Result<Vec<KeyRow>>>()?;
    let mut secrets: HashMap<String, Vec<SecretRow>> = HashMap::new();
    let mut found = db
        .prepare("SELECT prefix, made, expires, used, key FROM secrets ORDER BY made DESC, hash")?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        secrets
            .entry(row.get(4)?)
            .or_default()
            .push(secret_row(row)?);
    }
    for key in &mut keys {
        key.secrets = secrets.remove(&key.id).unwrap_or_default();
    }
    Ok(keys)
}

/// One key.
pub(in crate::control) fn find(db: &Connection, id: &str) -> rusqlite::Result<Option<KeyRow>> {
    let sql = format!("SELECT {COLUMNS} FROM keys WHERE id = ?1");
    let Some(mut key) = db.query_row(&sql, [id], key_row).optional()? else {
        return Ok(None);
    };
    let sql =
        "SELECT prefix, made, expires, used FROM secrets WHERE key = ?1 ORDER BY made DESC, hash";
    let mut secrets = db.prepare(sql)?;
    let secrets = secrets.query_map([id], secret_row)?;
    key.secrets = secrets.collect::<rusqlite::Result<_>>()?;
    Ok(Some(key))
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_micros))
}

fn secret_row(row: &Row<'_>) -> rusqlite::Result<SecretRow> {
    Ok(SecretRow {
        prefix: row.get(0)?,
        made: Timestamp::from_micros(row.get(1)?),
        expires: instant(row, 2)?,
        used: instant(row, 3)?,
    })
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let unreadable = |column| {
        move |e: serde_json::Error| {
            let text = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(column, text, Box::new(e))
        }
    };
    let routes = match row.get::<_, Option<String>>(6)? {
        None => RouteAccess::All,
        Some(names) => RouteAccess::Only(serde_json::from_str(&names).map_err(unreadable(6))?),
    };
    let caps = row.get::<_, String>(9)?;
    let state = match row.get_ref(12)?.as_str()? {
        "active" => KeyState::Active,
        "disabled" => KeyState::Disabled,
        // A state that this version doesn't know must not let anyone in.
        _ => KeyState::Revoked,
    };
    Ok(KeyRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        project: row.get(2)?,
        spec: KeySpec {
            name: row.get(3)?,
            owner: row.get(4)?,
            description: row.get(5)?,
            routes,
            direct: row.get(7)?,
            expose_targets: row.get(8)?,
            caps: serde_json::from_str(&caps).map_err(unreadable(9))?,
            expires: instant(row, 10)?,
        },
        made: Timestamp::from_micros(row.get(11)?),
        state,
        managed: row.get(13)?,
        used: instant(row, 14)?,
        secrets: Vec::new(),
    })
}
