//! How a call fails: by an error of ours, or by a provider's answer that is passed on.

use http::HeaderValue;
use lintel_policy::table;
use lintel_types::{Error, Failure, FailureClass, Kind, Phase, Retry};
use lintel_wire::provider::ProviderError;

/// What the client is told.
#[derive(Debug)]
pub(crate) enum Failed {
    /// An error in our words.
    Ours(Error),
    /// A provider's error: its status, type, code and parameter, its message scrubbed.
    Provider(Box<ProviderAnswer>),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Ours(error)
    }
}

/// A provider's non-2xx answer.
#[derive(Debug)]
pub(crate) struct ProviderAnswer {
    pub(crate) status: u16,
    pub(crate) class: FailureClass,
    pub(crate) error: ProviderError,
    pub(crate) retry_after: Option<HeaderValue>,
    /// It speaks another dialect than the caller: its words for type and parameter mean nothing there.
    pub(crate) foreign: bool,
}

impl ProviderAnswer {
    /// Whether the same call may succeed later.
    pub(crate) fn passes(&self) -> bool {
        table::row(self.class).passes
    }
}

/// One attempt that failed.
#[derive(Debug)]
pub(crate) struct AttemptFailed {
    pub(crate) failure: Failure,
    /// What the client is told if this was the last.
    pub(crate) tells: Failed,
}

impl AttemptFailed {
    /// A failure without an answer of the provider.
    pub(crate) fn new(class: FailureClass, phase: Phase) -> Self {
        Self {
            failure: Failure { class, phase },
            tells: Failed::Ours(told(class)),
        }
    }

    /// With the cause for the log.
    pub(crate) fn because(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        if let Failed::Ours(error) = self.tells {
            self.tells = Failed::Ours(error.because(cause));
        }
        self
    }
}

impl AttemptFailed {
    /// Why, for the log: the cause, else what clients are told.
    pub(crate) fn cause(&self) -> String {
        match &self.tells {
            Failed::Ours(error) => {
                let cause = std::error::Error::source(error);
                cause.map_or_else(|| error.to_string(), ToString::to_string)
            }
            Failed::Provider(answer) => answer.status.to_string(),
        }
    }
}

/// What clients are told of a failure in which the provider gave no answer. Hosts and addresses stay in the log.
pub(crate) fn told(class: FailureClass) -> Error {
    use FailureClass::*;
    let upstream = |code, text: &str| Error::provider(Kind::Upstream, code, text);
    let late = |code, text: &str| Error::provider(Kind::Deadline, code, text);
    match class {
        Connect => upstream(
            "upstream_unreachable",
            "the provider can't be reached: try again later",
        )
        .retry(Retry::SameTarget),
        Tls => upstream(
            "upstream_tls",
            "no trusted connection to the provider: operators, check its certificate and ours",
        ),
        Proxy => upstream(
            "upstream_proxy",
            "the proxy on the way to the provider refused or can't be reached: operators, check it",
        )
        .retry(Retry::SameTarget),
        TimeoutConnect => late(
            "upstream_timeout",
            "connecting to the provider took too long: try again later",
        )
        .retry(Retry::SameTarget),
        TimeoutFirstToken => late(
            "upstream_timeout",
            "the provider's first token took too long: try again later",
        )
        .retry(Retry::SameTarget),
        TimeoutIdle => late(
            "upstream_timeout",
            "the provider fell silent: try again later",
        )
        .retry(Retry::SameTarget),
        TimeoutTotal => late(
            "deadline_exceeded",
            "the call took longer than its deadline: raise the deadline or ask for less",
        ),
        Truncated => upstream(
            "upstream_truncated",
            "the provider's answer broke off: try again",
        )
        .retry(Retry::SameTarget),
        Malformed => upstream(
            "upstream_malformed",
            "the provider's answer is not what its protocol promises",
        )
        .retry(Retry::SameTarget),
        Credential => Error::provider(
            Kind::UpstreamCredential,
            "upstream_credential",
            "the provider refused the gateway's credential: operators, check it",
        ),
        RateLimited | Overloaded | ServerError | Quota | BadRequest | ContextLength
        | ContentFilter | Unsupported | Cancelled => {
            upstream("upstream_error", "the provider failed: try again later")
                .retry(Retry::SameTarget)
        }
    }
}
