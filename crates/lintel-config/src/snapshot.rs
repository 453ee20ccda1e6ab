//! The snapshot: the immutable, compiled configuration that an exchange sees. Swapped whole, never changed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lintel_policy::{PriceBook, Route, UnknownModel};
use lintel_types::{NodeId, Protocol, Timestamp};
use lintel_wire::hosts::Host;
use lintel_wire::provider::Objects;
use lintel_wire::sandbox::SandboxConfig;

use crate::address::AdminAddress;
use crate::base_url::BaseUrl;
use crate::credential::Credential;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::raw::{Durability, LogFormat, LogLevel};
use crate::share::Share;
use crate::tls::ServerTls;
use crate::upkeep::Upkeep;

/// The compiled configuration.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// First 16 hexadecimal digits of a SHA-256 over everything below except secret values: which configuration decided.
    pub hash: Arc<str>,
    /// The data listener.
    pub listen: SocketAddr,
    /// TLS of the data listener; none: plain.
    pub tls: Option<Arc<ServerTls>>,
    /// The admin listener.
    pub admin: AdminAddress,
    /// TLS of the admin listener; none: plain.
    pub admin_tls: Option<Arc<ServerTls>>,
    /// The store's directory.
    pub store: PathBuf,
    /// What a settled row has survived when the client gets its last bytes.
    pub durability: Durability,
    /// Which node of a deployment this is.
    pub node: NodeId,
    /// Bounds on what clients and providers may send.
    pub limits: Limits,
    /// By the name that clients use.
    pub routes: HashMap<Arc<str>, Arc<Route>>,
    /// Each at its own [`Provider::index`].
    pub providers: Vec<Arc<Provider>>,
    /// What models cost.
    pub prices: Arc<PriceBook>,
    /// What happens to a call whose model has no price.
    pub unknown_model: UnknownModel,
    /// Tenants and projects that the file declares.
    pub tenants: Vec<DeclaredTenant>,
    /// The log.
    pub log: LogConfig,
    /// What it was compiled from, every default filled in.
    pub(crate) resolved: Arc<serde_json::Value>,
    /// What is kept of what happened, and where backups go.
    pub upkeep: Upkeep,
}

impl Snapshot {
    /// The provider called `name`.
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|p| &*p.name == name)
    }

    /// Whoever may be dialled.
    pub fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        let real = self.providers.iter().filter(|p| p.sandbox.is_none());
        real.flat_map(|p| [Some(&p.peer), p.tokens.as_ref()])
            .flatten()
    }

    /// What is to be said at `now` of the dates of the certificates that are shown to clients and to providers.
    pub fn expiring(&self, now: Timestamp) -> Vec<Problem> {
        let listeners = [&self.tls, &self.admin_tls].into_iter().flatten();
        let listeners = listeners.map(|tls| &tls.own);
        let to_providers = self.peers().filter_map(|peer| peer.tls.own.as_ref());
        listeners
            .chain(to_providers)
            .filter_map(|own| own.expiring(now))
            .collect()
    }

    /// The files that certificates and keys are read from.
    pub fn certificate_files(&self) -> Vec<PathBuf> {
        let listeners = [&self.tls, &self.admin_tls].into_iter().flatten();
        let listeners = listeners.flat_map(|tls| &tls.files);
        let to_providers = self.peers().flat_map(|peer| &peer.tls.files);
        listeners.chain(to_providers).cloned().collect()
    }
}

/// Bounds on what clients and providers may send, and on what is held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all request bodies held at once.
    pub in_flight_bytes: usize,
    /// Exchanges at once.
    pub in_flight: usize,
    /// Bytes of an answer's body.
    pub response_bytes: usize,
    /// Bytes of one event of a stream.
    pub event_bytes: usize,
    /// Bytes of a message's head.
    pub header_bytes: usize,
    /// Client connections at once.
    pub connections: usize,
    /// Client connections of one address at once.
    pub connections_per_address: Option<u32>,
    /// Calls at once on one HTTP/2 connection.
    pub h2_streams: u32,
    /// From an accepted connection, or a later head's first byte, to a whole head.
    pub header_timeout: Duration,
    /// From the last answer to the first byte of the next head.
    pub idle_timeout: Duration,
    /// From a whole head to a whole body.
    pub body_timeout: Duration,
    /// From a blocked write to a client to its next byte.
    pub write_timeout: Duration,
    /// From the end of `drain_delay` to the end of the last exchange.
    pub drain: Duration,
    /// From SIGTERM, when it says that it isn't ready, to the last new connection.
    pub drain_delay: Duration,
}

/// An account at a model API.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its place in [`Snapshot::providers`].
    pub index: usize,
    /// Its name in configuration.
    pub name: Arc<str>,
    /// What is known about its host.
    pub host: &'static Host,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is and how it is reached. The sandbox's is never dialled.
    pub peer: Arc<Peer>,
    /// Where its service account's assertions are exchanged for tokens: by this machine's trust store, whatever `tls` says.
    pub tokens: Option<Arc<Peer>>,
    /// Its credential.
    pub credential: Option<Credential>,
    /// The version of the API that is asked for, at hosts that have several.
    pub api_version: Option<Arc<str>>,
    /// The region that signatures name.
    pub region: Option<Arc<str>>,
    /// Whose the objects are that the account keeps.
    pub objects: Objects,
    /// How a simulated provider behaves.
    pub sandbox: Option<SandboxConfig>,
}

impl Provider {
    /// Where its API begins.
    pub fn base(&self) -> &BaseUrl {
        &self.peer.base
    }
}

/// A tenant that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredTenant {
    /// Its name.
    pub name: Arc<str>,
    /// Its projects.
    pub projects: Vec<DeclaredProject>,
}

/// A project that the file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredProject {
    /// Its name.
    pub name: Arc<str>,
    /// The routes that its keys may name; none: every route that the key may.
    pub routes: Option<Vec<Arc<str>>>,
}

/// The log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// What is logged.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
    /// Whether exchanges get a line.
    pub calls: bool,
    /// Which of the calls that went well get one.
    pub sample: Share,
    /// From which duration on a call is slow, and gets a line whatever the sample says.
    pub slow: Duration,
}
