//! The store directory and its lock: one process a directory.
//!
//! Knows nothing of what lies in the files. Invariant: while a [`Store`] holds it, no other process holds the same
//! directory; the kernel drops the lock with the process, so a crash leaves nothing to clean.

use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::journal::{Claim, Generation};
use crate::private;

const LOCK: &str = "lock";

/// The right to use a store directory. Keep it alive as long as journal, projection and control are.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    lock: File,
}

/// The process that holds the store in `dir`; none where none does.
pub fn holder(dir: &Path) -> Option<u32> {
    let lock = File::open(dir.join(LOCK)).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => named(dir),
        // Let go at once: nobody holds it.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Who holds the store in `dir`, or held it last, as it says in the lock's file.
fn named(dir: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(dir.join(LOCK)).ok()?;
    text.trim().parse().ok()
}

impl Store {
    /// Makes the directory (mode 0700) where needed and locks it. Refuses when another process holds it, naming its pid.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        private::make_dir(dir).map_err(StoreError::io("make the store directory", dir))?;
        let path = dir.join(LOCK);
        let lock = private::open_file(&path).map_err(StoreError::io("open", &path))?;
        let store = Store {
            dir: dir.to_owned(),
            lock,
        };
        store.hold()?;
        Ok(store)
    }

    /// Lets another process hold the directory. This one must change nothing in it from now on, but what its own
    /// generation of the journal holds.
    pub fn let_go(&self) -> Result<(), StoreError> {
        let path = self.dir.join(LOCK);
        self.lock.unlock().map_err(StoreError::io("unlock", path))
    }

    /// Holds the directory again after [`Store::let_go`]. Refuses as [`Store::open`] does.
    pub fn hold(&self) -> Result<(), StoreError> {
        let path = self.dir.join(LOCK);
        match self.lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    dir: self.dir.clone(),
                    pid: named(&self.dir).map_or_else(|| "unknown".to_owned(), |p| p.to_string()),
                });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
        }
        let mut lock = &self.lock;
        let named = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()));
        named.map_err(StoreError::io("write", &path))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// A store that no process uses, and that none can begin to use while this lives.
#[derive(Debug)]
pub(crate) struct Unused {
    _lock: Option<File>,
    _generations: Vec<Claim>,
}

/// Refuses a directory that a process holds, or in whose journal one still writes the end of its calls.
pub(crate) fn unused(dir: &Path) -> Result<Unused, StoreError> {
    let locked = || StoreError::Locked {
        dir: dir.to_owned(),
        pid: named(dir).map_or_else(|| "unknown".to_owned(), |pid| pid.to_string()),
    };
    let path = dir.join(LOCK);
    let lock = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        file => Some(file.map_err(StoreError::io("open", &path))?),
    };
    match lock.as_ref().map_or(Ok(()), File::try_lock) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked()),
        Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
    }
    let mut generations = Vec::new();
    for generation in Generation::all(dir)? {
        generations.push(generation.claim()?.ok_or_else(locked)?);
    }
    Ok(Unused {
        _lock: lock,
        _generations: generations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Scratch;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_holder_is_refused_with_the_first_ones_pid() {
        let scratch = Scratch::new();
        let store = Store::open(scratch.path()).unwrap();
        let refused = Store::open(scratch.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        drop(store);
        Store::open(scratch.path()).unwrap();
    }

    #[test]
    fn what_is_let_go_can_be_held_by_another_and_taken_back() {
        let scratch = Scratch::new();
        let first = Store::open(scratch.path()).unwrap();
        first.let_go().unwrap();
        let second = Store::open(scratch.path()).unwrap();
        assert!(matches!(first.hold(), Err(StoreError::Locked { .. })));
        drop(second);
        first.hold().unwrap();
        assert!(Store::open(scratch.path()).is_err());
        assert_eq!(holder(scratch.path()), Some(std::process::id()));
        drop(first);
        assert_eq!(holder(scratch.path()), None);
    }

    #[test]
    fn the_directory_is_closed_to_others() {
        let scratch = Scratch::new();
        let dir = scratch.path().join("a/b");
        Store::open(&dir).unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(LOCK))), (0o700, 0o600));
    }
}
