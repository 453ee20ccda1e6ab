//! The stores of a running gateway, opened in order and closed in order.
//!
//! Knows no call. Invariant: the store's lock outlives everything that writes in its directory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lintel_config::{Durability, Snapshot};
use lintel_store::{
    Backups, Control, Journal, JournalOptions, Migrated, Projection, Queries, Recovery,
    SettledSink, Store, StoreError, Upkeep,
};
use lintel_telemetry::LineWriter;
use lintel_types::Clock;
use parking_lot::Mutex;

use crate::serve::declare::declare;
use crate::serve::keepers::Keepers;

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
    /// Retention, compaction, backups.
    pub(crate) keepers: Keepers,
    /// Held while a tenant is erased.
    pub(crate) turn: Arc<Mutex<()>>,
    store: Arc<Store>,
}

/// Who may change the store: this process, or the one that takes over from it.
#[derive(Debug, Clone)]
pub(crate) struct Reins {
    control: Control,
    projection: Arc<Projection>,
    upkeep: Arc<Upkeep>,
    backups: Arc<Backups>,
    turn: Arc<Mutex<()>>,
    store: Arc<Store>,
}

/// How long what is being done to the store may take to end before it is let go of.
const LET_GO: Duration = Duration::from_secs(30);
/// How long a store may stay another's that was let go of for a successor which has died.
const TAKE_BACK: Duration = Duration::from_secs(10);

impl Reins {
    /// Lets go, once nothing works on the databases any more: this process only appends to its own journal from now on. A
    /// backup under way is broken off.
    ///
    /// # Errors
    /// When a tenant's erasure takes too long to wait for, or the lock can't be given up.
    pub(crate) fn let_go(&self) -> Result<(), String> {
        self.control.let_go();
        if self.turn.try_lock_for(LET_GO).is_none() {
            return Err("a tenant is being erased: upgrade when that is done".to_owned());
        }
        self.backups.stop();
        self.upkeep.pause(true);
        self.projection.pause();
        self.store.let_go().map_err(|error| error.to_string())
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// When another process has taken the store meanwhile: that one carries this one's calls into the books.
    pub(crate) fn take_back(&self) -> Result<(), String> {
        let until = Instant::now() + TAKE_BACK;
        while let Err(error) = self.store.hold() {
            if Instant::now() >= until {
                return Err(format!(
                    "a third process took the store during an upgrade, and this one can't have it back: {error}"
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.projection.resume();
        self.upkeep.pause(false);
        self.control.take_back();
        Ok(())
    }
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
        log: &LineWriter,
    ) -> Result<Self, StoreError> {
        let dir = store.dir();
        let now = clock.wall();
        let mut migrated = Vec::new();
        lintel_store::prepare(dir, &mut |step| migrated.push(step))?;
        let control = Control::open(dir, Arc::clone(&clock))?;
        declare(&control, &snapshot.tenants)?;
        let (journal, recovery) = Journal::open(dir, options(snapshot), now)?;
        let projection = Arc::new(Projection::start(dir, journal.clone(), vec![sink])?);
        let queries = Queries::open(dir)?;
        let keepers = Keepers::start(dir, snapshot, &control, &projection, &clock, log)?;
        Ok(Self {
            control,
            journal,
            queries,
            projection,
            recovery,
            migrated,
            keepers,
            turn: Arc::default(),
            store: Arc::new(store),
        })
    }

    /// What changes hands in an upgrade.
    pub(crate) fn reins(&self) -> Reins {
        Reins {
            control: self.control.clone(),
            projection: Arc::clone(&self.projection),
            upkeep: Arc::clone(&self.keepers.upkeep),
            backups: Arc::clone(&self.keepers.backups),
            turn: Arc::clone(&self.turn),
            store: Arc::clone(&self.store),
        }
    }

    /// Closes what a successor carries on: this process's last records are in its journal.
    pub(crate) fn leave(self) {
        self.keepers.stop();
        if let Some(projection) = Arc::into_inner(self.projection) {
            projection.stop();
        }
    }

    /// The store directory.
    pub(crate) fn dir(&self) -> &Path {
        self.store.dir()
    }

    /// Carries everything that was written into ledger and log, and closes. Gives what could not be carried, for the log.
    pub(crate) fn close(self) -> Option<String> {
        let Self {
            projection,
            keepers,
            store,
            ..
        } = self;
        // Whoever makes a backup holds the projection.
        keepers.stop();
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
            &lintel_telemetry::Metrics::default()
                .lines(16, lintel_telemetry::Level::Error)
                .0,
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
