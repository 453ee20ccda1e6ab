//! How Anthropic says that something failed. <https://docs.anthropic.com/en/api/errors>

use lintel_types::FailureClass;

use super::super::ProviderError;

/// The class of an error. `status` is 200 for an error event inside a stream: then its type decides.
pub(super) fn class(status: u16, error: &ProviderError) -> FailureClass {
    let message = error.message.to_ascii_lowercase();
    if message.contains("prompt is too long") || message.contains("exceed context limit") {
        return FailureClass::ContextLength;
    }
    if message.contains("credit balance is too low") {
        return FailureClass::Quota;
    }
    // Whatever the body calls it, our credential was refused, and that is nothing to pass on as the client's own.
    if status == 401 {
        return FailureClass::Credential;
    }
    match error.kind_name.as_deref() {
        Some("overloaded_error") => return FailureClass::Overloaded,
        Some("rate_limit_error") => return FailureClass::RateLimited,
        Some("authentication_error" | "permission_error") => return FailureClass::Credential,
        Some("billing_error") => return FailureClass::Quota,
        Some("timeout_error") => return FailureClass::TimeoutTotal,
        Some("api_error") => return FailureClass::ServerError,
        Some("invalid_request_error" | "not_found_error" | "request_too_large") => {
            return FailureClass::BadRequest;
        }
        _ => {}
    }
    match status {
        401 | 403 => FailureClass::Credential,
        402 => FailureClass::Quota,
        429 => FailureClass::RateLimited,
        503 | 529 => FailureClass::Overloaded,
        200 | 500.. => FailureClass::ServerError,
        _ => FailureClass::BadRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read_error;
    use super::*;

    fn check(status: u16, kind: &str, message: &str, expected: FailureClass) {
        let body =
            format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}}}}"#);
        assert_eq!(
            class(status, &read_error(body.as_bytes())),
            expected,
            "{status} {kind}"
        );
    }

    #[test]
    fn real_errors_find_their_class() {
        check(401, "api_error", "no", FailureClass::Credential);
        check(
            529,
            "overloaded_error",
            "Overloaded",
            FailureClass::Overloaded,
        );
        check(
            200,
            "overloaded_error",
            "Overloaded",
            FailureClass::Overloaded,
        );
        check(
            429,
            "rate_limit_error",
            "This request would exceed your rate limit",
            FailureClass::RateLimited,
        );
        check(
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            FailureClass::ContextLength,
        );
        check(
            400,
            "invalid_request_error",
            "Your credit balance is too low",
            FailureClass::Quota,
        );
        check(
            401,
            "authentication_error",
            "invalid x-api-key",
            FailureClass::Credential,
        );
        check(
            404,
            "not_found_error",
            "model: claude-9",
            FailureClass::BadRequest,
        );
        check(500, "novel_error", "?", FailureClass::ServerError);
    }
}
