//! The way back: a backup becomes a store.
//!
//! Writes beside the target and renames, so that the target is what it was or the whole backup. Invariants: no
//! byte that does not have the manifest's SHA-256 gets into the store; nothing that is there is overwritten.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{FileEntry, Manifest, digest};
use super::{verify, wrong};
use crate::error::StoreError;
use crate::prepare::DATABASES;
use crate::{private, store};

/// What [`restore`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself, which is what the store now holds.
    pub manifest: Manifest,
    /// Where what was there before is now.
    pub aside: Option<PathBuf>,
}

/// Makes the store `to` from the backup in `from`. The directory must be absent or empty; with `force` what is
/// there is moved aside, unless a process uses it.
///
/// Errors: the backup is damaged or newer than this version, the target is used or not empty, too little room.
/// The target is as it was then.
pub fn restore(from: &Path, to: &Path, force: bool) -> Result<Restored, StoreError> {
    let manifest = verify::finished(from)?;
    refuse_newer(from, &manifest)?;
    // Held until the directory has gone aside: no process may begin to use it meanwhile.
    let occupied = occupied(to, force)?;
    let beside = beside(to, &format!("restoring-{}", std::process::id()))?;
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(StoreError::io("make", parent))?;
    }
    // Of a restore that was killed.
    match std::fs::remove_dir_all(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::io("remove", &beside)(error));
        }
        _ => {}
    }
    private::make_dir(&beside).map_err(StoreError::io("make", &beside))?;
    let placed =
        fill(from, &beside, &manifest).and_then(|()| place(&beside, to, occupied.is_some()));
    if placed.is_err() {
        // The error says what went wrong; nobody takes the rest for a store.
        let _ = std::fs::remove_dir_all(&beside);
    }
    Ok(Restored {
        manifest,
        aside: placed?,
    })
}

fn refuse_newer(from: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    for schema in DATABASES {
        let found = manifest.schemas.get(schema.file).copied().unwrap_or(0);
        if found > schema.version() {
            return Err(StoreError::NewerSchema {
                path: from.join(schema.file),
                found,
                known: schema.version(),
            });
        }
    }
    Ok(())
}

/// What stands at `to` and has to be moved aside, held; none when there is nothing.
fn occupied(to: &Path, force: bool) -> Result<Option<store::Unused>, StoreError> {
    let mut entries = match std::fs::read_dir(to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(StoreError::io("list", to))?,
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    let unused = store::unused(to)?;
    if !force {
        return Err(StoreError::Occupied {
            dir: to.to_owned(),
            why:
                "it is not empty: name another directory, or move what is there aside with --force"
                    .to_owned(),
        });
    }
    Ok(Some(unused))
}

fn fill(from: &Path, to: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let needed = manifest.files.iter().map(|file| file.bytes).sum();
    crate::database::make_sure_of_room(to, needed)?;
    for file in &manifest.files {
        copy(from, to, file)?;
        super::copy::sync_folder(&to.join(&file.name))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, wanted: &FileEntry) -> Result<(), StoreError> {
    let (source, target) = (from.join(&wanted.name), to.join(&wanted.name));
    if let Some(folder) = target.parent() {
        private::make_dir(folder).map_err(StoreError::io("make", folder))?;
    }
    let mut input = File::open(&source).map_err(StoreError::io("open", &source))?;
    let mut output = private::open_file(&target).map_err(StoreError::io("make", &target))?;
    let copied = digest(&mut input, |piece| output.write_all(piece)).and_then(|digest| {
        output.sync_all()?;
        Ok(digest)
    });
    let (bytes, sha256) = copied.map_err(StoreError::io("copy to", &target))?;
    if (bytes, &sha256) != (wanted.bytes, &wanted.sha256) {
        return Err(wrong(
            from,
            format!("{} is damaged: use another backup", wanted.name),
        ));
    }
    Ok(())
}

/// Puts `beside` where `to` is. Returns where what was there has gone.
fn place(beside: &Path, to: &Path, occupied: bool) -> Result<Option<PathBuf>, StoreError> {
    let aside = if occupied { Some(free_name(to)?) } else { None };
    if let Some(aside) = &aside {
        std::fs::rename(to, aside).map_err(StoreError::io("move aside", to))?;
    }
    if let Err(error) = std::fs::rename(beside, to) {
        if let Some(aside) = &aside {
            // Back as it was; should this fail too, the error of the first says where to look.
            let _ = std::fs::rename(aside, to);
        }
        return Err(StoreError::io("rename the restored store to", to)(error));
    }
    let parent = to
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("write", parent))?;
    Ok(aside)
}

/// `<to>.before-1`, or the next that is free.
fn free_name(to: &Path) -> Result<PathBuf, StoreError> {
    for count in 1..10_000 {
        let name = beside(to, &format!("before-{count}"))?;
        if !name.exists() {
            return Ok(name);
        }
    }
    Err(StoreError::Occupied {
        dir: to.to_owned(),
        why: "there are 10,000 stores beside it that were moved aside: remove some".to_owned(),
    })
}

fn beside(to: &Path, suffix: &str) -> Result<PathBuf, StoreError> {
    let Some(name) = to.file_name() else {
        return Err(StoreError::Occupied {
            dir: to.to_owned(),
            why: "it names no directory that can be made: write it without `..` at its end"
                .to_owned(),
        });
    };
    Ok(to.with_file_name(format!("{}.{suffix}", name.to_string_lossy())))
}
