//! The store directory and its lock: one process a directory.
//!
//! Knows nothing of what lies in the files. Invariant: while a [`Store`] lives, no other process has one
//! on the same directory; the kernel drops the lock with the process, so a crash leaves nothing to clean.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::private;

const LOCK: &str = "lock";

/// The right to use a store directory. Keep it alive as long as journal, projection and control are.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Makes the directory (mode 0700) where needed and locks it. Refuses when another process holds it, naming its pid.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        private::make_dir(dir).map_err(StoreError::io("make the store directory", dir))?;
        let path = dir.join(LOCK);
        let mut lock = private::open_file(&path).map_err(StoreError::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = lock.read_to_string(&mut pid);
                let known = read.is_ok() && !pid.trim().is_empty();
                let pid = if known {
                    pid.trim().to_owned()
                } else {
                    "unknown".to_owned()
                };
                return Err(StoreError::Locked {
                    dir: dir.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
        }
        let named = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()));
        named.map_err(StoreError::io("write", &path))?;
        Ok(Store {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Refuses a directory that a process holds, without touching it.
pub(crate) fn refuse_locked(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(LOCK);
    let file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(StoreError::io("open", &path))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            dir: dir.to_owned(),
            pid: std::fs::read_to_string(&path)
                .map(|pid| pid.trim().to_owned())
                .unwrap_or_else(|_| "unknown".to_owned()),
        }),
        Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
    }
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
    fn the_directory_is_closed_to_others() {
        let scratch = Scratch::new();
        let dir = scratch.path().join("a/b");
        Store::open(&dir).unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(LOCK))), (0o700, 0o600));
    }
}
