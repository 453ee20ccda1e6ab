//! One error, five facts: what kind, whose fault, whether to retry, what the client may read, what the log should.
//!
//! Nothing re-derives these from text or status: the retry loop, the dialects, the log and the
//! metrics read the same five facts.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong. Each kind has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request can't be understood: 400.
    InvalidRequest,
    /// The key is missing, wrong, expired or revoked: 401.
    Authentication,
    /// The key may not do this: 403.
    Permission,
    /// No such path, model or object: 404.
    NotFound,
    /// The path exists, the method doesn't: 405.
    MethodNotAllowed,
    /// The client took too long to send its request: 408.
    RequestTimeout,
    /// The body is over a cap: 413.
    TooLarge,
    /// The body's type or encoding isn't understood: 415.
    UnsupportedMedia,
    /// The request's `expect` is none that is known: 417.
    ExpectationFailed,
    /// A rate or concurrency limit: 429.
    RateLimited,
    /// A budget has nothing left: 429, not to be retried.
    BudgetExceeded,
    /// Lintel can't take the call now: 503.
    Overloaded,
    /// The exchange's deadline passed: 504.
    Deadline,
    /// The provider failed or answered nonsense: 502.
    Upstream,
    /// The provider refused our credential: 502.
    UpstreamCredential,
    /// A fault of Lintel's own: 500.
    Internal,
}

impl Kind {
    /// The HTTP status of an answer that never got a provider's own.
    pub const fn status(self) -> u16 {
        match self {
            Kind::InvalidRequest => 400,
            Kind::Authentication => 401,
            Kind::Permission => 403,
            Kind::NotFound => 404,
            Kind::MethodNotAllowed => 405,
            Kind::RequestTimeout => 408,
            Kind::TooLarge => 413,
            Kind::UnsupportedMedia => 415,
            Kind::ExpectationFailed => 417,
            Kind::RateLimited | Kind::BudgetExceeded => 429,
            Kind::Internal => 500,
            Kind::Upstream | Kind::UpstreamCredential => 502,
            Kind::Overloaded => 503,
            Kind::Deadline => 504,
        }
    }

    /// The name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::InvalidRequest => "invalid_request",
            Kind::Authentication => "authentication",
            Kind::Permission => "permission",
            Kind::NotFound => "not_found",
            Kind::MethodNotAllowed => "method_not_allowed",
            Kind::RequestTimeout => "request_timeout",
            Kind::TooLarge => "too_large",
            Kind::UnsupportedMedia => "unsupported_media",
            Kind::ExpectationFailed => "expectation_failed",
            Kind::RateLimited => "rate_limited",
            Kind::BudgetExceeded => "budget_exceeded",
            Kind::Overloaded => "overloaded",
            Kind::Deadline => "deadline",
            Kind::Upstream => "upstream",
            Kind::UpstreamCredential => "upstream_credential",
            Kind::Internal => "internal",
        }
    }
}

/// Whose fault it was: `x-lintel-error-origin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The caller's.
    Client,
    /// Lintel's, or its operator's.
    Gateway,
    /// The provider's.
    Provider,
}

impl Side {
    /// The name in headers, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Gateway => "gateway",
            Side::Provider => "provider",
        }
    }
}

/// What the caller should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again.
    Never,
    /// Try again at the same target.
    SameTarget,
    /// Another target may do better.
    OtherTarget,
    /// Not before this much time has passed.
    After(Duration),
}

/// The error that crosses floors. Opaque: read its facts through its methods.
#[derive(Debug)]
pub struct Error {
    facts: Box<Facts>,
}

#[derive(Debug)]
struct Facts {
    kind: Kind,
    side: Side,
    retry: Retry,
    code: &'static str,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` by `side`. `code` is the stable machine-readable name, `message` a
    /// lower-case sentence for the caller that names the thing and the remedy, free of secrets.
    pub fn new(kind: Kind, side: Side, code: &'static str, message: impl Into<String>) -> Self {
        let facts = Facts {
            kind,
            side,
            retry: Retry::Never,
            code,
            message: message.into(),
            source: None,
        };
        Self {
            facts: Box::new(facts),
        }
    }

    /// A client's fault: kind and code, never to be retried as it is.
    pub fn client(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(kind, Side::Client, code, message)
    }

    /// Lintel's fault.
    pub fn gateway(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(kind, Side::Gateway, code, message)
    }

    /// A provider's fault.
    pub fn provider(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(kind, Side::Provider, code, message)
    }

    /// With what to do next.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.facts.retry = retry;
        self
    }

    /// With a cause for the log; clients never see it.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.facts.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> Kind {
        self.facts.kind
    }

    /// Whose fault it was.
    pub fn side(&self) -> Side {
        self.facts.side
    }

    /// What to do next.
    pub fn retry_advice(&self) -> Retry {
        self.facts.retry
    }

    /// The stable code, such as `expired_key`.
    pub fn code(&self) -> &'static str {
        self.facts.code
    }

    /// The text that a client may read.
    pub fn message(&self) -> &str {
        &self.facts.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.facts.code, self.facts.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.facts
            .source
            .as_deref()
            .map(|s| s as &(dyn StdError + 'static))
    }
}
