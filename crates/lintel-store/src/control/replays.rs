//! What a call with an `Idempotency-Key` came to, so that the same call again gets the same answer.
//!
//! Knows no HTTP: an answer is a text. Invariant: a call is written down before it is begun, so that one
//! which did not end in order is never taken for one that was never made.

use std::time::Duration;

use lintel_types::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::Control;
use crate::error::StoreError;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Answers kept at most; the oldest go first.
const MOST: u32 = 100_000;

/// The call: whose, which operation, under which key, and the SHA-256 of what was asked.
#[derive(Debug, Clone)]
pub struct ReplayKey {
    /// The token's name.
    pub actor: String,
    /// The operation's id.
    pub operation: String,
    /// The key that the caller chose.
    pub key: String,
    /// SHA-256 of the request.
    pub digest: [u8; 32],
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Nothing: it is written down as begun now.
    New,
    /// It was answered so.
    Answered(String),
    /// It was begun and did not end in order.
    Unknown,
    /// Its key came with another request.
    Mismatch,
}

impl Control {
    /// What is known of `call`; one that is new is written down as begun.
    pub fn replay(&self, call: &ReplayKey) -> Result<Replay, StoreError> {
        let now = self.now();
        let old = Timestamp::from_micros(now.as_micros() - KEPT.as_micros() as i64);
        self.change(|t| {
            t.execute("DELETE FROM replays WHERE at <= ?1", [old.as_micros()])?;
            let sql = "SELECT digest, answer FROM replays WHERE actor = ?1 AND operation = ?2 AND key = ?3";
            let found = t.query_row(sql, [&call.actor, &call.operation, &call.key], |row| {
                Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Option<String>>(1)?))
            });
            Ok(match found.optional()? {
                Some((digest, _)) if digest != call.digest => Replay::Mismatch,
                Some((_, Some(answer))) => Replay::Answered(answer),
                Some((_, None)) => Replay::Unknown,
                None => {
                    let over = "DELETE FROM replays WHERE at <= (SELECT at FROM replays ORDER BY at DESC LIMIT 1 OFFSET ?1)";
                    t.execute(over, [MOST - 1])?;
                    let values = params![call.actor, call.operation, call.key, call.digest, now.as_micros()];
                    t.execute("INSERT INTO replays(actor, operation, key, digest, at) VALUES (?1, ?2, ?3, ?4, ?5)", values)?;
                    Replay::New
                }
            })
        })
    }

    /// Keeps the answer of `call`; none: nothing was changed, and it may be made again.
    pub fn answered(&self, call: &ReplayKey, answer: Option<&str>) -> Result<(), StoreError> {
        let sql = match answer {
            Some(_) => {
                "UPDATE replays SET answer = ?4 WHERE actor = ?1 AND operation = ?2 AND key = ?3"
            }
            None => {
                "DELETE FROM replays WHERE actor = ?1 AND operation = ?2 AND key = ?3 AND ?4 IS NULL"
            }
        };
        let values = params![call.actor, call.operation, call.key, answer];
        self.change(|t| Ok(t.execute(sql, values).map(drop)?))
    }
}

#[cfg(test)]
mod tests;
