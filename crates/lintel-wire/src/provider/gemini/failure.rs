//! How Google says that something failed. <https://ai.google.dev/gemini-api/docs/troubleshooting>

use lintel_types::FailureClass;

use super::super::ProviderError;

/// The class of an error. `status` is 200 for an error inside a 200: then its own code decides.
pub(super) fn class(status: u16, error: &ProviderError) -> FailureClass {
    let status = match status {
        200 => error.own_status().unwrap_or(500),
        other => other,
    };
    let message = error.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
    if says(&["input token count", "exceeds the maximum number of tokens"]) {
        return FailureClass::ContextLength;
    }
    if error.details_name("API_KEY_") || says(&["api key not valid", "api key expired"]) {
        return FailureClass::Credential;
    }
    // Whatever the body calls it, our credential was refused, and that is nothing to pass on as the client's own.
    if status == 401 {
        return FailureClass::Credential;
    }
    match error.kind_name.as_deref() {
        Some("RESOURCE_EXHAUSTED") => exhausted(error, &message),
        Some("UNAUTHENTICATED") => FailureClass::Credential,
        // A file or a cache of another project is the caller's affair.
        Some("PERMISSION_DENIED") if says(&["to access the file", "cachedcontent"]) => {
            FailureClass::BadRequest
        }
        Some("PERMISSION_DENIED") => FailureClass::Credential,
        Some("UNAVAILABLE") => FailureClass::Overloaded,
        Some("DEADLINE_EXCEEDED") => FailureClass::TimeoutTotal,
        Some("UNIMPLEMENTED") => FailureClass::Unsupported,
        Some("INTERNAL" | "UNKNOWN" | "DATA_LOSS") => FailureClass::ServerError,
        // The free tier isn't offered everywhere; with billing it is.
        Some("FAILED_PRECONDITION") if says(&["billing"]) => FailureClass::Quota,
        Some("INVALID_ARGUMENT" | "NOT_FOUND" | "FAILED_PRECONDITION" | "OUT_OF_RANGE") => {
            FailureClass::BadRequest
        }
        _ => by_status(status, error, &message),
    }
}

fn by_status(status: u16, error: &ProviderError, message: &str) -> FailureClass {
    match status {
        401 | 403 => FailureClass::Credential,
        402 => FailureClass::Quota,
        429 => exhausted(error, message),
        408 | 504 => FailureClass::TimeoutTotal,
        501 => FailureClass::Unsupported,
        503 | 529 => FailureClass::Overloaded,
        500.. => FailureClass::ServerError,
        _ => FailureClass::BadRequest,
    }
}

/// One status stands for every limit; the message speaks of a quota for all of them. What is back tomorrow, or
/// never without money, is a quota; what is back within minutes is a rate.
fn exhausted(error: &ProviderError, message: &str) -> FailureClass {
    let spent = error.details_name("PerDay")
        || message.contains("depleted")
        || message.contains("spending cap");
    if spent {
        FailureClass::Quota
    } else {
        FailureClass::RateLimited
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read_error;
    use super::*;

    fn check(status: u16, kind: &str, message: &str, details: &str, expected: FailureClass) {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"{message}","status":"{kind}","details":[{details}]}}}}"#
        );
        let error = read_error(body.as_bytes());
        assert_eq!(class(status, &error), expected, "{status} {kind}");
        assert_eq!(class(200, &error), expected, "{status} {kind} inside a 200");
    }

    #[test]
    fn real_errors_find_their_class() {
        use FailureClass::*;
        let quota = |id: &str| {
            format!(
                r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}"}}]}}"#
            )
        };
        let spoken = "You exceeded your current quota, please check your plan.";
        let minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
        let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
        check(429, "RESOURCE_EXHAUSTED", spoken, &minute, RateLimited);
        check(429, "RESOURCE_EXHAUSTED", spoken, &day, Quota);
        check(
            429,
            "RESOURCE_EXHAUSTED",
            "Resource exhausted.",
            "",
            RateLimited,
        );
        let wrong = "API key not valid. Please pass a valid API key.";
        let reason = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}"#;
        check(400, "INVALID_ARGUMENT", wrong, "", Credential);
        check(400, "INVALID_ARGUMENT", "?", reason, Credential);
        check(
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked.",
            "",
            Credential,
        );
        check(
            403,
            "PERMISSION_DENIED",
            "You do not have permission to access the File x or it may not exist.",
            "",
            BadRequest,
        );
        check(401, "UNAUTHENTICATED", "?", "", Credential);
        check(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "",
            ContextLength,
        );
        check(400, "INVALID_ARGUMENT", "Unknown name", "", BadRequest);
        check(404, "NOT_FOUND", "models/x is not found", "", BadRequest);
        check(
            503,
            "UNAVAILABLE",
            "The model is overloaded.",
            "",
            Overloaded,
        );
        check(504, "DEADLINE_EXCEEDED", "?", "", TimeoutTotal);
        check(500, "INTERNAL", "?", "", ServerError);
        check(500, "NOVEL", "?", "", ServerError);
    }
}
