//! What OpenAI's surfaces write and edit alike: errors, and the option that makes a stream report its usage.
//!
//! Knows no operation. <https://platform.openai.com/docs/guides/error-codes>

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Kind, Label, Modality, SpanEdit};

use super::{ErrorBody, bad_field, member};
use crate::json::{self, Member, Node};

/// An error as a JSON body.
pub(super) fn error(error: &ErrorBody<'_>) -> Bytes {
    Bytes::from(error_json(error))
}

/// An error as the last event of a stream.
pub(super) fn stream_error(error: &ErrorBody<'_>) -> Bytes {
    Bytes::from(format!("data: {}\n\n", error_json(error)))
}

/// A part that lies in the body as it is.
pub(super) fn inline(node: Node<'_>, modality: Modality, label: Label) -> ContentPart {
    ContentPart {
        modality,
        size: node.span().len(),
        source: ContentSource::Inline(node.span()),
        label,
    }
}

/// The parts of an input that is a text, a list of tokens, or a list of either. Tokens are text that no guard can read.
pub(super) fn input_parts(input: Node<'_>) -> Vec<ContentPart> {
    let part = |node: Node<'_>| {
        let modality = match node.kind() {
            json::Kind::String => Modality::Text,
            _ => Modality::Unknown,
        };
        inline(node, modality, Label::User)
    };
    let tokens = input.items().any(|item| item.kind() == json::Kind::Number);
    if input.kind() == json::Kind::Array && !tokens {
        input.items().map(part).collect()
    } else {
        vec![part(input)]
    }
}

/// How to make the stream report its usage: none when the client asked for it already.
pub(super) fn ask_usage(members: &[Member<'_>]) -> Result<Option<SpanEdit>, Error> {
    const WHOLE: &[u8] = br#"{"include_usage":true}"#;
    let Some(options) = member(members, "stream_options").map(|m| m.value) else {
        let at = members.last().map_or(0, |m| m.value.span().end);
        return Ok(Some(insert(
            at,
            br#","stream_options":{"include_usage":true}"#,
        )));
    };
    match options.kind() {
        json::Kind::Null => Ok(Some(SpanEdit {
            range: options.span(),
            with: Bytes::from_static(WHOLE),
        })),
        json::Kind::Object => match options.get("include_usage") {
            Some(flag) if flag.bool() == Some(true) => Ok(None),
            Some(flag) => Ok(Some(SpanEdit {
                range: flag.span(),
                with: Bytes::from_static(b"true"),
            })),
            None if options.members().next().is_none() => Ok(Some(SpanEdit {
                range: options.span(),
                with: Bytes::from_static(WHOLE),
            })),
            None => Ok(Some(insert(
                options.span().start + 1,
                br#""include_usage":true,"#,
            ))),
        },
        _ => Err(bad_field("$.stream_options", "an object")),
    }
}

fn insert(at: usize, text: &'static [u8]) -> SpanEdit {
    SpanEdit {
        range: at..at,
        with: Bytes::from_static(text),
    }
}

/// OpenAI's `type` of an error of ours.
pub(super) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::TooLarge
        | Kind::UnsupportedMedia
        | Kind::ExpectationFailed
        | Kind::RequestTimeout => "invalid_request_error",
        Kind::Authentication => "authentication_error",
        Kind::Permission => "permission_error",
        Kind::RateLimited => "rate_limit_error",
        Kind::BudgetExceeded => "budget_exceeded",
        Kind::Overloaded => "overloaded_error",
        Kind::Deadline => "timeout_error",
        Kind::Upstream | Kind::UpstreamCredential => "upstream_error",
        Kind::Internal => "server_error",
    }
}

fn error_json(error: &ErrorBody<'_>) -> String {
    let message = serde_json::Value::from(&*error.message);
    let kind = serde_json::Value::from(error.kind_name.as_deref().unwrap_or(type_name(error.kind)));
    let param = error.param.as_deref().unwrap_or("null");
    let code = error.code.as_deref().unwrap_or("null");
    // Beside `error`, which SDKs hand to their caller as it is; what a log needs may not get lost with the headers.
    let id = match error.request_id {
        Some(id) => format!(r#","request_id":{}"#, serde_json::Value::from(id)),
        None => String::new(),
    };
    format!(
        r#"{{"error":{{"message":{message},"type":{kind},"param":{param},"code":{code}}}{id}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_valid_json_whatever_the_message() {
        let expired = Error::client(
            Kind::Authentication,
            "expired_key",
            "the key \"lk_…\" expired\n",
        );
        let body = error(&ErrorBody::ours(&expired, None));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["error"]["code"], "expired_key");
        assert_eq!(value["error"]["type"], "authentication_error");
        assert!(value["error"]["param"].is_null());
        assert!(value.get("request_id").is_none());
        let body = error(&ErrorBody::ours(&expired, Some("ex_1")));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["request_id"], "ex_1");
    }
}
