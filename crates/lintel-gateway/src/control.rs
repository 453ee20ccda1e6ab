//! The control handle: the only way in which the floors above change the data plane. Typed commands,
//! effective at once for new calls; calls in flight keep the configuration that they began with.

use std::collections::HashMap;
use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_types::Principal;

use crate::shared::Shared;

/// A key as the data plane knows it: by hash, never by text.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// Whose it is and what it may do.
    pub principal: Principal,
    /// Whether it is in force.
    pub standing: Standing,
}

/// Whether a known key is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In force.
    Active,
    /// Out of force for now.
    Disabled,
    /// Out of force for good.
    Revoked,
}

/// A key in the table.
#[derive(Debug)]
pub(crate) struct KnownKey {
    pub(crate) principal: Arc<Principal>,
    pub(crate) standing: Standing,
}

/// Keys by hash.
pub(crate) type KeyTable = HashMap<[u8; 32], KnownKey>;

/// Whether the data plane takes calls, and how many it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Takes calls.
    pub ready: bool,
    /// Is about to stop.
    pub draining: bool,
    /// Exchanges under way.
    pub in_flight: usize,
    /// Why it isn't ready.
    pub reason: Option<String>,
}

/// Commands to the data plane. Clones command the same one.
#[derive(Clone)]
pub struct ControlHandle {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for ControlHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlHandle")
            .field("status", &self.status())
            .finish()
    }
}

impl ControlHandle {
    /// Puts `snapshot` in force for every call that begins from now on.
    pub fn apply(&self, snapshot: Arc<Snapshot>) {
        self.shared.limits_changed(&snapshot.limits);
        self.shared.metrics.config_applied(&snapshot.hash);
        let https = snapshot.peers().any(|p| p.base.https);
        self.shared.snapshot.store(snapshot);
        if https {
            self.renew_trust();
        }
    }

    /// Reads the trust store and makes what TLS needs, on a thread of its own: calls that come before it is done
    /// make what they need themselves.
    fn renew_trust(&self) {
        let shared = Arc::clone(&self.shared);
        let renew = move || shared.trust.renew(&shared.snapshot.load_full());
        let thread = std::thread::Builder::new().name("trust".to_owned());
        let _ = thread.spawn(renew);
    }

    /// Puts `keys` in force in place of those before, all at once.
    pub fn set_keys(&self, keys: Vec<KeyEntry>) {
        let known = |k: KeyEntry| {
            (
                k.hash,
                KnownKey {
                    principal: Arc::new(k.principal),
                    standing: k.standing,
                },
            )
        };
        let table: KeyTable = keys.into_iter().map(known).collect();
        self.shared.keys.store(Arc::new(table));
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Whether it takes calls.
    pub fn status(&self) -> Status {
        let draining = self.shared.is_leaving();
        let healthy = self.shared.journal.healthy();
        let reason = if draining {
            Some("draining: the process is about to stop".to_owned())
        } else if !healthy {
            Some(
                "the journal can't be written: free disk space or check the store directory"
                    .to_owned(),
            )
        } else {
            None
        };
        let in_flight = usize::try_from(self.shared.in_flight.taken()).unwrap_or(usize::MAX);
        Status {
            ready: reason.is_none(),
            draining,
            in_flight,
            reason,
        }
    }
}
