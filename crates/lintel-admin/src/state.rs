//! What every handler of the control API holds: the doors to the stores, the data plane and the log.

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use lintel_store::{Control, Journal, Projection, Queries, StoreError};
use lintel_telemetry::{Level, LineWriter, LogEvent, Metrics};
use lintel_types::{Clock, Error, Mono, Side};

use crate::codes;
use crate::keyring::Keyring;
use crate::plane::DataPlane;
use crate::problem::Problem;
use crate::reload::Reload;
use crate::throttle::Throttle;
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
    /// The administrator's token.
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
    pub(crate) plane: Arc<dyn DataPlane>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) reload: Arc<dyn Reload>,
    pub(crate) metrics: Metrics,
    pub(crate) token: AdminToken,
    pub(crate) throttle: Throttle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started: Mono,
    /// Held by one change at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    log: LineWriter,
}

impl Admin {
    pub(crate) fn new(deps: Deps) -> Self {
        let Deps {
            control,
            queries,
            journal,
            projection,
            plane,
            keyring,
            reload,
            metrics,
            log,
            token,
            clock,
        } = deps;
        let (throttle, started) = (Throttle::default(), clock.mono());
        Self {
            control,
            queries,
            journal,
            projection,
            plane,
            keyring,
            reload,
            metrics,
            token,
            throttle,
            clock,
            started,
            turn: tokio::sync::Mutex::default(),
            log,
        }
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
        if let StoreError::Duplicate { .. } = error {
            return Problem::new(&codes::ALREADY_EXISTS, text);
        }
        let shown = Error::from(error);
        if shown.side() == Side::Gateway {
            self.fault("the store failed a control API request", &text);
        }
        Problem::from(shown)
    }

    /// Writes down that `peer` showed a wrong token. As many lines as the throttle lets through.
    pub(crate) fn refused(&self, peer: IpAddr) {
        let event = LogEvent::new(self.clock.wall(), Level::Warn, "wrong admin token");
        self.log.event(&event.field("peer", peer.to_string()));
    }

    /// Writes an internal fault to the log; the caller of the API learns only that there was one.
    pub(crate) fn fault(&self, what: &'static str, cause: &str) -> Problem {
        self.log
            .event(&LogEvent::new(self.clock.wall(), Level::Error, what).field("error", cause));
        Problem::internal()
    }
}
