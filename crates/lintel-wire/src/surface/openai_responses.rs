//! `POST /v1/responses`, the OpenAI Responses dialect.
//! <https://platform.openai.com/docs/api-reference/responses/create>
//!
//! Reads the head of a request, and the content of every kind of input item for guards. It must not know which
//! provider keeps what the request refers to: `resources` lists that.

use bytes::Bytes;
use lintel_types::{ContentPart, ContentSource, Error, Label, Modality, Surface};

use super::openai::type_name;
use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, common_head, member, members,
};
use crate::json::{self, Node, write};
use crate::provider::OPENAI;

/// The surface's name.
pub const OPENAI_RESPONSES: Surface = Surface::new("openai.responses", OPENAI);

/// The surface.
pub(super) struct OpenaiResponses;

impl SurfaceSpec for OpenaiResponses {
    fn surface(&self) -> Surface {
        OPENAI_RESPONSES
    }

    fn path(&self) -> &'static str {
        "/v1/responses"
    }

    fn head(&self, body: &[u8], _place: &Place) -> Result<Head, Error> {
        let (members, may_name_objects) = members(OPENAI_RESPONSES, body)?;
        let mut head = common_head(&members)?;
        head.may_name_objects = may_name_objects;
        // A stored prompt or conversation may be the whole input, so it may be absent.
        let input = member(&members, "input").map(|m| m.value.kind());
        let readable = input.is_none_or(|kind| {
            matches!(
                kind,
                json::Kind::String | json::Kind::Array | json::Kind::Null
            )
        });
        if !readable {
            return Err(bad_field("$.input", "a string or an array of items"));
        }
        head.max_output = member(&members, "max_output_tokens").and_then(|m| m.value.u64());
        Ok(head)
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut parts = Vec::new();
        if let Some(text) = member(&members, "instructions").map(|m| m.value) {
            content(text, Modality::Text, Label::System, &mut parts);
        }
        // What a stored prompt is filled with comes from the application's users.
        let prompt = member(&members, "prompt").and_then(|m| m.value.get("variables"));
        for (_, value) in prompt.iter().flat_map(Node::members) {
            one(value, Modality::Text, Label::User, &mut parts);
        }
        if let Some(input) = member(&members, "input").map(|m| m.value) {
            match input.kind() {
                json::Kind::String => content(input, Modality::Text, Label::User, &mut parts),
                _ => input.items().for_each(|i| item(i, &mut parts)),
            }
        }
        Ok(parts)
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        let mut out = String::new();
        write::object(&mut out, |o| {
            let inner = |o: &mut write::Object<'_>| members_of(error, o);
            o.object("error", inner);
        });
        Bytes::from(out)
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        // Where a stream of the provider's broke off isn't known here; no SDK looks at the number of an error.
        Bytes::from(error_event(error, 0))
    }
}

/// The error event of a stream. Official SDKs raise on its `error`; the documented event has the same members beside
/// its `type`. <https://platform.openai.com/docs/api-reference/responses-streaming/error>
pub(crate) fn error_event(error: &ErrorBody<'_>, sequence_number: u64) -> String {
    let mut out = String::from("event: error\ndata: ");
    write::object(&mut out, |o| {
        o.str("type", "error");
        o.raw("code", &code_text(error));
        o.str("message", &error.message);
        o.raw("param", error.param.as_deref().unwrap_or("null"));
        o.int("sequence_number", sequence_number);
        o.object("error", |o| members_of(error, o));
    });
    out.push_str("\n\n");
    out
}

fn members_of(error: &ErrorBody<'_>, o: &mut write::Object<'_>) {
    o.str("message", &error.message);
    o.str(
        "type",
        error.kind_name.as_deref().unwrap_or(type_name(error.kind)),
    );
    o.raw("param", error.param.as_deref().unwrap_or("null"));
    o.raw("code", &code_text(error));
}

/// The code as a JSON string or null: SDKs of this surface type it so, some hosts write numbers.
pub(crate) fn code_text(error: &ErrorBody<'_>) -> String {
    match error.code.as_deref() {
        None | Some("null") => "null".into(),
        Some(code) if code.starts_with('"') => code.into(),
        Some(code) => write::quoted(code),
    }
}

