//! How an exchange can end: outcome, status, error, and how its last attempt failed.

use lintel_types::{Error, Failure, FailureClass, Outcome, Side};

use crate::failed::ProviderAnswer;

/// How an exchange ends.
pub(crate) struct End<'a> {
    pub(crate) outcome: Outcome,
    /// The HTTP status that was or will be sent.
    pub(crate) status: u16,
    /// The error, if it is one.
    pub(crate) code: Option<&'a str>,
    pub(crate) side: Option<Side>,
    pub(crate) reason: Option<String>,
    /// How the attempt under way failed, if it did.
    pub(crate) failure: Option<Failure>,
}

impl End<'_> {
    /// The client gets a whole answer.
    pub(crate) fn success(status: u16) -> Self {
        End {
            outcome: Outcome::Success,
            status,
            code: None,
            side: None,
            reason: None,
            failure: None,
        }
    }

    /// The client gets a provider's error. The provider says so; a request that it
    /// finds wrong is a client error all the same.
    pub(crate) fn provider(answer: &ProviderAnswer) -> Self {
        use FailureClass::{BadRequest, ContentFilter, ContextLength, Unsupported};
        let clients = matches!(
            answer.class,
            BadRequest | ContentFilter | ContextLength | Unsupported
        );
        End {
            outcome: if clients {
                Outcome::ClientError
            } else {
                Outcome::ProviderError
            },
            status: answer.status,
            code: Some(answer.class.name()),
            side: Some(Side::Provider),
            reason: Some(answer.error.message.clone()),
            failure: None,
        }
    }

    /// The client gets this error.
    pub(crate) fn error(error: &Error, status: u16) -> Self {
        let outcome = match error.side() {
            Side::Client => Outcome::ClientError,
            Side::Gateway => Outcome::GatewayError,
            Side::Provider => Outcome::ProviderError,
        };
        let reason = std::error::Error::source(error).map_or_else(
            || error.message().to_owned(),
            |s| format!("{}: {s}", error.message()),
        );
        End {
            outcome,
            status,
            code: Some(error.code()),
            side: Some(error.side()),
            reason: Some(reason),
            failure: None,
        }
    }
}

/// How an exchange ends whose client was gone before its answer was read to the end.
pub(crate) fn drained(end: End<'_>) -> End<'_> {
    let reason = Some("the client hung up; the provider's answer was drained".to_owned());
    End {
        outcome: Outcome::Cancelled,
        code: Some("cancelled"),
        side: Some(Side::Client),
        reason,
        ..end
    }
}
