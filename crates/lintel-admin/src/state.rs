//! What every handler of the control API holds: the doors to the stores, the data plane and the log.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use lintel_store::{Backups, Control, Journal, Projection, Queries, StoreError, Upkeep};
use lintel_telemetry::{Level, LineWriter, LogEvent, Metrics};
use lintel_types::{Clock, Error, Mono, Side};

use crate::codes;
use crate::keyring::Keyring;
use crate::plane::DataPlane;
use crate::problem::Problem;
use crate::registry::Registry;
use crate::reload::Reload;
use crate::throttle::{Buckets, PEER, Throttle};
use crate::token::AdminToken;

/// What the control API is built from.
pub struct Deps {
    /// Tenants, projects, keys and the audit log.
    pub control: Control,
    /// The ledger and the request log, read only.
    pub queries: Queries,
    /// The journal, for its health.
    pub journal: Journal,
    /// The projection, for how far it is. Weak: whoever stops it must be its only owner.
    pub projection: Weak<Projection>,
    /// Makes backups of the store.
    pub backups: Arc<Backups>,
    /// Gives space back.
    pub upkeep: Arc<Upkeep>,
    /// The data plane.
    pub plane: Arc<dyn DataPlane>,
    /// Puts keys in force.
    pub keyring: Arc<Keyring>,
    /// Reads the configuration anew.
    pub reload: Arc<dyn Reload>,
    /// The metrics of `/metrics`.
    pub metrics: Metrics,
    /// Where internal faults are written down.
    pub log: LineWriter,
    /// The token that the process was started with: an owner, whatever the store holds.
    pub token: AdminToken,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The control API's state, shared by its handlers.
pub(crate) struct Admin {
    pub(crate) control: Control,
    pub(crate) queries: Queries,
    pub(crate) journal: Journal,
    pub(crate) projection: Weak<Projection>,
    pub(crate) backups: Arc<Backups>,
    pub(crate) upkeep: Arc<Upkeep>,
    pub(crate) plane: Arc<dyn DataPlane>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) reload: Arc<dyn Reload>,
    pub(crate) metrics: Metrics,
    pub(crate) tokens: Registry,
    pub(crate) throttle: Throttle,
    /// Changes that a token's role may not make.
    pub(crate) denied: Buckets,
    /// Lines about wrong tokens.
    told: Buckets,
    /// Wrong tokens since the last such line.
    untold: AtomicU64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started: Mono,
    /// Held by one change at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    log: LineWriter,
}

impl Admin {
    pub(crate) fn new(deps: Deps) -> Result<Self, StoreError> {
        let Deps {
            control,
            queries,
            journal,
            projection,
            backups,
            upkeep,
            plane,
            keyring,
            reload,
            metrics,
            log,
            token,
            clock,
        } = deps;
        let tokens = Registry::open(control.clone(), token)?;
        Ok(Self {
            control,
            queries,
            journal,
            projection,
            backups,
            upkeep,
            plane,
            keyring,
            reload,
            metrics,
            tokens,
            throttle: Throttle::default(),
            denied: Buckets::new(PEER),
            told: Buckets::new(PEER),
            untold: AtomicU64::new(0),
            started: clock.mono(),
            clock,
            turn: tokio::sync::Mutex::default(),
            log,
        })
    }

    /// Runs `work`, which may wait for a file, away from the listener's thread.
    ///
    /// # Errors
    /// The store's refusal as a problem; a fault of the store, or a panic, is written to the log and answered as one.
    pub(crate) async fn blocking<T, F>(self: &Arc<Self>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Admin) -> Result<T, StoreError> + Send + 'static,
    {
        let admin = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&admin)).await {
            Ok(done) => done.map_err(|error| self.refusal(error)),
            Err(panicked) => Err(self.fault("control API handler panicked", &panicked.to_string())),
        }
    }

    fn refusal(&self, error: StoreError) -> Problem {
        // The full text names files, and is for the log alone.
        let text = error.to_string();
        let own = match error {
            StoreError::Duplicate { .. } => Some(&codes::ALREADY_EXISTS),
            StoreError::Revoked { .. } => Some(&codes::REVOKED_KEY),
            StoreError::Conflict { .. } => Some(&codes::CONFLICT),
            StoreError::Moved => Some(&codes::PLAN_OUTDATED),
            _ => None,
        };
        if let Some(code) = own {
            return Problem::new(code, text);
        }
        if let StoreError::Busy { .. } = error {
            return Problem::new(&codes::ALREADY_RUNNING, text);
        }
        let shown = Error::from(error);
        if shown.side() == Side::Gateway {
            self.fault("the store failed a control API request", &text);
        }
        Problem::from(shown)
    }

    /// Writes down that `peer` showed a wrong token: ten times at once, then once a second, with how many were not told.
    pub(crate) fn refused(&self, peer: IpAddr) {
        let now = self.clock.mono();
        if self.told.wait((), now).is_some() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.told.book((), now);
        let event = LogEvent::new(self.clock.wall(), Level::Warn, "wrong admin token");
        let event = event.field("peer", peer.to_string());
        let untold = self.untold.swap(0, Ordering::Relaxed);
        self.log.event(&event.field("untold", untold));
    }

    /// Notes in the store that the token `id` was used now. Nobody waits for it, and nobody is told of its failure but the log.
    pub(crate) fn note_use(self: &Arc<Self>, id: Arc<str>) {
        let (admin, at) = (Arc::clone(self), self.clock.wall());
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = admin.control.token_used(&id, at) {
                admin.fault("a token's last use was not noted", &error.to_string());
            }
        }));
    }

    /// Writes an internal fault to the log; the caller of the API learns only that there was one.
    pub(crate) fn fault(&self, what: &'static str, cause: &str) -> Problem {
        self.log
            .event(&LogEvent::new(self.clock.wall(), Level::Error, what).field("error", cause));
        Problem::internal()
    }
}
