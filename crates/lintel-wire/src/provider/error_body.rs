//! What a provider's error body says: type, code, parameter, message; hosts write it in many shapes.
//!
//! `{"error":{…}}`, `{"type":"error","error":{…}}`, `{"message":…}`, `{"detail":…}`, any of them in an array,
//! a bare string, or no JSON at all. The message is scrubbed of ids, hosts and credentials before anyone sees it.

use std::borrow::Cow;

use crate::json::{self, Node};
use crate::scrub::scrub;

/// A provider's error, read and scrubbed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderError {
    /// `type`, or Google's `status`.
    pub kind_name: Option<String>,
    /// `code` as JSON: a string, a number or null.
    pub code: Option<String>,
    /// `param` as JSON.
    pub param: Option<String>,
    /// The message, scrubbed.
    pub message: String,
    /// Google's `details` as JSON text. They decide the error's class; nobody is shown them.
    pub details: Option<String>,
    /// Seconds until the call may be made again, where the body says so: Google has no header for it.
    pub retry_after: Option<u64>,
}

/// Longest message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 2_000;

impl ProviderError {
    /// The code as text, quotes removed.
    pub fn code_text(&self) -> &str {
        self.code.as_deref().unwrap_or_default().trim_matches('"')
    }

    /// Whether the details hold `word`.
    pub(crate) fn details_name(&self, word: &str) -> bool {
        self.details.as_deref().is_some_and(|d| d.contains(word))
    }

    /// A code that is an HTTP status.
    pub fn own_status(&self) -> Option<u16> {
        self.code_text()
            .parse()
            .ok()
            .filter(|s| (400..600).contains(s))
    }
}

/// The text of a node that is a string with something in it.
fn text(node: Option<Node<'_>>) -> Option<Cow<'_, str>> {
    node.and_then(|n| n.text()).filter(|t| !t.is_empty())
}

/// Reads an error body of any shape.
pub fn read_error(body: &[u8]) -> ProviderError {
    let Ok(root) = json::parse(body) else {
        return ProviderError {
            message: "the provider gave no readable reason".into(),
            ..ProviderError::default()
        };
    };
    // Google answers a stream that isn't one of events with an array, also when it fails.
    let root = root.items().next().unwrap_or(root);
    let inner = root.get("error").filter(|e| !e.is_null()).unwrap_or(root);
    let message = text(inner.get("message"))
        .or_else(|| text(inner.get("Message")))
        .or_else(|| text(inner.get("detail")))
        .or_else(|| text(Some(inner)))
        .or_else(|| text(root.get("message")));
    let scalar = |key: &str| {
        let node = inner.get(key)?;
        let plain = matches!(
            node.kind(),
            json::Kind::String | json::Kind::Number | json::Kind::Null
        );
        plain.then(|| node.raw().to_owned())
    };
    // Groq's errors inside a stream carry their status beside the message.
    let code = scalar("code").or_else(|| scalar("status_code"));
    ProviderError {
        kind_name: text(inner.get("type"))
            .or_else(|| text(inner.get("status")))
            .map(|t| t.into_owned()),
        code,
        param: scalar("param"),
        message: match message {
            Some(text) => scrub(&text).chars().take(LONGEST_MESSAGE).collect(),
            None => "the provider gave no readable reason".into(),
        },
        details: inner.get("details").map(|d| d.raw().to_owned()),
        retry_after: inner.get("details").and_then(retry_delay),
    }
}

/// The delay that one of Google's details asks for, such as `34.4s`, in seconds rounded up.
fn retry_delay(details: Node<'_>) -> Option<u64> {
    let delay = details.items().find_map(|d| text(d.get("retryDelay")))?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    (0.0..86_400.0)
        .contains(&seconds)
        .then_some(seconds.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, kind: Option<&str>, code: Option<&str>, message: &str) {
        let error = read_error(body.as_bytes());
        assert_eq!(
            (
                error.kind_name.as_deref(),
                error.code.as_deref(),
                error.message.as_str()
            ),
            (kind, code, message),
            "{body}"
        );
    }

    #[test]
    fn reads_every_shape() {
        check(
            r#"{"error":{"message":"m","type":"t","code":null,"param":"p"}}"#,
            Some("t"),
            Some("null"),
            "m",
        );
        check(
            r#"{"error":{"message":"m","code":402}}"#,
            None,
            Some("402"),
            "m",
        );
        check(
            r#"{"type":"error","error":{"type":"not_found_error","message":"m"},"request_id":"req_1"}"#,
            Some("not_found_error"),
            None,
            "m",
        );
        check(r#"{"message":"m"}"#, None, None, "m");
        check(r#"{"detail":"m"}"#, None, None, "m");
        check(r#"{"error":"m"}"#, None, None, "m");
        check(
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
            Some("INVALID_ARGUMENT"),
            Some("400"),
            "m",
        );
        check("<html>", None, None, "the provider gave no readable reason");
        check("[]", None, None, "the provider gave no readable reason");
    }

    #[test]
    fn a_delay_in_the_details_is_whole_seconds() {
        let delay = |text: &str| {
            let body = format!(
                r#"{{"error":{{"message":"m","details":[{{"@type":"x"}},{{"retryDelay":{text}}}]}}}}"#
            );
            read_error(body.as_bytes()).retry_after
        };
        assert_eq!(delay(r#""34.4s""#), Some(35));
        assert_eq!(delay(r#""2s""#), Some(2));
        for nonsense in [r#""-1s""#, r#""soon""#, r#""1e9s""#, "7"] {
            assert_eq!(delay(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_message_never_carries_a_credential() {
        let error = read_error(br#"{"error":{"message":"Incorrect API key provided: sk-proj-abc123def456. See https://platform.openai.com/x"}}"#);
        assert!(
            !error.message.contains("sk-proj") && !error.message.contains("openai.com"),
            "{}",
            error.message
        );
    }
}
