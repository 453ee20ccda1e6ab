//! How a provider is reached, as written in configuration: whom its certificate has to convince and what it is
//! shown in turn. What follows from it is decided where connections are made.

use schemars::JsonSchema;
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
