//! Making a backup.
//!
//! Knows no thread and no request: whoever calls it waits for it. Invariant: the finished name appears by one
//! rename, after everything under it is on disk; a process that dies before leaves a `.partial`, which the next
//! backup removes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use lintel_types::{NodeId, Timestamp};

use super::copy::{self, Snapshot};
use super::manifest::{self, FORMAT, Manifest};
use super::{PARTIAL, is_name, sums, wrong};
use crate::error::StoreError;
use crate::journal;
use crate::prepare::DATABASES;
use crate::private;
use crate::projection::Projection;

/// What is backed up, and how it is named.
pub struct Source<'a> {
    /// The store directory.
    pub store: &'a Path,
    /// What removes applied segments in it, if it serves; else the caller holds the store's lock.
    pub projection: Option<&'a Projection>,
    /// Whose store it is.
    pub node: NodeId,
    /// The version of Lintel, for the manifest.
    pub lintel: &'a str,
    /// Now: the backup's name.
    pub now: Timestamp,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes copied.
    pub done: u64,
    /// Bytes to copy in all.
    pub total: u64,
}

/// Makes a backup in a directory of its own under `directory`, which is made where needed. `go_on` is told how far
/// it is, and ends it by returning false.
///
/// Errors: too little room, a file that can't be read or written, a database that is damaged, or `go_on` said no;
/// nothing is left behind then.
pub fn create(
    source: &Source<'_>,
    directory: &Path,
    go_on: &mut dyn FnMut(Progress) -> bool,
) -> Result<(PathBuf, Manifest), StoreError> {
    private::make_dir(directory).map_err(StoreError::io("make the backup directory", directory))?;
    remove_unfinished(directory)?;
    let name = name(source.now);
    let finished = directory.join(&name);
    let partial = directory.join(format!("{name}{PARTIAL}"));
    if finished.exists() {
        return Err(wrong(&finished, "it exists already: try again in a moment"));
    }
    private::make_dir(&partial).map_err(StoreError::io("make", &partial))?;
    let made = fill(source, &partial, go_on).and_then(|manifest| {
        let renamed =
            std::fs::rename(&partial, &finished).and_then(|()| File::open(directory)?.sync_all());
        renamed.map_err(StoreError::io("name the backup", &finished))?;
        Ok(manifest)
    });
    if made.is_err() {
        // The error says what went wrong; a rest that can't be removed goes with the next backup.
        let _ = std::fs::remove_dir_all(&partial);
    }
    Ok((finished, made?))
}

fn fill(
    source: &Source<'_>,
    to: &Path,
    go_on: &mut dyn FnMut(Progress) -> bool,
) -> Result<Manifest, StoreError> {
    let (snapshots, journal) = {
        // While this is held no segment goes that a snapshot still needs.
        let _held = source.projection.map(Projection::hold_segments);
        let snapshots: Vec<Snapshot> = DATABASES
            .into_iter()
            .map(|schema| Snapshot::begin(schema, source.store))
            .collect::<Result<_, _>>()?;
        (snapshots, copy_journal(source.store, to)?)
    };
    let mut progress = Progress::default();
    for snapshot in &snapshots {
        progress.total += snapshot.bytes()?;
    }
    crate::database::make_sure_of_room(to, progress.total)?;
    for snapshot in &snapshots {
        snapshot.copy(to, &mut |bytes| {
            progress.done += bytes;
            if go_on(progress) {
                Ok(())
            } else {
                Err(wrong(to, "it was broken off"))
            }
        })?;
    }
    drop(snapshots);
    let manifest = describe(source, to, journal)?;
    manifest.write(to)?;
    File::open(to)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("write", to))?;
    Ok(manifest)
}

/// Copies every segment of every generation; returns how many records they hold.
fn copy_journal(store: &Path, to: &Path) -> Result<u64, StoreError> {
    let mut records = 0;
    for below in journal::files(store)? {
        let target = to.join(&below);
        if let Some(folder) = target.parent() {
            private::make_dir(folder).map_err(StoreError::io("make", folder))?;
        }
        records += copy::segment(&store.join(&below), &target)?.unwrap_or(0);
        copy::sync_folder(&target)?;
    }
    Ok(records)
}

fn describe(source: &Source<'_>, dir: &Path, journal: u64) -> Result<Manifest, StoreError> {
    let segments = journal::files(dir)?;
    let segments = segments.iter().map(|below| below.display().to_string());
    let names = DATABASES
        .into_iter()
        .map(|schema| schema.file.to_owned())
        .chain(segments);
    let mut summed = sums::sum(dir)?;
    summed.counts.journal = journal;
    let schemas: BTreeMap<String, i64> = DATABASES
        .into_iter()
        .map(|schema| Ok((schema.file.to_owned(), sums::schema_version(schema, dir)?)))
        .collect::<Result<_, StoreError>>()?;
    Ok(Manifest {
        format: FORMAT,
        lintel: source.lintel.to_owned(),
        made: source.now,
        node: source.node,
        schemas,
        counts: summed.counts,
        usage: summed.usage,
        ledger: summed.ledger,
        files: names
            .map(|name| manifest::entry(dir, &name))
            .collect::<Result<_, _>>()?,
    })
}

/// Removes what a process that died left half made. One backup a directory at a time: the caller sees to it.
fn remove_unfinished(directory: &Path) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(directory).map_err(StoreError::io("list", directory))? {
        let path = entry.map_err(StoreError::io("list", directory))?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if name.strip_suffix(PARTIAL).is_some_and(is_name) {
            std::fs::remove_dir_all(&path).map_err(StoreError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// `2026-11-24T14:23:00.…Z` without what only some systems allow in a file name: `20261124T142300Z`.
fn name(now: Timestamp) -> String {
    let text = now.to_string().replace(['-', ':'], "");
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{seconds}Z")
}
