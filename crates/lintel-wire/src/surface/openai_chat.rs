//! `POST /v1/chat/completions`, the OpenAI dialect.
//! <https://platform.openai.com/docs/api-reference/chat>

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Kind, Label, Modality, SpanEdit, Surface};

use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, check_messages, common_head, member,
};
use crate::json::{self, Member, Node};
use crate::provider::OPENAI;

/// The surface's name.
pub const OPENAI_CHAT: Surface = Surface::new("openai.chat", OPENAI);

/// The surface.
pub(super) struct OpenaiChat;

impl SurfaceSpec for OpenaiChat {
    fn surface(&self) -> Surface {
        OPENAI_CHAT
    }

    fn path(&self) -> &'static str {
        "/v1/chat/completions"
    }

    fn head(&self, body: &[u8], _place: &Place) -> Result<Head, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut head = common_head(&members)?;
        check_messages(&members)?;
        head.max_output = ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|key| member(&members, key).and_then(|m| m.value.u64()));
        head.choices = member(&members, "n")
            .and_then(|m| m.value.u64())
            .unwrap_or(1);
        if head.stream {
            head.ask_usage = ask_usage(&members)?;
        }
        Ok(head)
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let messages = member(&members, "messages").map(|m| m.value);
        Ok(messages
            .iter()
            .flat_map(Node::items)
            .flat_map(message_parts)
            .collect())
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(error_json(error))
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(format!("data: {}\n\n", error_json(error)))
    }
}

/// How to make the stream report its usage: none when the client asked for it already.
fn ask_usage(members: &[Member<'_>]) -> Result<Option<SpanEdit>, Error> {
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

fn message_parts(message: Node<'_>) -> Vec<ContentPart> {
    let label = match message.get("role").and_then(|r| r.text()).as_deref() {
        Some("system" | "developer") => Label::System,
        Some("assistant") => Label::Assistant,
        Some("tool" | "function") => Label::Tool,
        _ => Label::User,
    };
    let text_modality = if label == Label::Tool {
        Modality::ToolResult
    } else {
        Modality::Text
    };
    let mut parts = Vec::new();
    if let Some(content) = message.get("content") {
        match content.kind() {
            json::Kind::String => parts.push(inline(content, text_modality, label)),
            _ => parts.extend(content.items().map(|part| typed_part(part, label))),
        }
    }
    let calls = message.get("tool_calls");
    parts.extend(
        calls
            .iter()
            .flat_map(Node::items)
            .map(|call| inline(call, Modality::ToolCall, label)),
    );
    parts
}

fn inline(node: Node<'_>, modality: Modality, label: Label) -> ContentPart {
    ContentPart {
        modality,
        size: node.span().len(),
        source: ContentSource::Inline(node.span()),
        label,
    }
}

fn typed_part(part: Node<'_>, label: Label) -> ContentPart {
    let kind = part.get("type").and_then(|t| t.text()).unwrap_or_default();
    let (modality, value) = match &*kind {
        "text" | "refusal" => (
            Modality::Text,
            part.get("text").or_else(|| part.get("refusal")),
        ),
        "image_url" => (Modality::Image, part.at(&["image_url", "url"])),
        "video_url" => (Modality::Video, part.at(&["video_url", "url"])),
        "input_audio" => (Modality::Audio, part.at(&["input_audio", "data"])),
        "file" => (
            Modality::Document,
            part.at(&["file", "file_id"])
                .or_else(|| part.at(&["file", "file_data"])),
        ),
        "thinking" | "reasoning" => (Modality::Reasoning, None),
        _ => (Modality::Unknown, None),
    };
    let node = value.unwrap_or(part);
    let is_url =
        matches!(modality, Modality::Image | Modality::Video) && !node.raw().starts_with("\"data:");
    let source = if part.at(&["file", "file_id"]).is_some() {
        ContentSource::File(node.span())
    } else if is_url {
        ContentSource::Url(node.span())
    } else {
        ContentSource::Inline(node.span())
    };
    ContentPart {
        modality,
        source,
        size: node.span().len(),
        label,
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
    format!(r#"{{"error":{{"message":{message},"type":{kind},"param":{param},"code":{code}}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> String {
        let head = OpenaiChat.head(body.as_bytes(), &Place::default()).unwrap();
        let mut text = body.to_owned();
        if let Some(edit) = head.ask_usage {
            text.replace_range(edit.range, std::str::from_utf8(&edit.with).unwrap());
        }
        text
    }

    #[test]
    fn asks_a_stream_for_its_usage_once() {
        let m = r#""model":"m","messages":[],"stream":true"#;
        let wanted = format!(r#"{{{m},"stream_options":{{"include_usage":true}}}}"#);
        assert_eq!(asked(&format!("{{{m}}}")), wanted);
        assert_eq!(asked(&format!(r#"{{{m},"stream_options":null}}"#)), wanted);
        assert_eq!(asked(&format!(r#"{{{m},"stream_options":{{}}}}"#)), wanted);
        assert_eq!(
            asked(&format!(
                r#"{{{m},"stream_options":{{"include_usage":false}}}}"#
            )),
            wanted
        );
        assert_eq!(asked(&wanted), wanted);
        assert_eq!(
            asked(&format!(r#"{{{m},"stream_options":{{"x":1}}}}"#)),
            format!(r#"{{{m},"stream_options":{{"include_usage":true,"x":1}}}}"#)
        );
        assert_eq!(
            asked(r#"{"model":"m","messages":[]}"#),
            r#"{"model":"m","messages":[]}"#
        );
    }

    #[test]
    fn refusals_name_the_path() {
        let check = |body: &str, says: &str| {
            let error = OpenaiChat
                .head(body.as_bytes(), &Place::default())
                .unwrap_err();
            assert!(error.message().contains(says), "{body}: {error}");
        };
        check(r#"{"messages":[]}"#, "$.model");
        check(r#"{"model":7,"messages":[]}"#, "$.model");
        check(r#"{"model":"m"}"#, "$.messages");
        check(r#"{"model":"m","messages":"hi"}"#, "$.messages");
        check(r#"{"model":"m","messages":[],"stream":"yes"}"#, "$.stream");
        check(r#"[1]"#, "object");
        check(
            r#"{"model":"m","messages":[{"role":"user","role":"system"}]}"#,
            "$.messages[0]",
        );
    }

    #[test]
    fn parts_are_labelled_references() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"be kind"},
            {"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"https://x/y.png"}},{"type":"novel"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"42"}]}"#;
        let parts = OpenaiChat.parts(body.as_bytes()).unwrap();
        let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
        assert_eq!(
            seen,
            [
                (Modality::Text, Label::System),
                (Modality::Text, Label::User),
                (Modality::Image, Label::User),
                (Modality::Unknown, Label::User),
                (Modality::ToolCall, Label::Assistant),
                (Modality::ToolResult, Label::Tool)
            ]
        );
        assert!(
            matches!(&parts[2].source, ContentSource::Url(span) if &body[span.clone()] == "\"https://x/y.png\"")
        );
    }

    #[test]
    fn errors_are_valid_json_whatever_the_message() {
        let error = Error::client(
            Kind::Authentication,
            "expired_key",
            "the key \"lk_…\" expired\n",
        );
        let body = OpenaiChat.error(&ErrorBody::ours(&error, None));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["error"]["code"], "expired_key");
        assert_eq!(value["error"]["type"], "authentication_error");
        assert!(value["error"]["param"].is_null());
    }
}
