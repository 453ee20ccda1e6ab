//! The stores of a running gateway, opened in order and closed in order.
//!
//! Knows no call. Invariant: the store's lock outlives everything that writes in its directory.

use std::path::Path;
use std::sync::Arc;

use lintel_config::{Durability, Snapshot};
use lintel_store::{
    Control, Journal, JournalOptions, Migrated, Projection, Queries, Recovery, SettledSink, Store,
    StoreError,
};
use lintel_types::Clock;

use crate::serve::declare::declare;

/// Everything that outlives the process, open.
pub(crate) struct Books {
    /// Tenants, projects, keys, audit.
    pub(crate) control: Control,
    /// Where calls are written.
    pub(crate) journal: Journal,
    /// Where they are read back.
    pub(crate) queries: Queries,
    /// What carries one to the other. One strong owner: here.
    pub(crate) projection: Arc<Projection>,
    /// What the journal found and mended.
    pub(crate) recovery: Recovery,
    /// Which databases came from a former version.
    pub(crate) migrated: Vec<Migrated>,
    store: Store,
}

impl Books {
    /// Opens the stores in the directory that `store` has locked, and makes what `snapshot` declares.
    ///
    /// # Errors
    /// When a file can't be opened, is damaged, or was written by a newer version.
    pub(crate) fn open(
        store: Store,
        snapshot: &Snapshot,
        clock: Arc<dyn Clock>,
        sink: Box<dyn SettledSink>,
    ) -> Result<Self, StoreError> {
        let dir = store.dir();
        let now = clock.wall();
        let mut migrated = Vec::new();
        lintel_store::prepare(dir, &mut |step| migrated.push(step))?;
        let control = Control::open(dir, clock)?;
        declare(&control, &snapshot.tenants)?;
        let (journal, recovery) = Journal::open(dir, options(snapshot), now)?;
        let projection = Arc::new(Projection::start(dir, journal.clone(), vec![sink])?);
        let queries = Queries::open(dir)?;
        Ok(Self {
            control,
            journal,
            queries,
            projection,
            recovery,
            migrated,
            store,
        })
    }

    /// The store directory.
    pub(crate) fn dir(&self) -> &Path {
        self.store.dir()
    }

    /// Carries everything that was written into ledger and log, and closes. Gives what could not be carried, for the log.
    pub(crate) fn close(self) -> Option<String> {
        let Self {
            projection, store, ..
        } = self;
        // Whoever else looked at it has stopped by now; should one still hold it, its drop ends the thread.
        let status = Arc::into_inner(projection)?.stop();
        drop(store);
        let errors = [("ledger", status.ledger), ("log", status.log)];
        let left = errors
            .into_iter()
            .filter(|(_, lane)| lane.lag > 0)
            .map(|(name, lane)| {
                format!(
                    "{name}: {} records wait for the next start: {}",
                    lane.lag,
                    lane.error.unwrap_or_default()
                )
            });
        let left: Vec<String> = left.collect();
        (!left.is_empty()).then(|| left.join("; "))
    }
}

fn options(snapshot: &Snapshot) -> JournalOptions {
    let durability = match snapshot.durability {
        Durability::Process => lintel_store::Durability::Process,
        Durability::Disk => lintel_store::Durability::Disk,
    };
    JournalOptions {
        durability,
        capacity: snapshot.limits.in_flight,
        ..JournalOptions::new(snapshot.node)
    }
}

#[cfg(test)]
mod tests {
    use lintel_gateway::SystemClock;
    use lintel_types::{Orphaned, Settled};

    use super::*;
    use crate::scratch::Scratch;

    struct Nowhere;

    impl SettledSink for Nowhere {
        fn settled(&mut self, _: &Settled) {}
        fn orphaned(&mut self, _: &Orphaned) {}
    }

    fn open(scratch: &Scratch, snapshot: &Snapshot) -> Result<Books, StoreError> {
        Books::open(
            Store::open(scratch.path())?,
            snapshot,
            Arc::new(SystemClock::new()),
            Box::new(Nowhere),
        )
    }

    #[test]
    fn what_is_declared_stands_and_is_declared_once() {
        let scratch = Scratch::new();
        let text = "providers: { box: { protocol: sandbox } }\ntenants: { acme: { projects: { search: {} } } }\n";
        let snapshot = lintel_config::load(text, "lintel.yaml", &|_| None, &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        })
        .unwrap()
        .snapshot;
        for _ in 0..2 {
            let books = open(&scratch, &snapshot).unwrap();
            assert_eq!(books.control.tenants().unwrap().len(), 1);
            assert_eq!(books.control.projects(Some("acme")).unwrap().len(), 1);
            assert_eq!(
                books.control.audit(None, 10).unwrap().len(),
                2,
                "a tenant and a project, once each"
            );
            assert_eq!(books.close(), None);
        }
    }

    #[test]
    fn a_directory_in_use_is_refused_with_the_holder() {
        let scratch = Scratch::new();
        let snapshot = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let _books = open(&scratch, &snapshot).unwrap();
        let refused = Store::open(scratch.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
    }
}
