//! Looking at segments from outside: which files there are, how far their frames are whole.
//!
//! Reads only. Knows no writer: a segment may grow while it is looked at, by whichever process has it.

use std::path::{Path, PathBuf};

use super::frame::{self, Front};
use super::generation::Generation;
use super::segment::{self, HEADER};
use crate::error::StoreError;

/// Where a segment stops being whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The first byte that can't be read.
    pub(crate) offset: u64,
    /// What is wrong there.
    pub(crate) why: &'static str,
}

/// Every segment of every generation in `store`, oldest first, as a path below it.
pub(crate) fn files(store: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for generation in Generation::all(store)? {
        for first in segment::list(&generation.dir)? {
            let path = segment::path(&generation.dir, first);
            found.push(
                path.strip_prefix(store)
                    .map_or(path.clone(), Path::to_owned),
            );
        }
    }
    Ok(found)
}

/// Bytes of the segment that are header and whole frames, and how many frames; none without a whole header.
pub(crate) fn whole_frames(bytes: &[u8]) -> Option<(usize, u64)> {
    bytes.get(..HEADER as usize)?;
    let (mut length, mut frames) = (HEADER as usize, 0);
    while let Front::Frame(payload) = frame::front(bytes.get(length..).unwrap_or_default()) {
        length += frame::PREFIX + payload.len();
        frames += 1;
    }
    Some((length, frames))
}

/// Counts the frames of a segment that must be whole to its end.
pub(crate) fn check(bytes: &[u8]) -> Result<u64, Damage> {
    let damage = |offset, why| Damage { offset, why };
    if !segment::has_magic(bytes) {
        return Err(damage(0, "not a journal segment"));
    }
    let Some((length, frames)) = whole_frames(bytes) else {
        return Err(damage(0, "short header"));
    };
    match frame::front(bytes.get(length..).unwrap_or_default()) {
        _ if length == bytes.len() => Ok(frames),
        Front::Bad(why) => Err(damage(length as u64, why)),
        Front::Short(_) | Front::Frame(_) => Err(damage(length as u64, "incomplete record")),
    }
}
