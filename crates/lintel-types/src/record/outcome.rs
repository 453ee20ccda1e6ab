//! How an exchange ended, in one word.

use serde::{Deserialize, Serialize};

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client got a whole answer.
    Success,
    /// Refused or failed by the client's fault.
    ClientError,
    /// Failed by Lintel's fault or rule.
    GatewayError,
    /// Failed by the provider's fault.
    ProviderError,
    /// The client hung up.
    Cancelled,
    /// The process was told to stop before the answer was whole.
    Shutdown,
    /// A step panicked.
    Panicked,
    /// The key was revoked, disabled or expired before the answer was whole.
    Revoked,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 8] = [
        Outcome::Success,
        Outcome::ClientError,
        Outcome::GatewayError,
        Outcome::ProviderError,
        Outcome::Cancelled,
        Outcome::Shutdown,
        Outcome::Panicked,
        Outcome::Revoked,
    ];

    /// The name in JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::ClientError => "client_error",
            Outcome::GatewayError => "gateway_error",
            Outcome::ProviderError => "provider_error",
            Outcome::Cancelled => "cancelled",
            Outcome::Shutdown => "shutdown",
            Outcome::Panicked => "panicked",
            Outcome::Revoked => "revoked",
        }
    }
}
