//! How an attempt fails: a class and a phase. Policy decides on these two alone.

use serde::{Deserialize, Serialize};

/// What happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureClass {
    /// No connection.
    #[serde(rename = "connect")]
    Connect,
    /// No trusted TLS session.
    #[serde(rename = "tls")]
    Tls,
    /// The proxy on the way refused, or can't be reached.
    #[serde(rename = "proxy")]
    Proxy,
    /// Connecting took too long.
    #[serde(rename = "timeout.connect")]
    TimeoutConnect,
    /// The first token took too long.
    #[serde(rename = "timeout.first_token")]
    TimeoutFirstToken,
    /// The stream fell silent.
    #[serde(rename = "timeout.idle")]
    TimeoutIdle,
    /// The attempt or exchange took too long.
    #[serde(rename = "timeout.total")]
    TimeoutTotal,
    /// 429: too fast.
    #[serde(rename = "rate_limited")]
    RateLimited,
    /// 503 or 529: the provider is full.
    #[serde(rename = "overloaded")]
    Overloaded,
    /// Another 5xx.
    #[serde(rename = "server_error")]
    ServerError,
    /// 401 or 403 against our credential.
    #[serde(rename = "credential")]
    Credential,
    /// Our account has nothing left.
    #[serde(rename = "quota")]
    Quota,
    /// The provider says the request is wrong.
    #[serde(rename = "bad_request")]
    BadRequest,
    /// The prompt is longer than the model's window.
    #[serde(rename = "context_length")]
    ContextLength,
    /// The provider's filter refused.
    #[serde(rename = "content_filter")]
    ContentFilter,
    /// The target can't do what the request asks.
    #[serde(rename = "unsupported")]
    Unsupported,
    /// The answer isn't what the protocol promises.
    #[serde(rename = "malformed")]
    Malformed,
    /// The answer ended before it was whole.
    #[serde(rename = "truncated")]
    Truncated,
    /// The caller gave up.
    #[serde(rename = "cancelled")]
    Cancelled,
}

impl FailureClass {
    /// The name in configuration, JSON, headers, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            FailureClass::Connect => "connect",
            FailureClass::Tls => "tls",
            FailureClass::Proxy => "proxy",
            FailureClass::TimeoutConnect => "timeout.connect",
            FailureClass::TimeoutFirstToken => "timeout.first_token",
            FailureClass::TimeoutIdle => "timeout.idle",
            FailureClass::TimeoutTotal => "timeout.total",
            FailureClass::RateLimited => "rate_limited",
            FailureClass::Overloaded => "overloaded",
            FailureClass::ServerError => "server_error",
            FailureClass::Credential => "credential",
            FailureClass::Quota => "quota",
            FailureClass::BadRequest => "bad_request",
            FailureClass::ContextLength => "context_length",
            FailureClass::ContentFilter => "content_filter",
            FailureClass::Unsupported => "unsupported",
            FailureClass::Malformed => "malformed",
            FailureClass::Truncated => "truncated",
            FailureClass::Cancelled => "cancelled",
        }
    }
}

/// How far the attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was sent.
    BeforeSend,
    /// Sent, but no content has reached the client.
    BeforeFirstByte,
    /// Content has reached the client.
    MidStream,
}

impl Phase {
    /// The name in JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::BeforeSend => "before_send",
            Phase::BeforeFirstByte => "before_first_byte",
            Phase::MidStream => "mid_stream",
        }
    }
}

/// A failure of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub class: FailureClass,
    /// How far it had come.
    pub phase: Phase,
}
