//! `POST /v1/chat/completions`, the OpenAI dialect.
//! <https://platform.openai.com/docs/api-reference/chat>

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Label, Modality, Surface};

use super::openai::{self, inline};
use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_json, check_messages, common_head, member, members,
};
use crate::json::{self, Node};
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
        let (members, may_name_objects) = members(OPENAI_CHAT, body)?;
        let mut head = common_head(&members)?;
        head.may_name_objects = may_name_objects;
        check_messages(&members)?;
        head.max_output = ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|key| member(&members, key).and_then(|m| m.value.u64()));
        head.choices = member(&members, "n")
            .and_then(|m| m.value.u64())
            .unwrap_or(1);
        if head.stream {
            head.ask_usage = openai::ask_usage(&members)?;
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
        openai::error(error)
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        openai::stream_error(error)
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
}
