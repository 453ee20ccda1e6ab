//! How OpenAI and its compatible hosts say that something failed.

use lintel_types::FailureClass;

use super::super::ProviderError;

/// The class of an error. `status` is 200 for an error inside a 200: then the error's own code decides.
pub(super) fn class(status: u16, error: &ProviderError) -> FailureClass {
    let status = if status == 200 {
        error.own_status().unwrap_or(500)
    } else {
        status
    };
    let code = error.code_text();
    let kind = error.kind_name.as_deref().unwrap_or_default();
    let message = error.message.to_ascii_lowercase();
    let said = |word: &str| code.contains(word) || kind.contains(word);
    if said("context_length")
        || message.contains("maximum context length")
        || message.contains("context window")
    {
        return FailureClass::ContextLength;
    }
    if said("content_filter") || said("content_policy") || said("moderation") {
        return FailureClass::ContentFilter;
    }
    match status {
        401 | 403 => FailureClass::Credential,
        402 => FailureClass::Quota,
        429 if said("insufficient_quota") || said("billing") => FailureClass::Quota,
        429 => FailureClass::RateLimited,
        408 => FailureClass::TimeoutTotal,
        503 | 529 => FailureClass::Overloaded,
        501 => FailureClass::Unsupported,
        500.. => FailureClass::ServerError,
        _ => FailureClass::BadRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read_error;
    use super::*;

    fn check(status: u16, body: &str, expected: FailureClass) {
        assert_eq!(
            class(status, &read_error(body.as_bytes())),
            expected,
            "{status} {body}"
        );
    }

    #[test]
    fn real_errors_find_their_class() {
        check(
            429,
            r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            FailureClass::RateLimited,
        );
        check(
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            FailureClass::Quota,
        );
        check(
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}"#,
            FailureClass::ContextLength,
        );
        check(
            400,
            r#"{"error":{"message":"bad","code":"content_filter"}}"#,
            FailureClass::ContentFilter,
        );
        check(
            401,
            r#"{"error":{"message":"Incorrect API key"}}"#,
            FailureClass::Credential,
        );
        check(
            404,
            r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#,
            FailureClass::BadRequest,
        );
        check(500, "oops", FailureClass::ServerError);
        check(503, "", FailureClass::Overloaded);
        // OpenRouter inside a 200.
        check(
            200,
            r#"{"error":{"message":"Provider returned error","code":429}}"#,
            FailureClass::RateLimited,
        );
        check(
            200,
            r#"{"error":{"message":"?"}}"#,
            FailureClass::ServerError,
        );
    }
}
