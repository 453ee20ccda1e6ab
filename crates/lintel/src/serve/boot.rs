//! The order of start.
//!
//! Configuration, the store and its lock, the listeners, journal and projection, the data plane with its
//! keys, the control API, then the ready line. What fails is told before anything is served; how it all
//! ends is in `stop`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lintel_admin::{AdminToken, DataPlane, Deps as AdminDeps, Keyring, Reload, router};
use lintel_config::{AdminAddress, Problem, Snapshot};
use lintel_gateway::{Deps, Running, SystemClock, SystemResolver};
use lintel_store::{Migrated, Recovery, Store};
use lintel_telemetry::{Level, LineWriter, LogEvent, Metrics};
use lintel_types::Clock;
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::exit::Failure;
use crate::serve::books::Books;
use crate::serve::calls::{self, CallLines, Dial};
use crate::serve::development::Development;
use crate::serve::lines::{self, Writer};
use crate::serve::listeners::{Inherited, Listeners};
use crate::serve::predecessor::{self, Predecessor};
use crate::serve::reloader::Reloader;
use crate::serve::rounds::{Rounds, Tools};
use crate::serve::stop::{Parts, until_stopped};
use crate::serve::talk::Fixed;
use crate::serve::upgrade::{Program, Sockets};
use crate::serve::wait::Early;
use crate::serve::{files, process, token};
use crate::source::{self, Source};

/// Who changes things through the control API, in the audit.
const ADMIN: &str = "admin";
/// How long the last log lines may take to be written.
const LOG_STOP: Duration = Duration::from_secs(2);

/// Runs a gateway configured by `source` until it is told to stop.
///
/// # Errors
/// When it can't start; nothing was served then.
pub(crate) fn run(source: &Source) -> Result<(), Failure> {
    // First, while there is one thread: it takes the variables that say so out of the environment.
    let mut inherited = Inherited::take()?;
    let mut predecessor = inherited
        .upgrade
        .take()
        .map(Predecessor::meet)
        .transpose()?;
    let outcome = start(source, inherited, &mut predecessor);
    if let (Err(failure), Some(predecessor)) = (&outcome, &mut predecessor) {
        predecessor.refuse(failure);
    }
    outcome
}

