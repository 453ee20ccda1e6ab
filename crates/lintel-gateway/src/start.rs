//! Starting and stopping the data plane: one listening socket, one thread a core, one runtime a thread.
//!
//! Where the socket comes from is the caller's business: bound by it, or inherited from whoever started the process.
//! A thread shares nothing that it would have to lock on a call's path: its connections to providers are
//! its own. How it ends is in `drain`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use lintel_config::Snapshot;
use lintel_policy::Counter;
use lintel_store::{Journal, Queries};
use lintel_telemetry::{LineWriter, Metrics};
use lintel_types::{Clock as _, IdSource};
use tokio::sync::watch;

use crate::clock::{SystemClock, SystemEntropy};
use crate::commit::Committer;
use crate::control::{ControlHandle, KeyEntry};
use crate::cut::{self, Roll};
use crate::drain::{Phase, idle_or_cut};
use crate::listen;
use crate::objects::Index;
use crate::probe::{Probe, Step};
use crate::shared::Shared;
use crate::upstream::{self, Pool, Resolve, Resolver, Tokens, Told};

/// What the data plane needs.
pub struct Deps {
    /// Where calls come in: bound, and listening.
    pub listener: std::net::TcpListener,
    /// The configuration to begin with.
    pub snapshot: Arc<Snapshot>,
    /// The keys to begin with.
    pub keys: Vec<KeyEntry>,
    /// The journal.
    pub journal: Journal,
    /// The rows of objects that providers keep; none remembers only those made while this process runs.
    pub queries: Option<Queries>,
    /// The metrics.
    pub metrics: Metrics,
    /// The log.
    pub lines: LineWriter,
    /// Threads; 0 takes as many as there are cores.
    pub threads: usize,
    /// The clocks.
    pub clock: SystemClock,
    /// Finds the addresses of providers' names.
    pub resolve: Arc<dyn Resolve>,
    /// Sees each step of each call begin. For tests.
    pub probe: Option<Arc<dyn Fn(Step) + Send + Sync>>,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// The data plane can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listening socket can't be used.
    #[error("can't use the data listener's socket: {0}")]
    Listener(#[source] io::Error),
    /// A thread or its runtime can't be made.
    #[error("can't start a worker thread: {0}")]
    Thread(#[from] io::Error),
}

/// One thread's own.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Pool,
    pub(crate) committer: Arc<Committer>,
    /// Its calls, for as long as they may have to be cut.
    pub(crate) roll: Arc<Roll>,
    phase: watch::Receiver<Phase>,
}

/// A data plane that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the real port.
    pub local_addr: SocketAddr,
    /// Commands to it.
    pub handle: ControlHandle,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

/// Starts the data plane. It takes connections from [`Running::serve`] on.
pub fn start(deps: Deps) -> Result<Running, StartError> {
    let listener = &deps.listener;
    listener
        .set_nonblocking(true)
        .map_err(StartError::Listener)?;
    let local_addr = listener.local_addr().map_err(StartError::Listener)?;
    let threads = match deps.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let shared = Arc::new(share(&deps, threads));
    let handle = ControlHandle {
        shared: Arc::clone(&shared),
    };
    handle.apply(Arc::clone(&deps.snapshot));
    handle.set_keys(deps.keys);
    let (phase, watching) = watch::channel(Phase::Starting);
    let mut running = Running {
        local_addr,
        handle,
        phase,
        threads: Vec::with_capacity(threads),
    };
    for (i, roll) in shared.rolls.iter().enumerate() {
        let listener = listener.try_clone()?;
        let worker = Worker {
            shared: Arc::clone(&shared),
            pool: Pool::default(),
            committer: Committer::new(deps.journal.clone()),
            roll: Arc::clone(roll),
            phase: watching.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("worker-{i}"))
            .spawn(move || work(worker, listener))?;
        running.threads.push(thread);
    }
    Ok(running)
}

fn share(deps: &Deps, threads: usize) -> Shared {
    let clock = deps.clock.clone();
    let limits = deps.snapshot.limits;
    let probe: Probe = deps.probe.clone();
    Shared {
        snapshot: ArcSwap::new(Arc::clone(&deps.snapshot)),
        keys: ArcSwap::new(Arc::default()),
        rolls: (0..threads).map(|_| Arc::default()).collect(),
        journal: deps.journal.clone(),
        metrics: deps.metrics.clone(),
        lines: deps.lines.clone(),
        born: clock.wall(),
        clock,
        entropy: SystemEntropy::new(),
        ids: IdSource::new(deps.snapshot.node),
        in_flight: Arc::new(Counter::new(limits.in_flight as u64)),
        in_flight_bytes: Arc::new(Counter::new(limits.in_flight_bytes as u64)),
        connections: Arc::new(Counter::new(limits.connections as u64)),
        leaving: false.into(),
        addresses: Arc::default(),
        draining: false.into(),
        cut: false.into(),
        objects: Index::new(deps.queries.clone()),
        probe,
        tokens: Tokens::default(),
        applied: watch::Sender::new(()),
        resolver: Resolver::new(Arc::clone(&deps.resolve)),
        trust: Arc::default(),
        told: Told::default(),
    }
}

/// The phase as a channel of this thread's own. Every connection and stream waits on it whenever it waits for anything,
/// which takes the channel's lock: so no two threads share one.
fn own(mut all: watch::Receiver<Phase>) -> watch::Receiver<Phase> {
    let (here, mine) = watch::channel(*all.borrow_and_update());
    tokio::spawn(async move {
        while all.changed().await.is_ok() {
            here.send_replace(*all.borrow_and_update());
        }
    });
    mine
}

/// One worker thread's life.
fn work(worker: Worker, listener: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    let committer = Arc::clone(&worker.committer);
    runtime.block_on(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        let mut phase = own(worker.phase.clone());
        let worker = Arc::new(worker);
        tokio::spawn(upstream::keep(Arc::clone(&worker)));
        tokio::spawn(cut::watch(Arc::clone(&worker)));
        tokio::spawn(Arc::clone(&worker.committer).run());
        listen::accept(Arc::clone(&worker), listener, phase.clone()).await;
        idle_or_cut(&worker, &mut phase).await;
    });
    // Dropping the runtime drops what is left of calls; their settlements settle.
    drop(runtime);
    committer.commit();
}
