//! A generation: the segments that one process at a time appends to, and the lock that says whether one does.
//!
//! While an old process still serves its last calls and a new one serves already, both append, each to a generation of
//! its own; nobody appends to another's. Knows no record. Invariants: the newest generation that nobody holds is
//! continued by the next process; a number is given once; the kernel drops a claim with its process, so a crash leaves
//! nothing to clean. Only the holder of the store's lock looks for generations: nobody makes one behind its back.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::segment;
use crate::error::StoreError;
use crate::private;

const LOCK: &str = "journal.lock";
const PREFIX: &str = "journal-";

/// Where the segments of a generation lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generation {
    /// The first is 0 and lies in the store directory itself; the others have a folder each.
    pub(crate) number: u64,
    /// The folder.
    pub(crate) dir: PathBuf,
}

/// The right to append to a generation, or to remove it.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
}

impl Generation {
    fn at(store: &Path, number: u64) -> Self {
        let dir = match number {
            0 => store.to_owned(),
            n => store.join(format!("{PREFIX}{n:06}")),
        };
        Self { number, dir }
    }

    /// The generations in `store`, oldest first.
    pub(crate) fn all(store: &Path) -> Result<Vec<Generation>, StoreError> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(store).map_err(StoreError::io("list", store))? {
            let entry = entry.map_err(StoreError::io("list", store))?;
            let name = entry.file_name();
            let digits = name.to_str().and_then(|n| n.strip_prefix(PREFIX));
            let number = digits.and_then(|d| d.parse::<u64>().ok());
            numbers.extend(number.filter(|_| entry.path().is_dir()));
        }
        if store.join(LOCK).exists() || !segment::list(store)?.is_empty() {
            numbers.push(0);
        }
        numbers.sort_unstable();
        Ok(numbers.into_iter().map(|n| Self::at(store, n)).collect())
    }

    /// The generation that a process which opens `store` appends to: the newest when nobody else does, else a new one.
    pub(crate) fn own(store: &Path) -> Result<(Generation, Claim), StoreError> {
        let newest = Self::all(store)?.pop();
        if let Some(newest) = &newest
            && let Some(claim) = newest.claim()?
        {
            return Ok((newest.clone(), claim));
        }
        let fresh = Self::at(store, newest.map_or(0, |newest| newest.number + 1));
        private::make_dir(&fresh.dir).map_err(StoreError::io("make", &fresh.dir))?;
        let claim = fresh.claim()?.ok_or_else(|| {
            let held = std::io::ErrorKind::WouldBlock.into();
            StoreError::io("lock", fresh.dir.join(LOCK))(held)
        })?;
        Ok((fresh, claim))
    }

    /// Claims it. None: a process that is alive appends to it.
    pub(crate) fn claim(&self) -> Result<Option<Claim>, StoreError> {
        let path = self.dir.join(LOCK);
        let lock = private::open_file(&path).map_err(StoreError::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Claim { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
        }
    }

    /// Removes its files: what they held is applied, and safe. Oldest segment first, so that what is left
    /// after a crash is a journal that begins later.
    pub(crate) fn remove(&self, _claim: &Claim) -> Result<(), StoreError> {
        for first in segment::list(&self.dir)? {
            let path = segment::path(&self.dir, first);
            std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        let lock = self.dir.join(LOCK);
        std::fs::remove_file(&lock).map_err(StoreError::io("remove", &lock))?;
        if self.number > 0 {
            std::fs::remove_dir(&self.dir).map_err(StoreError::io("remove", &self.dir))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Scratch;

    #[test]
    fn a_generation_is_continued_when_nobody_holds_it_and_followed_by_a_new_one_when_somebody_does()
    {
        let scratch = Scratch::new();
        let (first, held) = Generation::own(scratch.path()).unwrap();
        assert_eq!((first.number, first.dir.as_path()), (0, scratch.path()));
        let (second, also_held) = Generation::own(scratch.path()).unwrap();
        assert_eq!(second.number, 1);
        assert!(first.claim().unwrap().is_none() && second.claim().unwrap().is_none());
        drop((held, also_held));
        assert_eq!(Generation::own(scratch.path()).unwrap().0, second);
        first.remove(&first.claim().unwrap().unwrap()).unwrap();
        assert_eq!(Generation::all(scratch.path()).unwrap(), [second]);
        assert!(scratch.path().exists());
    }

    #[test]
    fn a_journal_without_a_lock_file_is_the_first_generation() {
        let scratch = Scratch::new();
        std::fs::write(segment::path(scratch.path(), 7), b"").unwrap();
        std::fs::write(scratch.path().join("journal-000003"), b"no folder").unwrap();
        let (first, _claim) = Generation::own(scratch.path()).unwrap();
        assert_eq!(first.number, 0);
    }
}
