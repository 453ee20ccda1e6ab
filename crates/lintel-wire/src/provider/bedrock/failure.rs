//! How Bedrock says that something failed.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>

use lintel_types::FailureClass;

use super::super::ProviderError;
use crate::json::Node;

/// An error's name without what AWS puts around it: `com.amazon.coral#ThrottlingException`,
/// `ValidationException:http://internal.amazon.com/coral/…`.
pub(super) fn bare(named: &str) -> &str {
    let name = named.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default()
}

/// The class of an error.
pub(super) fn class(status: u16, error: &ProviderError) -> FailureClass {
    let kind = error.kind_name.as_deref().unwrap_or_default();
    let message = error.message.to_ascii_lowercase();
    let kind = kind
        .strip_suffix("Exception")
        .unwrap_or(kind)
        .to_ascii_lowercase();
    // Models say in their own words that a prompt is too long; quotas are told in the same status as throttling.
    if matches!(status, 200 | 400 | 413) && too_long(&message) && kind != "throttling" {
        return FailureClass::ContextLength;
    }
    if let Some(class) = of_kind(&kind) {
        return class;
    }
    match status {
        401 | 403 => FailureClass::Credential,
        408 => FailureClass::TimeoutTotal,
        429 => FailureClass::RateLimited,
        503 => FailureClass::Overloaded,
        200 | 424 | 500.. => FailureClass::ServerError,
        _ => FailureClass::BadRequest,
    }
}

fn of_kind(kind: &str) -> Option<FailureClass> {
    Some(match kind {
        "throttling" | "toomanyrequests" => FailureClass::RateLimited,
        "servicequotaexceeded" => FailureClass::Quota,
        "serviceunavailable" | "modelnotready" => FailureClass::Overloaded,
        "modeltimeout" => FailureClass::TimeoutTotal,
        "accessdenied"
        | "unrecognizedclient"
        | "expiredtoken"
        | "invalidsignature"
        | "incompletesignature"
        | "invalidclienttokenid"
        | "missingauthenticationtoken" => FailureClass::Credential,
        "internalserver" | "internalfailure" | "modelstreamerror" | "modelerror" => {
            FailureClass::ServerError
        }
        "validation" | "resourcenotfound" | "serialization" => FailureClass::BadRequest,
        _ => return None,
    })
}

fn too_long(message: &str) -> bool {
    [
        "input is too long",
        "prompt is too long",
        "too many input tokens",
        "exceed context limit",
        "exceeds the context",
        "context length",
        "context window",
        "number of input tokens exceeds",
        "maximum context",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// The class of an exception inside a stream: `{"type":…,"message":…}`.
pub(super) fn of_event(event: Node<'_>) -> FailureClass {
    let text = |key: &str| {
        let text = event.get(key).and_then(|t| t.text());
        text.map(|t| t.into_owned())
    };
    let error = ProviderError {
        kind_name: text("type"),
        message: text("message").unwrap_or_default(),
        ..ProviderError::default()
    };
    class(200, &error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass::*;

    fn check(status: u16, kind: &str, message: &str, expected: FailureClass) {
        let error = ProviderError {
            kind_name: Some(bare(kind).to_owned()).filter(|k| !k.is_empty()),
            message: message.to_owned(),
            ..ProviderError::default()
        };
        assert_eq!(class(status, &error), expected, "{status} {kind} {message}");
    }

    #[test]
    fn real_errors_find_their_class() {
        check(
            429,
            "ThrottlingException:http://internal.amazon.com/coral/x/",
            "Too many tokens, please wait before trying again.",
            RateLimited,
        );
        check(
            200,
            "throttlingException",
            "Too many input tokens at once",
            RateLimited,
        );
        check(
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            BadRequest,
        );
        check(
            400,
            "ValidationException",
            "Input is too long for requested model.",
            ContextLength,
        );
        check(
            400,
            "",
            "The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum",
            ContextLength,
        );
        check(
            403,
            "com.amazon.coral.service#UnrecognizedClientException",
            "The security token included in the request is invalid.",
            Credential,
        );
        check(
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            Credential,
        );
        check(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            Credential,
        );
        check(400, "ServiceQuotaExceededException", "?", Quota);
        check(429, "ModelNotReadyException", "?", Overloaded);
        check(503, "ServiceUnavailableException", "?", Overloaded);
        check(408, "ModelTimeoutException", "?", TimeoutTotal);
        check(424, "ModelErrorException", "?", ServerError);
        check(200, "modelStreamErrorException", "?", ServerError);
        check(404, "ResourceNotFoundException", "?", BadRequest);
        check(503, "", "?", Overloaded);
        check(418, "NovelException", "?", BadRequest);
    }
}
