//! Backups: a consistent copy of a store that serves meanwhile, its proof, and the way back.
//!
//! ```text
//! hold segments ─▶ begin one read transaction a database ─▶ copy the journal's whole frames ─▶ let go
//!               ─▶ copy the pages of those transactions ─▶ count and sum the copies ─▶ manifest ─▶ rename
//! ```
//!
//! Decides what a backup holds and when it counts as one. Knows no request. Invariants: a restored store and
//! its journal replay to exactly the calls that were settled when the journal was copied; no writer waits for a
//! backup; a directory without a finished name and a manifest that holds is no backup.

mod copy;
mod create;
mod jobs;
mod manifest;
mod restore;
mod sums;
mod verify;

use std::path::{Path, PathBuf};

pub use create::{Progress, Source, create};
pub use jobs::{BackupDeps, BackupState, Backups};
pub use manifest::{FileEntry, Manifest};
pub use restore::{Restored, restore};
pub use sums::{Counts, TenantSum};
pub use verify::{Checked, verify};

use crate::error::StoreError;

/// Ends the name of a backup that is being made.
const PARTIAL: &str = ".partial";

/// A backup in a directory of backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The directory's name: the time at which it was begun.
    pub name: String,
    /// What it says of itself; none while it is being made, or when it can't be read.
    pub manifest: Option<Manifest>,
}

/// The backups in `directory`, newest first; those that were never finished too.
pub fn list(directory: &Path) -> Result<Vec<Listed>, StoreError> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io("list", directory))?,
    };
    let mut listed = Vec::new();
    for entry in entries {
        let path = entry.map_err(StoreError::io("list", directory))?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        if is_name(name.trim_end_matches(PARTIAL)) && path.is_dir() {
            let finished = !name.ends_with(PARTIAL);
            let manifest = finished.then(|| Manifest::read(&path).ok()).flatten();
            listed.push(Listed {
                name: name.to_owned(),
                manifest,
            });
        }
    }
    listed.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(listed)
}

/// `20261124T142300Z`: sorts as time does, and is a file name everywhere.
fn is_name(name: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let parts = name.strip_suffix('Z').and_then(|n| n.split_once('T'));
    parts.is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
}

fn wrong(dir: &Path, why: impl Into<String>) -> StoreError {
    StoreError::Backup {
        dir: PathBuf::from(dir),
        why: why.into(),
    }
}
