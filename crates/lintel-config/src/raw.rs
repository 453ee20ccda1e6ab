//! The configuration as written: one struct a section, every default beside its key.
//!
//! The JSON Schema, the reference and the errors are made from these structs; routes, providers and
//! prices bring their own from the crates that they configure.

use std::collections::BTreeMap;
use std::time::Duration;

use lintel_policy::{Period, RouteConfig, Size, UnknownModel};
use lintel_wire::provider::ProviderConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::{Address, AdminAddress};
use crate::share::Share;
use crate::tls::TlsConfig;
use crate::upkeep::{BackupConfig, RetentionConfig};

/// `lintel.yaml`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// Address and port of the data listener, which applications call.
    #[serde(default = "Address::data")]
    pub listen: Address,
    /// TLS of the data listener. Without it the listener is plain, and TLS is the business of what stands in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// The admin listener: control API, health and metrics.
    #[serde(default)]
    pub admin: AdminConfig,
    /// The directory that holds everything that must outlive the process.
    #[serde(default = "default_store")]
    #[schemars(length(min = 1))]
    pub store: String,
    /// What a row of the ledger has survived when the client gets its last bytes.
    #[serde(default)]
    pub durability: Durability,
    /// Which node of a deployment this is: distinct for every process whose rows meet.
    #[serde(default)]
    pub node: u16,
    /// The log.
    #[serde(default)]
    pub log: RawLog,
    /// What models cost.
    #[serde(default)]
    pub prices: PricesConfig,
    /// Accounts at model APIs, by name.
    #[schemars(extend("minProperties" = 1))]
    pub providers: BTreeMap<String, ProviderConfig>,
    /// What clients may name as their model.
    #[serde(default)]
    pub routes: BTreeMap<String, RouteConfig>,
    /// Who calls, by name.
    #[serde(default)]
    pub tenants: BTreeMap<String, TenantConfig>,
    /// Bounds on what clients and providers may send, and on what is held at once.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How long and how much is kept of what happened.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Backups of the store.
    #[serde(default)]
    pub backup: BackupConfig,
}

/// The admin listener.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Its address and port, or `unix:/path` for a socket file that only this user can open. Off loopback the environment variable `LINTEL_ADMIN_TOKEN` must be set.
    pub listen: AdminAddress,
    /// TLS of the admin listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
}

/// What a row of the ledger has survived when the client gets its last bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The end of the process, by `kill -9` too.
    #[default]
    Process,
    /// A loss of power.
    Disk,
}

/// The log, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLog {
    /// The least important line that is written.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
    /// Whether calls get a line.
    pub calls: Switch,
    /// Which share of the calls that went well gets a line. Calls that failed, were degraded or were slow always get theirs.
    pub sample: Share,
    /// From this duration on a call is slow.
    pub slow: Period,
}

impl Default for RawLog {
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            format: LogFormat::default(),
            calls: Switch::default(),
            sample: Share::ALL,
            slow: Period(Duration::from_secs(30)),
        }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// Words in a fixed order, for a person at a terminal.
    Text,
}

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What needs somebody's hand.
    Error,
    /// What will soon.
    Warn,
    /// What changed.
    #[default]
    Info,
    /// What was decided on the way: every attempt of a call when it ends.
    Debug,
}

impl LogLevel {
    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Done.
    #[default]
    On,
    /// Not done.
    Off,
}

/// What models cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PricesConfig {
    /// Price files. Their entries stand above the list prices that come with Lintel, a later file's above an earlier one's.
    pub files: Vec<String>,
    /// What happens to a call whose model has no price.
    pub unknown_model: UnknownModel,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantConfig {
    /// The tenant's projects, by name.
    pub projects: BTreeMap<String, ProjectConfig>,
}

/// A part of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectConfig {
    /// The routes that its keys may name. Without this key: every route that the key itself may name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<String>>,
}

/// Bounds on what clients and providers may send, and on what is held at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest request body.
    pub body: Size,
    /// The largest body of an answer that isn't streamed.
    pub response: Size,
    /// The largest event of a stream.
    pub event: Size,
    /// Exchanges at once; further ones are refused with 503. Normal calls fill 95 % of it, batch ones 75 %, critical ones all.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub in_flight: u32,
    /// Request bodies held at once, all together.
    pub in_flight_bytes: Size,
    /// The largest head of a request or of an answer.
    pub headers: Size,
    /// Client connections at once.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub connections: u32,
    /// Client connections of one address at once; an IPv6 address counts with its /64. Without this key: as many as there may be. Proxies in front share one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub connections_per_address: Option<u32>,
    /// Calls at once on one HTTP/2 connection.
    #[schemars(range(min = 1, max = 100_000))]
    pub h2_streams: u32,
    /// The longest wait for a whole head, and for the TLS handshake before the first one.
    pub header_timeout: Period,
    /// The longest that a connection may stay open without a call. Longer than that of a proxy in front, which else sends calls on connections that are just closed.
    pub idle_timeout: Period,
    /// The longest wait for a whole body.
    pub body_timeout: Period,
    /// The longest that a client may leave an answer unread; then its connection is ended.
    pub write_timeout: Period,
    /// The longest that running exchanges may take after SIGTERM, and in the old process after an upgrade.
    pub drain: Period,
    /// How long calls are still taken after SIGTERM while `/readyz` says 503 already. Behind a load balancer: longer than it takes to see that.
    pub drain_delay: Period,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        const KB: usize = 1 << 10;
        const MB: usize = 1 << 20;
        let seconds = |n| Period(Duration::from_secs(n));
        Self {
            body: Size(32 * MB),
            response: Size(64 * MB),
            event: Size(4 * MB),
            in_flight: 20_000,
            in_flight_bytes: Size(512 * MB),
            headers: Size(64 * KB),
            connections: 20_000,
            connections_per_address: None,
            h2_streams: 256,
            header_timeout: seconds(15),
            idle_timeout: seconds(75),
            body_timeout: seconds(60),
            write_timeout: seconds(60),
            drain: seconds(30),
            drain_delay: seconds(0),
        }
    }
}

fn default_store() -> String {
    "./.lintel".to_owned()
}
