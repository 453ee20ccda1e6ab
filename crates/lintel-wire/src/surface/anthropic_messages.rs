//! `POST /v1/messages`, the Anthropic dialect. <https://docs.anthropic.com/en/api/messages>

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Kind, Label, Modality, Surface};

use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_json, check_messages, common_head, member, members,
};
use crate::json::{self, Node};
use crate::provider::ANTHROPIC;

/// The surface's name.
pub const ANTHROPIC_MESSAGES: Surface = Surface::new("anthropic.messages", ANTHROPIC);

/// The surface.
pub(super) struct AnthropicMessages;

impl SurfaceSpec for AnthropicMessages {
    fn surface(&self) -> Surface {
        ANTHROPIC_MESSAGES
    }

    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn query(&self) -> &'static [&'static str] {
        &["beta"]
    }

    fn head(&self, body: &[u8], _place: &Place) -> Result<Head, Error> {
        let (members, may_name_objects) = members(ANTHROPIC_MESSAGES, body)?;
        let mut head = common_head(&members)?;
        head.may_name_objects = may_name_objects;
        check_messages(&members)?;
        head.max_output = member(&members, "max_tokens").and_then(|m| m.value.u64());
        Ok(head)
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut parts = Vec::new();
        if let Some(system) = member(&members, "system") {
            content_parts(system.value, Label::System, &mut parts);
        }
        let messages = member(&members, "messages").map(|m| m.value);
        for message in messages.iter().flat_map(Node::items) {
            let assistant =
                message.get("role").and_then(|r| r.text()).as_deref() == Some("assistant");
            let label = if assistant {
                Label::Assistant
            } else {
                Label::User
            };
            if let Some(content) = message.get("content") {
                content_parts(content, label, &mut parts);
            }
        }
        Ok(parts)
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(error_json(error))
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(format!("event: error\ndata: {}\n\n", error_json(error)))
    }
}

fn content_parts(content: Node<'_>, label: Label, parts: &mut Vec<ContentPart>) {
    match content.kind() {
        json::Kind::String => parts.push(part(content, Modality::Text, label)),
        _ => parts.extend(content.items().map(|block| block_part(block, label))),
    }
}

pub(super) fn part(node: Node<'_>, modality: Modality, label: Label) -> ContentPart {
    ContentPart {
        modality,
        size: node.span().len(),
        source: ContentSource::Inline(node.span()),
        label,
    }
}

fn block_part(block: Node<'_>, label: Label) -> ContentPart {
    let kind = block.get("type").and_then(|t| t.text()).unwrap_or_default();
    match &*kind {
        "text" => part(block.get("text").unwrap_or(block), Modality::Text, label),
        "image" => sourced(block, Modality::Image, label),
        // A document that is written out is text to whoever reads or counts it.
        "document" if source_type(block).as_deref() == Some("text") => part(
            block.at(&["source", "data"]).unwrap_or(block),
            Modality::Text,
            label,
        ),
        "document" => sourced(block, Modality::Document, label),
        "thinking" | "redacted_thinking" => part(block, Modality::Reasoning, label),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => part(block, Modality::ToolCall, label),
        "tool_result" => part(
            block.get("content").unwrap_or(block),
            Modality::ToolResult,
            Label::Tool,
        ),
        // web_search_tool_result, bash_code_execution_tool_result and whatever comes next.
        other if other.ends_with("_tool_result") => part(block, Modality::ToolResult, Label::Tool),
        _ => part(block, Modality::Unknown, label),
    }
}

fn source_type(block: Node<'_>) -> Option<std::borrow::Cow<'_, str>> {
    block.at(&["source", "type"]).and_then(|t| t.text())
}

fn sourced(block: Node<'_>, modality: Modality, label: Label) -> ContentPart {
    let source = block.get("source");
    let at = |key: &str| source.and_then(|s| s.get(key));
    let (node, source) = if let Some(url) = at("url") {
        (url, ContentSource::Url(url.span()))
    } else if let Some(file) = at("file_id") {
        (file, ContentSource::File(file.span()))
    } else {
        let data = at("data").unwrap_or(block);
        (data, ContentSource::Inline(data.span()))
    };
    ContentPart {
        modality,
        source,
        size: node.span().len(),
        label,
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::MethodNotAllowed
        | Kind::UnsupportedMedia
        | Kind::ExpectationFailed => "invalid_request_error",
        Kind::Authentication => "authentication_error",
        Kind::Permission => "permission_error",
        Kind::NotFound => "not_found_error",
        Kind::TooLarge => "request_too_large",
        Kind::RateLimited | Kind::BudgetExceeded => "rate_limit_error",
        Kind::Overloaded => "overloaded_error",
        Kind::Deadline | Kind::RequestTimeout => "timeout_error",
        Kind::Upstream | Kind::UpstreamCredential | Kind::Internal => "api_error",
    }
}

fn error_json(error: &ErrorBody<'_>) -> String {
    let message = serde_json::Value::from(&*error.message);
    let kind = serde_json::Value::from(error.kind_name.as_deref().unwrap_or(type_name(error.kind)));
    let id = error
        .request_id
        .map_or(serde_json::Value::Null, serde_json::Value::from);
    let code = match &error.code {
        Some(code) => format!(r#","code":{code}"#),
        None => String::new(),
    };
    format!(
        r#"{{"type":"error","error":{{"type":{kind},"message":{message}{code}}},"request_id":{id}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_written_out_is_text() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"abc"}},
            {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}]}]}"#;
        let parts = AnthropicMessages.parts(body.as_bytes()).unwrap();
        let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.size)).collect();
        assert_eq!(seen, [(Modality::Text, 5), (Modality::Document, 6)]);
    }

    #[test]
    fn labels_what_tools_bring_in_as_tool() {
        let body = r#"{"model":"m","max_tokens":5,"system":[{"type":"text","text":"s"}],"messages":[
            {"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"…","signature":"x"},{"type":"tool_use","id":"1","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"42"},{"type":"image","source":{"type":"file","file_id":"f_1"}},{"type":"compaction"}]}]}"#;
        let parts = AnthropicMessages.parts(body.as_bytes()).unwrap();
        let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
        assert_eq!(
            seen,
            [
                (Modality::Text, Label::System),
                (Modality::Text, Label::User),
                (Modality::Reasoning, Label::Assistant),
                (Modality::ToolCall, Label::Assistant),
                (Modality::ToolResult, Label::Tool),
                (Modality::Image, Label::User),
                (Modality::Unknown, Label::User)
            ]
        );
        assert!(matches!(parts[5].source, ContentSource::File(_)));
        assert_eq!(
            AnthropicMessages
                .head(body.as_bytes(), &Place::default())
                .unwrap()
                .max_output,
            Some(5)
        );
    }

    #[test]
    fn errors_are_the_dialects_own() {
        let error = Error::gateway(Kind::Overloaded, "shed", "busy");
        let body = AnthropicMessages.stream_error(&ErrorBody::ours(&error, Some("ex_1")));
        let text = std::str::from_utf8(&body).unwrap();
        let data = text
            .strip_prefix("event: error\ndata: ")
            .and_then(|t| t.strip_suffix("\n\n"))
            .unwrap();
        let value: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(value["error"]["type"], "overloaded_error");
        assert_eq!(value["error"]["code"], "shed");
        assert_eq!(value["request_id"], "ex_1");
    }
}