/// The content of one input item.
fn item(item: Node<'_>, parts: &mut Vec<ContentPart>) {
    let kind = item.get("type").and_then(|t| t.text()).unwrap_or_default();
    match &*kind {
        "" | "message" => {
            let label = label_of(item);
            match item.get("content") {
                Some(value) => content(value, Modality::Text, label, parts),
                None => one(item, Modality::Unknown, label, parts),
            }
        }
        "function_call_output" | "custom_tool_call_output" => {
            let output = item.get("output").unwrap_or(item);
            content(output, Modality::ToolResult, Label::Tool, parts);
        }
        "reasoning" => one(item, Modality::Reasoning, Label::Assistant, parts),
        "item_reference" => one(item, Modality::Unknown, Label::Assistant, parts),
        "compaction" => one(item, Modality::Reasoning, Label::Assistant, parts),
        "image_generation_call" => one(item, Modality::Image, Label::Assistant, parts),
        // What a client ran, or decided, for the model.
        kind if kind.ends_with("_output") || kind == "mcp_approval_response" => {
            one(item, Modality::ToolResult, Label::Tool, parts);
        }
        // Calls of the provider's own tools hold what those brought in.
        "file_search_call" | "web_search_call" | "mcp_call" | "code_interpreter_call" => {
            one(item, Modality::ToolResult, Label::Tool, parts);
        }
        "mcp_list_tools" => one(item, Modality::Unknown, Label::Tool, parts),
        kind if kind.ends_with("_call") || kind == "mcp_approval_request" => {
            one(item, Modality::ToolCall, Label::Assistant, parts);
        }
        _ => one(item, Modality::Unknown, label_of(item), parts),
    }
}

fn label_of(item: Node<'_>) -> Label {
    match item.get("role").and_then(|r| r.text()).as_deref() {
        Some("system" | "developer") => Label::System,
        Some("assistant") => Label::Assistant,
        Some("tool") => Label::Tool,
        _ => Label::User,
    }
}

/// Text, or a list of typed parts; `text` is what text there is taken for.
fn content(value: Node<'_>, text: Modality, label: Label, parts: &mut Vec<ContentPart>) {
    match value.kind() {
        json::Kind::Null => {}
        json::Kind::Array => {
            for part in value.items() {
                parts.push(typed_part(part, text, label));
            }
        }
        _ => one(value, text, label, parts),
    }
}

fn one(node: Node<'_>, modality: Modality, label: Label, parts: &mut Vec<ContentPart>) {
    parts.push(ContentPart {
        modality,
        source: ContentSource::Inline(node.span()),
        size: node.span().len(),
        label,
    });
}

fn typed_part(part: Node<'_>, text: Modality, label: Label) -> ContentPart {
    let kind = part.get("type").and_then(|t| t.text()).unwrap_or_default();
    let some = |key: &str| part.get(key).filter(|v| !v.is_null());
    let file = some("file_id");
    let (modality, value) = match &*kind {
        "input_text" | "output_text" | "text" => (text, some("text")),
        "refusal" => (text, some("refusal")),
        "summary_text" | "reasoning_text" => (Modality::Reasoning, some("text")),
        "input_image" | "computer_screenshot" => {
            (Modality::Image, file.or_else(|| some("image_url")))
        }
        "input_file" => (
            Modality::Document,
            file.or_else(|| some("file_data"))
                .or_else(|| some("file_url")),
        ),
        "input_audio" => (
            Modality::Audio,
            part.at(&["input_audio", "data"]).or_else(|| some("data")),
        ),
        "input_video" => (Modality::Video, some("video_url")),
        _ => (Modality::Unknown, None),
    };
    let node = value.unwrap_or(part);
    let fetched = value.is_some()
        && ["\"http:", "\"https:"]
            .iter()
            .any(|s| node.raw().starts_with(s));
    let is_file = file.is_some_and(|f| f.span() == node.span());
    let source = match modality {
        Modality::Image | Modality::Document if is_file => ContentSource::File(node.span()),
        Modality::Image | Modality::Document | Modality::Video if fetched => {
            ContentSource::Url(node.span())
        }
        _ => ContentSource::Inline(node.span()),
    };
    ContentPart {
        modality,
        source,
        size: node.span().len(),
        label,
    }
}

#[cfg(test)]
mod tests;
