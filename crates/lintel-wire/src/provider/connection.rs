//! How a provider is reached, as written in configuration: whom its certificate has to convince and what it is
//! shown in turn. What follows from it is decided where connections are made.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// TLS to a provider, beyond the usual. Each text is `file:/path`, or `${ENV}` that holds the PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderTls {
    /// The certificates, in PEM, that may vouch for the provider's own, in place of this machine's trust store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The certificate that Lintel shows to the provider, in PEM, the chain behind it; with `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// The private key of `cert`, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Whether calls may go to addresses of private networks that the provider's name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivateAddresses {
    /// They may, whoever owns the name.
    Allow,
    /// They may not, also where the name is a local one.
    Refuse,
}

/// The connections to a provider that are kept open between calls. Each worker thread, one a core, has its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderPool {
    /// Unused connections that each worker thread opens ahead of calls, at start and at reload, and keeps open.
    #[schemars(range(max = 256))]
    pub warm: u16,
    /// Unused connections that each worker thread keeps at most; none: each call opens its own.
    #[schemars(range(max = 65_536))]
    pub keep: u32,
    /// The longest that a connection waits unused.
    #[schemars(schema_with = "period")]
    pub idle: String,
    /// The oldest that a connection gets, whether it is used or not; each ends up to a fifth earlier, so that not all end at once.
    #[schemars(schema_with = "period")]
    pub max_age: String,
}

impl Default for ProviderPool {
    fn default() -> Self {
        Self {
            warm: 0,
            keep: 1_024,
            // Below the minute after which load balancers tend to hang up.
            idle: "50s".to_owned(),
            max_age: "10m".to_owned(),
        }
    }
}

/// A length of time as the configuration writes them. It is read on the floor above, which knows them.
fn period(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "lintel-period", "pattern": "^[0-9]+(ms|s|m|h|d)$" })
}
