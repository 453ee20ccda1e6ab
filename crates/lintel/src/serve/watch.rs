//! Whether the configuration file has changed: its time, size and inode, asked for at intervals.
//!
//! A change counts once it has stood still for one interval: a file that is just being written may
//! be a shorter file that is valid, and must not be put in force.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is looked at; a change is seen after one to two of these.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);

/// What tells two versions of a file apart. None: it is not there.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

/// One file, watched.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    loaded: Stamp,
    last: Stamp,
}

impl Watch {
    /// Watches `path` from now on.
    pub(crate) fn new(path: PathBuf) -> Self {
        let stamp = stamp(&path);
        Self {
            path,
            loaded: stamp,
            last: stamp,
        }
    }

    /// Whether the file has changed and stood still since the last look. True once a change.
    pub(crate) fn changed(&mut self) -> bool {
        let now = stamp(&self.path);
        let settled = now == self.last;
        self.last = now;
        if !settled || now == self.loaded {
            return false;
        }
        self.loaded = now;
        true
    }
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((
        meta.dev(),
        meta.ino(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.size(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_change_counts_once_and_only_when_it_stands_still() {
        let scratch = Scratch::new();
        let path = scratch.path().join("lintel.yaml");
        std::fs::write(&path, "a").unwrap();
        let mut watch = Watch::new(path.clone());
        assert!(!watch.changed());
        std::fs::write(&path, "ab").unwrap();
        assert!(!watch.changed(), "still moving");
        std::fs::write(&path, "abc").unwrap();
        assert!(!watch.changed(), "moved again");
        assert!(watch.changed());
        assert!(!watch.changed(), "told already");
    }

    #[test]
    fn a_file_put_in_its_place_is_a_change_even_at_the_same_size() {
        let scratch = Scratch::new();
        let (path, next) = (
            scratch.path().join("lintel.yaml"),
            scratch.path().join("next"),
        );
        std::fs::write(&path, "a").unwrap();
        let mut watch = Watch::new(path.clone());
        std::fs::write(&next, "b").unwrap();
        std::fs::rename(&next, &path).unwrap();
        assert!(!watch.changed());
        assert!(watch.changed());
    }
}
