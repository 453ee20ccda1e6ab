//! The successor's side of an upgrade: is this configuration one to take over with, and when is the store ours?
//!
//! Says `prepared` only when everything that can be known without the store is known to be right. Invariant: nothing
//! of the store is touched before the old process has let go of it, or has gone.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use lintel_config::Snapshot;
use lintel_store::{Store, StoreError};

use crate::exit::Failure;
use crate::serve::talk::{Fixed, New, Old, Silence, Talk};

/// How long the old process may take to say what it runs on, and to let go.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process that is to be taken over from.
#[derive(Debug)]
pub(crate) struct Predecessor {
    talk: Talk,
    /// What it runs on.
    pub(crate) fixed: Fixed,
}

/// How long the kernel may take to let go of the files of a process before that was killed.
const LETTING_GO: Duration = Duration::from_secs(10);

/// Opens the store that a process before has let go of, or has held when it ended: then its lock may outlive for a moment the
/// line that told of its end.
pub(crate) fn store(dir: &Path) -> Result<Store, StoreError> {
    let until = Instant::now() + LETTING_GO;
    loop {
        match Store::open(dir) {
            Err(StoreError::Locked { .. }) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}

impl Predecessor {
    /// Hears what it runs on.
    ///
    /// # Errors
    /// When it says nothing.
    pub(crate) fn meet(stream: UnixStream) -> Result<Self, Failure> {
        let mut talk = Talk::over(stream);
        match talk.hear(PATIENCE, &|| false) {
            Ok(Old::Hello(fixed)) => Ok(Self { talk, fixed }),
            Ok(other) => Err(Failure::failed(format!(
                "the process before said {other:?} instead of what it runs on"
            ))),
            Err(silence) => Err(Failure::failed(format!(
                "the process before did not say what it runs on: {silence}"
            ))),
        }
    }

    /// Whether `snapshot` can take over: addresses, store and node are the same, and the databases are of no newer version.
    ///
    /// # Errors
    /// What is not so, and what to do.
    pub(crate) fn check(&self, snapshot: &Snapshot) -> Result<(), Failure> {
        let (was, is) = (&self.fixed, fixed(snapshot));
        let differ: Vec<String> = [
            ("listen", &was.listen, &is.listen),
            ("admin.listen", &was.admin, &is.admin),
            ("store", &was.store, &is.store),
            ("node", &was.node.to_string(), &is.node.to_string()),
        ]
        .into_iter()
        .filter(|(_, was, is)| was != is)
        .map(|(name, was, is)| format!("`{name}` is {is} and was {was}"))
        .collect();
        if !differ.is_empty() {
            return Err(Failure::failed(format!(
                "{}: an upgrade keeps these; put them back, or stop and start",
                differ.join("; ")
            )));
        }
        lintel_store::refuse_newer(&snapshot.store)
            .map_err(|error| Failure::failed(error.to_string()))
    }

    /// Says that it would take over, and waits until the store is let go of.
    ///
    /// # Errors
    /// When the old process keeps it.
    pub(crate) fn wait_for_the_store(&mut self) -> Result<(), Failure> {
        // When it is gone, there is nobody to tell, and everything to take over.
        let _ = self.talk.say(&New::Prepared);
        match self.talk.hear(PATIENCE, &|| false) {
            Ok(Old::LetGo) | Err(Silence::Gone) => Ok(()),
            Ok(other) => Err(Failure::failed(format!(
                "the process before said {other:?} instead of letting go of the store"
            ))),
            Err(silence) => Err(Failure::failed(format!(
                "the process before did not let go of the store: {silence}"
            ))),
        }
    }

    /// Says that calls are taken here.
    pub(crate) fn serving(&mut self) {
        // When it is gone, there is nobody to tell.
        let _ = self.talk.say(&New::Serving);
    }

    /// Says why this process ends.
    pub(crate) fn refuse(&mut self, why: &Failure) {
        let why = why.to_string();
        // When it is gone, there is nobody to tell.
        let _ = self.talk.say(&New::Refused { why });
    }
}

/// What of `snapshot` can't be another in a successor.
pub(crate) fn fixed(snapshot: &Snapshot) -> Fixed {
    Fixed {
        listen: snapshot.listen.to_string(),
        admin: snapshot.admin.to_string(),
        store: absolute(&snapshot.store),
        node: snapshot.node.0,
        development: None,
    }
}

fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_is_refused_with_both() {
        let mut snapshot = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut old = Talk::over(ours);
        old.say(&Old::Hello(fixed(&snapshot))).unwrap();
        let predecessor = Predecessor::meet(theirs).unwrap();
        predecessor.check(&snapshot).unwrap();
        snapshot.listen = "127.0.0.1:9".parse().unwrap();
        let refused = predecessor.check(&snapshot).unwrap_err();
        assert!(
            refused
                .text
                .contains("`listen` is 127.0.0.1:9 and was 127.0.0.1:8080"),
            "{refused}"
        );
    }

    #[test]
    fn an_old_process_that_dies_leaves_the_store_to_its_successor() {
        let snapshot = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut old = Talk::over(ours);
        old.say(&Old::Hello(fixed(&snapshot))).unwrap();
        let mut predecessor = Predecessor::meet(theirs).unwrap();
        drop(old);
        predecessor.wait_for_the_store().unwrap();
        predecessor.serving();
    }
}
