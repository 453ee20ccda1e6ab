//! A name for everything that files can change: the same name, the same state.
//!
//! Covers what a plan depends on, and nothing that moves by itself, such as when a key was last used.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::super::keys::{KeyFilter, all};
use super::super::tenants::{projects, tenants};

/// 32 hexadecimal digits.
pub(super) fn of(db: &Connection) -> rusqlite::Result<String> {
    let keys = all(db, &KeyFilter::default())?;
    let whole = serde_json::json!([tenants(db)?, projects(db, None)?, keys]);
    let digest = Sha256::digest(whole.to_string());
    Ok(digest.iter().take(16).map(|b| format!("{b:02x}")).collect())
}
