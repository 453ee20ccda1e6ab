//! How the last upgrade ended: a file in the store, by which `lintel upgrade` learns it.
//!
//! Knows no process. Invariant: the file is replaced whole.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

const FILE: &str = "upgrade.json";

/// How an upgrade ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// When, in microseconds since the epoch.
    pub(crate) at: i64,
    /// The process that was to be taken over from.
    pub(crate) old: u32,
    /// The one that took over; none when the old one goes on.
    pub(crate) new: Option<u32>,
    /// Why it goes on.
    pub(crate) why: Option<String>,
}

/// The last one in `store`.
pub(crate) fn read(store: &Path) -> Option<Outcome> {
    serde_json::from_slice(&std::fs::read(store.join(FILE)).ok()?).ok()
}

/// Writes it down in `store`.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn write(store: &Path, outcome: &Outcome) -> io::Result<()> {
    let next = store.join(format!("{FILE}.next"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(&next)?
        .write_all(&serde_json::to_vec(outcome)?)?;
    std::fs::rename(&next, store.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_written_is_read() {
        let scratch = Scratch::new();
        assert_eq!(read(scratch.path()), None);
        let outcome = Outcome {
            at: 7,
            old: 1,
            new: None,
            why: Some("the new binary is no binary".to_owned()),
        };
        write(scratch.path(), &outcome).unwrap();
        assert_eq!(read(scratch.path()), Some(outcome));
    }
}
