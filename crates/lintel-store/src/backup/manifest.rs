//! The manifest: what a backup says of itself, written last and read first.
//!
//! Knows no database. Invariant: it names every other file of the backup with its length and SHA-256.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use lintel_types::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sums::{Counts, TenantSum};
use super::wrong;
use crate::error::StoreError;
use crate::private;

pub(super) const FILE: &str = "manifest.json";
/// The newest form of a backup that this version reads.
pub(super) const FORMAT: u32 = 1;
/// The largest manifest that is read: some 100,000 tenants.
const MOST: u64 = 64 << 20;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of backups; 1.
    pub format: u32,
    /// The version of Lintel that made it.
    pub lintel: String,
    /// When it was begun.
    pub made: Timestamp,
    /// Whose store it was.
    pub node: NodeId,
    /// Schema version of each database, by file.
    pub schemas: BTreeMap<String, i64>,
    /// Rows of each kind.
    pub counts: Counts,
    /// What each tenant used, by the sums that usage is read from.
    pub usage: Vec<TenantSum>,
    /// What the ledger's rows that are kept add up to, by tenant.
    pub ledger: Vec<TenantSum>,
    /// Every other file.
    pub files: Vec<FileEntry>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of the backup in `dir`.
    ///
    /// Errors: there is none, it can't be read, or a newer version made it.
    pub fn read(dir: &Path) -> Result<Manifest, StoreError> {
        let path = dir.join(FILE);
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                wrong(dir, "it has no manifest.json, so it is no finished backup")
            }
            _ => StoreError::io("open", &path)(error),
        })?;
        let mut text = Vec::new();
        file.take(MOST)
            .read_to_end(&mut text)
            .map_err(StoreError::io("read", &path))?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable =
            |e: serde_json::Error| wrong(dir, format!("its manifest.json is damaged: {e}"));
        let Format { format } = serde_json::from_slice(&text).map_err(unreadable)?;
        if format > FORMAT {
            let why = format!(
                "it has format {format}, this version reads {FORMAT}: use the version of Lintel that made it"
            );
            return Err(wrong(dir, why));
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(unreadable)?;
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.');
        let inside = |name: &str| name.split('/').count() <= 2 && name.split('/').all(plain);
        match manifest.files.iter().find(|file| !inside(&file.name)) {
            Some(file) => Err(wrong(
                dir,
                format!(
                    "its manifest.json names `{}`, which is no file of a store",
                    file.name
                ),
            )),
            None => Ok(manifest),
        }
    }

    /// Bytes of the files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Writes it into `dir` and makes it survive a power cut.
    pub(super) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(FILE);
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let written = private::open_file(&path).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        written.map_err(StoreError::io("write", &path))
    }
}

/// The entry of the file `name` in `dir`, as it is now.
pub(super) fn entry(dir: &Path, name: &str) -> Result<FileEntry, StoreError> {
    let path = dir.join(name);
    let mut file = File::open(&path).map_err(StoreError::io("open", &path))?;
    let (bytes, sha256) = digest(&mut file, |_| Ok(())).map_err(StoreError::io("read", &path))?;
    Ok(FileEntry {
        name: name.to_owned(),
        bytes,
        sha256,
    })
}

/// Reads all of `from`, giving each piece to `each`; length and SHA-256 of what was read.
pub(super) fn digest(
    from: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<(u64, String)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = from.read(&mut buffer)?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        each(piece)?;
        bytes += read as u64;
    }
    let hex = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((bytes, hex))
}
