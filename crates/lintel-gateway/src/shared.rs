//! What every worker thread shares: the configuration in force, the keys, the journal, the counters.
//!
//! Nothing here is locked on a call's path: snapshots are swapped, counters are atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use lintel_config::{Limits, Snapshot};
use lintel_policy::Counter;
use lintel_store::Journal;
use lintel_telemetry::{LineWriter, Metrics};
use lintel_types::{Clock, Entropy, IdSource, Mono, Timestamp};

use tokio::sync::watch;

use crate::clock::{SystemClock, SystemEntropy};
use crate::control::KeyTable;
use crate::cut::Roll;
use crate::listen::Addresses;
use crate::objects::Index;
use crate::probe::{Probe, Step};
use crate::upstream::{Resolver, Tokens, Told, Trust};

/// Shared by every worker.
pub(crate) struct Shared {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) keys: ArcSwap<KeyTable>,
    /// The calls under way, a roll for each worker.
    pub(crate) rolls: Vec<Arc<Roll>>,
    pub(crate) journal: Journal,
    pub(crate) metrics: Metrics,
    pub(crate) lines: LineWriter,
    pub(crate) clock: SystemClock,
    pub(crate) entropy: SystemEntropy,
    pub(crate) ids: IdSource,
    /// When this process began: the creation date of its models.
    pub(crate) born: Timestamp,
    /// Exchanges under way.
    pub(crate) in_flight: Arc<Counter>,
    /// Bytes of request bodies held.
    pub(crate) in_flight_bytes: Arc<Counter>,
    /// Client connections open.
    pub(crate) connections: Arc<Counter>,
    /// Not ready: answers ask clients to connect anew.
    pub(crate) leaving: AtomicBool,
    /// Client connections open by address.
    pub(crate) addresses: Arc<Addresses>,
    /// No new calls; those in flight go on.
    pub(crate) draining: AtomicBool,
    /// Calls in flight end now, with an error.
    pub(crate) cut: AtomicBool,
    /// Whose the objects are that providers keep.
    pub(crate) objects: Index,
    pub(crate) probe: Probe,
    /// Tokens that accounts have been given.
    pub(crate) tokens: Tokens,
    /// Tells that another configuration is in force.
    pub(crate) applied: watch::Sender<()>,
    /// Names of providers to addresses.
    pub(crate) resolver: Resolver,
    /// TLS to providers.
    pub(crate) trust: Arc<Trust>,
    /// What has been told of providers that aren't reached.
    pub(crate) told: Told,
}

impl Shared {
    pub(crate) fn now(&self) -> Mono {
        self.clock.mono()
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    pub(crate) fn random(&self) -> u64 {
        self.entropy.bits()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Capacities of a reloaded configuration.
    pub(crate) fn limits_changed(&self, limits: &Limits) {
        self.in_flight.set_capacity(limits.in_flight as u64);
        self.in_flight_bytes
            .set_capacity(limits.in_flight_bytes as u64);
        self.connections.set_capacity(limits.connections as u64);
    }

    /// A step begins.
    pub(crate) fn at(&self, step: Step) {
        if let Some(probe) = &self.probe {
            probe(step);
        }
    }
}
