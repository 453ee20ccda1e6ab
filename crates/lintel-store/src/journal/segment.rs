//! A segment: one file of frames, named after the sequence of its first one.
//!
//! Decides names, header and position; knows no record. Invariant: frame *n* of segment *f* has sequence
//! *f + n*, so the order of names is the order in time and no sequence is stored.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lintel_types::NodeId;

use crate::error::StoreError;
use crate::private;

/// Bytes of a segment's header: magic (8), format (2), node (2), zero (4).
pub(crate) const HEADER: u64 = 16;
const MAGIC: &[u8; 8] = b"LINTELJ\n";
const FORMAT: u16 = 1;

/// A place between two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// First sequence of the segment.
    pub(crate) segment: u64,
    /// Byte in the segment's file.
    pub(crate) offset: u64,
    /// Sequence of the frame that begins here.
    pub(crate) sequence: u64,
}

impl Position {
    /// The first frame of segment `first`.
    pub(crate) fn start_of(first: u64) -> Self {
        Self {
            segment: first,
            offset: HEADER,
            sequence: first,
        }
    }
}

/// Path of the segment that begins with sequence `first`.
pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("journal-{first:020}.log"))
}

/// First sequences of the segments in `dir`, ascending.
pub(crate) fn list(dir: &Path) -> Result<Vec<u64>, StoreError> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let name = entry.map_err(StoreError::io("list", dir))?.file_name();
        let digits = name
            .to_str()
            .and_then(|n| n.strip_prefix("journal-")?.strip_suffix(".log"));
        firsts.extend(digits.and_then(|d| d.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// The header that segments of `node` begin with.
pub(crate) fn header(node: NodeId) -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    let fields = MAGIC
        .iter()
        .copied()
        .chain(FORMAT.to_le_bytes())
        .chain(node.0.to_le_bytes());
    bytes
        .iter_mut()
        .zip(fields)
        .for_each(|(slot, byte)| *slot = byte);
    bytes
}

/// Whether `bytes` begin as every segment does.
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Checks a segment's first bytes. `Ok(false)`: the file ends inside its header.
pub(crate) fn check_header(bytes: &[u8], node: NodeId, path: &Path) -> Result<bool, StoreError> {
    let Some(found) = bytes.first_chunk::<{ HEADER as usize }>() else {
        return Ok(false);
    };
    let [m @ .., f0, f1, n0, n1, _, _, _, _] = *found;
    if m != *MAGIC {
        return Err(StoreError::Corrupt {
            path: path.to_owned(),
            offset: 0,
            why: "not a journal segment".into(),
        });
    }
    let (format, owner) = (u16::from_le_bytes([f0, f1]), u16::from_le_bytes([n0, n1]));
    if format > FORMAT {
        return Err(StoreError::NewerJournal {
            path: path.to_owned(),
            found: format,
            known: FORMAT,
        });
    }
    if owner != node.0 {
        return Err(StoreError::ForeignNode {
            path: path.to_owned(),
            found: owner,
            here: node.0,
        });
    }
    Ok(true)
}

/// An open segment file. Behind a trait so that tests can make writes fail.
pub(crate) trait SegmentFile: Send + Sync {
    /// One `pwrite(2)`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Reads exactly `bytes.len()` bytes.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// One `fdatasync(2)`.
    fn sync(&self) -> io::Result<()>;
}

/// Writes all of `bytes`; in the usual case that is one system call.
pub(crate) fn write_all(
    file: &dyn SegmentFile,
    mut bytes: &[u8],
    mut offset: u64,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = bytes.get(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Opens segment files; tests give their own.
pub(crate) trait SegmentFiles: Send + Sync {
    /// Opens `path` for appending, making it (mode 0600) where needed.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;
}

/// The file system.
#[derive(Debug)]
pub(crate) struct OnDisk;

impl SegmentFiles for OnDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(private::open_file(path)?))
    }
}

impl SegmentFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_checked() {
        let (at, mine) = (Path::new("j"), header(NodeId(3)));
        assert!(check_header(&mine, NodeId(3), at).unwrap());
        assert!(!check_header(&mine[..15], NodeId(3), at).unwrap());
        let foreign = check_header(&mine, NodeId(4), at).unwrap_err().to_string();
        assert!(
            foreign.contains("belongs to node 3, this is node 4"),
            "{foreign}"
        );
        let mut newer = mine;
        newer[8] = 9;
        assert!(matches!(
            check_header(&newer, NodeId(3), at),
            Err(StoreError::NewerJournal { found: 9, .. })
        ));
        assert!(matches!(
            check_header(&[b'x'; 16], NodeId(3), at),
            Err(StoreError::Corrupt { .. })
        ));
    }
}
