//! What a provider's error body says: type, code, parameter, message; hosts write it in many shapes.
//!
//! `{"error":{…}}`, `{"type":"error","error":{…}}`, `{"message":…}`, `{"detail":…}`, a bare string, or no
//! JSON at all. The message is scrubbed of ids, hosts and credentials before anyone sees it.

use std::borrow::Cow;

use crate::json::{self, Node};
use crate::scrub::scrub;

/// A provider's error, read and scrubbed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderError {
    /// `type`.
    pub kind_name: Option<String>,
    /// `code` as JSON: a string, a number or null.
    pub code: Option<String>,
    /// `param` as JSON.
    pub param: Option<String>,
    /// The message, scrubbed.
    pub message: String,
}

/// Longest message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 2_000;

impl ProviderError {
    /// The code as text, quotes removed.
    pub fn code_text(&self) -> &str {
        self.code.as_deref().unwrap_or_default().trim_matches('"')
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
        kind_name: text(inner.get("type")).map(|t| t.into_owned()),
        code,
        param: scalar("param"),
        message: match message {
            Some(text) => scrub(&text).chars().take(LONGEST_MESSAGE).collect(),
            None => "the provider gave no readable reason".into(),
        },
    }
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
        check("<html>", None, None, "the provider gave no readable reason");
        check("[]", None, None, "the provider gave no readable reason");
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