/// Everything, from the first look at the configuration on.
fn start(
    source: &Source,
    inherited: Inherited,
    predecessor: &mut Option<Predecessor>,
) -> Result<(), Failure> {
    let cant = |what: &str, error: io::Error| Failure::failed(format!("can't {what}: {error}"));
    let program = Program::of_this_process()
        .map_err(|error| cant("find the file that this process runs", error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(|error| cant("wait for signals", error))?;
    let early = {
        let _inside = runtime.enter();
        Early::listen().map_err(|error| cant("wait for signals", error))?
    };
    let loaded = source.load().map_err(|problems| {
        Failure::failed(format!("the configuration is not sound:\n{problems}"))
    })?;
    let snapshot = Arc::new(loaded.snapshot);
    let metrics = Metrics::default();
    let (log, reader) = metrics.lines(lines::QUEUE, calls::settings(snapshot.log));
    let writer = Writer::start(reader, io::stderr())
        .map_err(|error| Failure::failed(format!("can't start the log's thread: {error}")))?;
    let start = Start {
        clock: Arc::new(SystemClock::new()),
        source,
        snapshot,
        metrics,
        log,
    };
    let began = start.clock.wall();
    start.metrics.watch_process(move || process::read(began));
    start.tell_warnings(&loaded.warnings);
    let outcome = start.serve(inherited, program, &runtime, early, predecessor);
    drop(start);
    writer.finish(LOG_STOP);
    outcome
}

/// What every part is made from.
struct Start<'a> {
    clock: Arc<SystemClock>,
    source: &'a Source,
    snapshot: Arc<Snapshot>,
    metrics: Metrics,
    log: LineWriter,
}

impl Start<'_> {
    fn serve(
        &self,
        inherited: Inherited,
        program: Program,
        runtime: &Runtime,
        early: Early,
        predecessor: &mut Option<Predecessor>,
    ) -> Result<(), Failure> {
        if let Some(shortage) = files::raise(self.snapshot.limits.connections) {
            let event = self.event(shortage.level, "open-file limit");
            self.log.event(&event.field("detail", shortage.text));
        }
        if let Some(predecessor) = predecessor {
            predecessor.check(&self.snapshot)?;
            predecessor.wait_for_the_store()?;
        }
        let store = match predecessor {
            None => Store::open(&self.snapshot.store),
            Some(_) => predecessor::store(&self.snapshot.store),
        };
        let store = store.map_err(told)?;
        let listeners = self.listeners(inherited, predecessor.is_some())?;
        let sockets = Sockets::of(&listeners.data, &listeners.admin).map_err(told)?;
        let token = self.token(store.dir())?;
        let dial = Dial::new(self.log.clone(), self.snapshot.log);
        let sink = CallLines {
            dial: dial.clone(),
            metrics: self.metrics.clone(),
            clock: self.clock(),
        };
        let books = Books::open(
            store,
            &self.snapshot,
            self.clock(),
            Box::new(sink),
            &self.log,
        )
        .map_err(told)?;
        self.tell_migrations(&books.migrated);
        self.tell_recovery(&books.recovery);
        let development = self.development(predecessor.as_ref())?;
        let plane = self.plane(listeners.data, &books, development.as_ref())?;
        let own = development.iter().map(|own| own.entry.clone()).collect();
        let handle = Arc::new(plane.handle.clone());
        let keyring = Arc::new(Keyring::new(
            books.control.clone(),
            handle as Arc<dyn DataPlane>,
            own,
        ));
        let reload = self.reloader(&books, &plane, &keyring, dial);
        let rounds = self.rounds(&books, &plane, &keyring)?;
        let api = router(self.api(&books, &plane, Arc::clone(&keyring), &reload, &token))
            .map_err(told)?;
        let handle = plane.handle.clone();
        let certificate = Arc::new(move || handle.snapshot().admin_tls.clone());
        let metrics = self.metrics.clone();
        let admin = lintel_admin::serve::start(listeners.admin, api, certificate, metrics)
            .map_err(|error| Failure::failed(format!("can't start the admin listener: {error}")))?;
        // Last: a step that fails before has cost nobody a call.
        plane.serve();
        let greeting = self.greeting(development.as_ref(), plane.local_addr, admin.address());
        let parts = Parts {
            plane,
            admin,
            books,
            rounds,
            reload,
            keyring,
            program: Arc::new(program),
            sockets: Arc::new(sockets),
            fixed: Fixed {
                development: development.as_ref().map(Development::key),
                ..predecessor::fixed(&self.snapshot)
            },
            log: self.log.clone(),
            clock: self.clock(),
        };
        let running = until_stopped(parts, self.source, &greeting, early, predecessor);
        runtime.block_on(running)
    }

    /// Early: that an address is in use is told before the store is opened for writing.
    fn listeners(&self, inherited: Inherited, handed_down: bool) -> Result<Listeners, Failure> {
        let listeners = Listeners::open(inherited, &self.snapshot)?;
        // A predecessor's sockets are at its addresses, which are the same as configured here.
        for told in listeners.told.iter().filter(|_| !handed_down) {
            let event = self.event(Level::Warn, "inherited listener");
            self.log.event(&event.field("detail", told.clone()));
        }
        Ok(listeners)
    }

    /// The development key, when there is no configuration: the predecessor's, else a new one.
    fn development(&self, before: Option<&Predecessor>) -> Result<Option<Development>, Failure> {
        if let Source::File(_) = self.source {
            return Ok(None);
        }
        let known = before.and_then(|before| before.fixed.development.clone());
        let development = match known {
            Some(key) => Development::of(key),
            None => Development::mint().map_err(told)?,
        };
        Ok(Some(development))
    }

    /// The admin token; a short one is told about.
    fn token(&self, store: &Path) -> Result<String, Failure> {
        let given = source::env("LINTEL_ADMIN_TOKEN");
        let loopback = self.snapshot.admin.is_local();
        let token = token::admin_token(given, store, loopback)?;
        if token::is_short(&token) {
            let detail = "it has fewer than 16 characters, which anyone on this machine can guess: give it more, or leave LINTEL_ADMIN_TOKEN unset";
            let event = self.event(Level::Warn, "short admin token");
            self.log.event(&event.field("detail", detail));
        }
        Ok(token)
    }

    /// The data plane, with its keys from the first call on.
    fn plane(
        &self,
        listener: TcpListener,
        books: &Books,
        development: Option<&Development>,
    ) -> Result<Running, Failure> {
        let mut keys = lintel_admin::entries(&books.control, &self.snapshot).map_err(told)?;
        keys.extend(development.map(|development| development.entry.clone()));
        let journal = books.journal.clone();
        self.metrics.watch_journal(move || journal.pending() as u64);
        let deps = Deps {
            listener,
            snapshot: Arc::clone(&self.snapshot),
            keys,
            journal: books.journal.clone(),
            queries: Some(books.queries.clone()),
            metrics: self.metrics.clone(),
            lines: self.log.clone(),
            threads: 0,
            clock: SystemClock::clone(&self.clock),
            resolve: Arc::new(SystemResolver),
            probe: None,
        };
        lintel_gateway::start(deps).map_err(told)
    }

    fn rounds(
        &self,
        books: &Books,
        plane: &Running,
        keyring: &Arc<Keyring>,
    ) -> Result<Rounds, Failure> {
        let started = Rounds::start(Tools {
            keyring: Arc::clone(keyring),
            control: books.control.clone(),
            plane: plane.handle.clone(),
            journal: books.journal.clone(),
            projection: Arc::downgrade(&books.projection),
            turn: Arc::clone(&books.turn),
            dir: books.dir().to_owned(),
            log: self.log.clone(),
            clock: self.clock(),
        });
        started
            .map_err(|error| Failure::failed(format!("can't start the thread of rounds: {error}")))
    }

    fn reloader(
        &self,
        books: &Books,
        plane: &Running,
        keyring: &Arc<Keyring>,
        dial: Dial,
    ) -> Arc<dyn Reload> {
        Arc::new(Reloader {
            source: self.source.clone(),
            first: Arc::clone(&self.snapshot),
            plane: plane.handle.clone(),
            keyring: Arc::clone(keyring),
            control: books.control.clone(),
            upkeep: Arc::clone(&books.keepers.upkeep),
            dial,
            log: self.log.clone(),
            metrics: self.metrics.clone(),
            clock: self.clock(),
            alone: Mutex::new(()),
            refused: Mutex::new(None),
        })
    }

    fn api(
        &self,
        books: &Books,
        plane: &Running,
        keyring: Arc<Keyring>,
        reload: &Arc<dyn Reload>,
        token: &str,
    ) -> AdminDeps {
        AdminDeps {
            control: books.control.clone(),
            queries: books.queries.clone(),
            journal: books.journal.clone(),
            projection: Arc::downgrade(&books.projection),
            backups: Arc::clone(&books.keepers.backups),
            upkeep: Arc::clone(&books.keepers.upkeep),
            plane: Arc::new(plane.handle.clone()),
            keyring,
            reload: Arc::clone(reload),
            metrics: self.metrics.clone(),
            log: self.log.clone(),
            token: AdminToken::new(ADMIN, token),
            clock: self.clock(),
        }
    }

    /// What standard output gets once calls are taken; the last line says where.
    fn greeting(
        &self,
        development: Option<&Development>,
        listen: SocketAddr,
        admin: &AdminAddress,
    ) -> String {
        let first = format!(
            "lintel {}, configured by {}\n",
            env!("CARGO_PKG_VERSION"),
            self.source.name()
        );
        let key = development
            .map(|development| development.greeting(listen))
            .unwrap_or_default();
        let scheme = |tls: bool| if tls { "https" } else { "http" };
        let data = scheme(self.snapshot.tls.is_some());
        let admin = match admin {
            AdminAddress::Tcp(admin) => {
                format!("{}://{admin}", scheme(self.snapshot.admin_tls.is_some()))
            }
            file => file.to_string(),
        };
        format!("{first}{key}listening on {data}://{listen} (admin {admin})\n")
    }

    fn tell_warnings(&self, warnings: &[Problem]) {
        for warning in warnings {
            self.log.event(
                &self
                    .event(Level::Warn, "configuration warning")
                    .field("error", warning.to_string()),
            );
        }
    }

    fn tell_migrations(&self, migrated: &[Migrated]) {
        for step in migrated {
            let event = self.event(Level::Info, "database migrated");
            let event = event
                .field("file", step.path.display().to_string())
                .field("migration", step.name)
                .field("version", step.version.unsigned_abs());
            self.log
                .event(&event.field("milliseconds", step.took.as_millis() as u64));
        }
    }

    fn tell_recovery(&self, recovery: &Recovery) {
        if recovery.orphans > 0 || recovery.truncated_bytes > 0 {
            let event = self.event(Level::Warn, "the process before did not end in order");
            self.log.event(
                &event
                    .field("orphans", recovery.orphans)
                    .field("truncated_bytes", recovery.truncated_bytes),
            );
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn event(&self, level: Level, text: &'static str) -> LogEvent<'static> {
        LogEvent::new(self.clock.wall(), level, text)
    }
}

/// An error whose own text already names the thing and the remedy.
fn told(error: impl std::error::Error) -> Failure {
    Failure::failed(error.to_string())
}
