//! A key's secrets: the texts that are accepted for it, known by their hashes, each with an end of its own.
//!
//! Decides what a rotation does. Knows no text. Invariants: a rotation never lengthens a secret's life, so that one
//! that was about to end ends then, however often the key is rotated; a key with a secret keeps at least one.

use std::time::Duration;

use lintel_types::{Principal, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::change::{entry, refuse_revoked, taken};
use super::{Control, KeyFilter, KeyRow, KeyState, SecretRow, all, find, unknown};
use crate::control::{Change, audit, names};
use crate::error::StoreError;

/// Most secrets of one key that are accepted at once.
const MOST: usize = 5;
/// Secrets of a key that are remembered; of those beyond, whoever still sends one is told that it is not known.
const REMEMBERED: usize = 10;

/// A secret to be accepted from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// SHA-256 of the text.
    pub hash: [u8; 32],
    /// How the text begins, where it is known: never enough to guess it.
    pub prefix: Option<String>,
}

impl NewSecret {
    /// The secret of this hash, of whose text nothing else is known.
    pub fn of_hash(hash: [u8; 32]) -> Self {
        Self { hash, prefix: None }
    }

    pub(super) fn row(&self, now: Timestamp) -> SecretRow {
        SecretRow {
            prefix: self.prefix.clone(),
            made: now,
            expires: None,
            used: None,
        }
    }
}

/// A secret as authentication looks it up.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    /// SHA-256 of the text.
    pub hash: [u8; 32],
    /// Whom it stands for.
    pub principal: Principal,
    /// What an operator has decided about the key.
    pub state: KeyState,
    /// When it stops being accepted, if that is sooner than the key.
    pub expires: Option<Timestamp>,
    /// When it was last accepted.
    pub used: Option<Timestamp>,
}

impl Control {
    /// Gives a key a new secret. Those that it has stay accepted for `overlap`, or until their own end if that is sooner.
    /// Id, caps and attribution stay.
    ///
    /// Errors: unknown, revoked or expired; the hash is taken; five secrets would be accepted at once.
    pub fn rotate_key(
        &self,
        id: &str,
        secret: &NewSecret,
        overlap: Duration,
        actor: &str,
    ) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.change(|t| {
            let before = find(t, id)?.ok_or_else(|| unknown(id))?;
            add(t, before, secret, overlap, now, actor)
        })
    }

    /// Every secret, those of revoked keys included: what authentication looks up.
    pub fn secrets(&self) -> Result<Vec<StoredSecret>, StoreError> {
        self.read(|db| {
            let mut found = Vec::new();
            let mut rows = db.prepare("SELECT hash, expires, used FROM secrets WHERE key = ?1")?;
            for key in all(db, &KeyFilter::default())? {
                let secrets = rows.query_map([&key.id], |row| {
                    let instant = |column| {
                        Ok::<_, rusqlite::Error>(
                            row.get::<_, Option<i64>>(column)?
                                .map(Timestamp::from_micros),
                        )
                    };
                    Ok(StoredSecret {
                        hash: row.get(0)?,
                        principal: key.principal(),
                        state: key.state,
                        expires: instant(1)?,
                        used: instant(2)?,
                    })
                })?;
                for secret in secrets {
                    found.push(secret?);
                }
            }
            Ok(found)
        })
    }

    /// Notes when secrets were last accepted. What is on file only moves forward; unknown hashes are passed over.
    pub fn note_used(&self, used: &[([u8; 32], Timestamp)]) -> Result<(), StoreError> {
        self.change(|t| {
            let later = "used = MAX(COALESCE(used, 0), ?2)";
            let mut secret = t.prepare(&format!(
                "UPDATE secrets SET {later} WHERE hash = ?1 AND COALESCE(used, 0) < ?2"
            ))?;
            let mut key = t.prepare(&format!(
                "UPDATE keys SET {later} WHERE id = (SELECT key FROM secrets WHERE hash = ?1)"
            ))?;
            for (hash, at) in used {
                if secret.execute(params![hash, at.as_micros()])? > 0 {
                    key.execute(params![hash, at.as_micros()])?;
                }
            }
            Ok(())
        })
    }
}

/// Adds a secret; see [`Control::rotate_key`].
pub(in crate::control) fn add(
    t: &Transaction<'_>,
    before: KeyRow,
    secret: &NewSecret,
    overlap: Duration,
    now: Timestamp,
    actor: &str,
) -> Result<KeyRow, Change> {
    refuse_revoked(&before)?;
    if before.spec.expires.is_some_and(|e| e <= now) {
        return Err(StoreError::Invalid {
            what: "key",
            value: before.id,
            why: "has expired: give it a later expiry first",
        }
        .into());
    }
    let until = now.plus(overlap);
    let accepted = |s: &&SecretRow| s.expires.is_none_or(|e| now < e);
    let stay = before.secrets.iter().filter(accepted).count();
    if !overlap.is_zero() && stay >= MOST {
        return Err(StoreError::Conflict {
            what: "key",
            name: before.id,
            why: "has five secrets that are accepted: wait until one ends, or rotate with an overlap of 0s, which ends them all",
        }
        .into());
    }
    // A secret is never younger than one before it, whatever the clock does: the order is the order of rotation.
    let latest = before.secrets.iter().map(|s| s.made).max();
    let made = latest.map_or(now, |l| now.max(l.plus(Duration::from_micros(1))));
    t.execute(
        "UPDATE secrets SET expires = MIN(COALESCE(expires, ?2), ?2) WHERE key = ?1",
        params![before.id, until.as_micros()],
    )?;
    if !insert(t, &before.id, secret, made)? {
        return Err(taken(&names::id_of("key_", &secret.hash)));
    }
    t.execute(
        "DELETE FROM secrets WHERE key = ?1 AND hash IN
            (SELECT hash FROM secrets WHERE key = ?1 ORDER BY made DESC, hash LIMIT -1 OFFSET ?2)",
        params![before.id, REMEMBERED as i64],
    )?;
    let after = find(t, &before.id)?.ok_or_else(|| unknown(&before.id))?;
    audit::append(t, &entry("key.rotate", Some(&before), &after, now, actor))?;
    Ok(after)
}

/// Whether `hash` is a secret of the key `id`, and still has no end: the one that files may declare again and again.
pub(in crate::control) fn has(
    db: &Connection,
    id: &str,
    hash: &[u8; 32],
) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT EXISTS(SELECT 1 FROM secrets WHERE key = ?1 AND hash = ?2 AND expires IS NULL)",
        params![id, hash],
        |row| row.get(0),
    )
}

/// Whether the key has had this secret, and a rotation has given it an end.
pub(in crate::control) fn was_rotated_away(
    db: &Connection,
    id: &str,
    hash: &[u8; 32],
) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT EXISTS(SELECT 1 FROM secrets WHERE key = ?1 AND hash = ?2 AND expires IS NOT NULL)",
        params![id, hash],
        |row| row.get(0),
    )
}

/// Returns whether the hash was free.
pub(super) fn insert(
    t: &Transaction<'_>,
    key: &str,
    secret: &NewSecret,
    made: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO secrets VALUES (?1, ?2, ?3, ?4, NULL, NULL) ON CONFLICT DO NOTHING";
    let values = params![secret.hash, key, secret.prefix, made.as_micros()];
    Ok(t.execute(sql, values)? == 1)
}
