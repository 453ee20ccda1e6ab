//! Errors as Google writes them: a number, a status in capitals, and details by type.
//! <https://google.aip.dev/193>

use lintel_types::Kind;

use super::super::ErrorBody;
use crate::json::write;

/// The error as a JSON body.
pub(super) fn json(error: &ErrorBody<'_>) -> String {
    let code = error.code.as_deref().unwrap_or("null");
    let own: Option<u64> = code.parse().ok().filter(|c| (400..600).contains(c));
    let status = error.kind_name.as_deref().filter(|n| is_status(n));
    let mut out = String::with_capacity(256);
    write::object(&mut out, |o| {
        o.object("error", |e| {
            let sent = error.status.unwrap_or(error.kind.status());
            e.int("code", own.unwrap_or(u64::from(sent)));
            e.str("message", &error.message);
            e.str("status", status.unwrap_or(status_of(error.kind)));
            e.array("details", |details| {
                if code.starts_with('"') {
                    details.object(|d| {
                        d.str("@type", "type.googleapis.com/google.rpc.ErrorInfo");
                        d.raw("reason", code).str("domain", "lintel");
                    });
                }
                if let Some(id) = error.request_id {
                    details.object(|d| {
                        d.str("@type", "type.googleapis.com/google.rpc.RequestInfo");
                        d.str("requestId", id);
                    });
                }
            });
        });
    });
    out
}

/// Whether a provider's `type` is a status of Google's.
fn is_status(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

fn status_of(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::TooLarge
        | Kind::UnsupportedMedia
        | Kind::ExpectationFailed => "INVALID_ARGUMENT",
        Kind::Authentication => "UNAUTHENTICATED",
        Kind::Permission => "PERMISSION_DENIED",
        Kind::NotFound => "NOT_FOUND",
        Kind::MethodNotAllowed => "UNIMPLEMENTED",
        Kind::RateLimited | Kind::BudgetExceeded => "RESOURCE_EXHAUSTED",
        Kind::Overloaded | Kind::Upstream | Kind::UpstreamCredential => "UNAVAILABLE",
        Kind::Deadline | Kind::RequestTimeout => "DEADLINE_EXCEEDED",
        Kind::Internal => "INTERNAL",
    }
}
