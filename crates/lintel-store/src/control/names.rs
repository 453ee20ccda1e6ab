//! What a name may be: tenants, projects and labels go into metrics, rows and command lines.

use rusqlite::Connection;

use super::Change;
use crate::error::StoreError;

/// Characters a name may have at most.
const LONGEST: usize = 64;

/// Accepts letters, digits, `.`, `_`, `-`, 1 to 64 of them.
pub(super) fn check(what: &'static str, name: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(plain) {
        return Ok(());
    }
    let why = "is not a name: use 1 to 64 letters, digits, `.`, `_` or `-`";
    Err(StoreError::Invalid {
        what,
        value: name.chars().take(LONGEST).collect(),
        why,
    })
}

/// Accepts any printable text of up to 256 characters, the empty one included.
pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), StoreError> {
    const LONGEST_TEXT: usize = 256;
    if text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(StoreError::Invalid {
        what,
        value: text
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect(),
        why: "is too long or not one line: use up to 256 printable characters",
    })
}

/// Accepts any printable text of up to 64 characters, the empty one included: a label is read by people only.
pub(super) fn check_label(what: &'static str, label: &str) -> Result<(), StoreError> {
    if label.chars().count() <= LONGEST && !label.chars().any(char::is_control) {
        return Ok(());
    }
    let why = "is not a label: use up to 64 printable characters";
    Err(StoreError::Invalid {
        what,
        value: label
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect(),
        why,
    })
}

/// The public name of what has this hash: `prefix` and its first 16 hex digits.
pub(super) fn id_of(prefix: &str, hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().take(8).fold(prefix.to_owned(), |mut id, byte| {
        // Writing to a string can't fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// Accepts the name of something that `sql` finds.
pub(super) fn exists(
    db: &Connection,
    what: &'static str,
    sql: &str,
    name: &str,
) -> Result<(), Change> {
    if db.prepare_cached(sql)?.exists([name])? {
        return Ok(());
    }
    let name = name.to_owned();
    Err(StoreError::NotFound { what, name }.into())
}
