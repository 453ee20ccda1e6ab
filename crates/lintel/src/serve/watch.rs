//! Whether the configuration file, or a file that it takes certificates from, has changed: its time, size and inode, asked for at intervals.
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

/// The configuration file and the certificates that it names, watched.
#[derive(Debug)]
pub(crate) struct Watches {
    configuration: Option<Watch>,
    certificates: Vec<Watch>,
}

impl Watches {
    /// Watches the configuration file, if there is one, from now on.
    pub(crate) fn new(configuration: Option<&Path>) -> Self {
        Self {
            configuration: configuration.map(|path| Watch::new(path.to_owned())),
            certificates: Vec::new(),
        }
    }

    /// What has changed, by its name in the audit: the file, or a certificate or key among `files`, which are those in force.
    pub(crate) fn changed(&mut self, files: Vec<PathBuf>) -> Option<&'static str> {
        let watched = self.certificates.iter().map(|watch| &watch.path);
        if !watched.eq(files.iter()) {
            self.certificates = files.into_iter().map(Watch::new).collect();
        }
        // Every one is looked at, so that two that change together are told once.
        let changed = |watch: &mut Watch| watch.changed();
        let certificates = self
            .certificates
            .iter_mut()
            .filter_map(|w| changed(w).then_some(()))
            .count();
        if self.configuration.as_mut().is_some_and(changed) {
            return Some("file");
        }
        (certificates > 0).then_some("certificate")
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

    #[test]
    fn a_certificate_that_changes_is_told_and_so_is_the_configuration() {
        let scratch = Scratch::new();
        let at = |name: &str| scratch.path().join(name);
        for name in ["lintel.yaml", "cert", "key"] {
            std::fs::write(at(name), "a").unwrap();
        }
        let mut watches = Watches::new(Some(&at("lintel.yaml")));
        let files = || vec![at("cert"), at("key")];
        assert_eq!(watches.changed(files()), None);
        std::fs::write(at("cert"), "ab").unwrap();
        std::fs::write(at("key"), "ab").unwrap();
        assert_eq!(watches.changed(files()), None, "still moving");
        assert_eq!(watches.changed(files()), Some("certificate"));
        assert_eq!(watches.changed(files()), None, "told already");
        std::fs::write(at("lintel.yaml"), "ab").unwrap();
        assert_eq!(watches.changed(vec![at("cert")]), None);
        assert_eq!(watches.changed(vec![at("cert")]), Some("file"));
    }
}
