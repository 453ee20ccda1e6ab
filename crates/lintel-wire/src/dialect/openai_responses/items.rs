//! Reads items: of a request's input, and of an answer's output.
//!
//! Items that the model makes one after the other are one assistant message, and results one tool message, because
//! other dialects hold them so. An item of an unknown type, or of a tool of the provider's own, is kept whole.

use lintel_types::Error;
use lintel_types::canon::{
    At, CacheMark, Citation, Message, Part, PartKind, RawJson, Reasoning, Role, Seal, Source,
    ToolCall, ToolResult,
};

use super::request::stateful;
use crate::dialect::media::source_of_url;
use crate::json::{Kind, Node};
use crate::provider::OPENAI;
use crate::surface::bad_field;

/// Reads a request's `input` to the end of `messages`.
pub(super) fn read(input: Node<'_>, messages: &mut Vec<Message>) -> Result<(), Error> {
    let at = At::new("$.input");
    match input.kind() {
        Kind::String => {
            let text = input
                .text()
                .ok_or_else(|| bad_field("$.input", "readable text"))?;
            let part = Part::new(PartKind::text(text), at.clone());
            add(messages, Role::User, vec![part], &at);
        }
        Kind::Array => {
            for (i, item) in input.items().enumerate() {
                read_item(item, &at.index(i), messages)?;
            }
        }
        _ => return Err(bad_field("$.input", "a string or an array of items")),
    }
    Ok(())
}

fn text_of(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key)?.text().map(|t| t.into_owned())
}

fn required(node: Node<'_>, key: &str, at: &At) -> Result<String, Error> {
    text_of(node, key).ok_or_else(|| bad_field(at.key(key).as_str(), "a string"))
}

/// Adds parts to a message of `role`: the model's items and results join their like.
fn add(messages: &mut Vec<Message>, role: Role, parts: Vec<Part>, at: &At) {
    let joins = matches!(role, Role::Assistant | Role::Tool);
    match messages.last_mut() {
        Some(last) if joins && last.role == role => last.parts.extend(parts),
        _ if parts.is_empty() => {}
        _ => messages.push(Message {
            role,
            name: None,
            parts,
            at: at.clone(),
        }),
    }
}

fn read_item(item: Node<'_>, at: &At, messages: &mut Vec<Message>) -> Result<(), Error> {
    if item.kind() != Kind::Object {
        return Err(bad_field(at.as_str(), "an item: an object"));
    }
    let kind = text_of(item, "type").unwrap_or_default();
    match &*kind {
        "" | "message" => {
            let role = role_of(item, at)?;
            let content = content(item.get("content"), &at.key("content"));
            add(messages, role, content, at);
        }
        "function_call" | "custom_tool_call" => {
            required(item, "call_id", at)?;
            required(item, "name", at)?;
            add(messages, Role::Assistant, vec![call(item, at)], at);
        }
        "function_call_output" | "custom_tool_call_output" => {
            let result = PartKind::ToolResult(ToolResult {
                call_id: required(item, "call_id", at)?,
                name: None,
                parts: content(item.get("output"), &at.key("output")),
                is_error: false,
            });
            let part = Part::new(result, at.clone());
            add(messages, Role::Tool, vec![part], at);
        }
        "reasoning" => {
            let mut parts = reasoning(item, at);
            if parts.is_empty() {
                // Its id alone refers to what the provider may know.
                let id = text_of(item, "id");
                let empty = Reasoning {
                    id,
                    summary: true,
                    ..Reasoning::default()
                };
                parts.push(Part::new(PartKind::Reasoning(empty), at.clone()));
            }
            add(messages, Role::Assistant, parts, at);
        }
        "item_reference" => {
            return Err(stateful(
                at.as_str(),
                "send the item itself, and ask for `\"store\": false` and `reasoning.encrypted_content`",
            ));
        }
        _ => add(
            messages,
            opaque_role(item, &kind),
            vec![opaque(item, kind, at)],
            at,
        ),
    }
    Ok(())
}

fn role_of(item: Node<'_>, at: &At) -> Result<Role, Error> {
    match text_of(item, "role").as_deref() {
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some("system") => Ok(Role::System),
        Some("developer") => Ok(Role::Developer),
        _ => Err(bad_field(
            at.key("role").as_str(),
            "`user`, `assistant`, `system` or `developer`",
        )),
    }
}

/// Who made an item of an unknown type: what a client ran or decided is the user's.
fn opaque_role(item: Node<'_>, kind: &str) -> Role {
    match text_of(item, "role").as_deref() {
        Some("user") => Role::User,
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        _ if kind == "mcp_approval_response" || kind.ends_with("_call_output") => Role::User,
        _ => Role::Assistant,
    }
}

fn opaque(node: Node<'_>, kind: String, at: &At) -> Part {
    let kind = PartKind::Opaque {
        kind,
        protocol: OPENAI,
        raw: RawJson::new(node.raw()),
    };
    Part::new(kind, at.clone())
}

/// What an item of an answer is made of. Never fails: answers are what they are.
pub(super) fn output(item: Node<'_>, at: &At) -> Vec<Part> {
    let kind = text_of(item, "type").unwrap_or_default();
    match &*kind {
        "message" => content(item.get("content"), &at.key("content")),
        "function_call" | "custom_tool_call" => vec![call(item, at)],
        "reasoning" => reasoning(item, at),
        "image_generation_call" => match text_of(item, "result").filter(|r| !r.is_empty()) {
            Some(data) => vec![Part::new(image(item, data), at.clone())],
            None => vec![opaque(item, kind, at)],
        },
        _ => vec![opaque(item, kind, at)],
    }
}

fn image(item: Node<'_>, data: String) -> PartKind {
    let format = text_of(item, "output_format").unwrap_or_else(|| "png".into());
    PartKind::Image {
        source: Source::Inline {
            media_type: format!("image/{format}"),
            data,
        },
        detail: None,
    }
}

fn call(item: Node<'_>, at: &At) -> Part {
    let custom = text_of(item, "type").as_deref() == Some("custom_tool_call");
    let arguments = text_of(item, if custom { "input" } else { "arguments" });
    let call = ToolCall {
        // Some hosts give the item an id and the call none.
        id: text_of(item, "call_id")
            .or_else(|| text_of(item, "id"))
            .unwrap_or_default(),
        name: text_of(item, "name").unwrap_or_default(),
        arguments: arguments.unwrap_or_default(),
        custom,
        seal: None,
    };
    Part::new(PartKind::ToolCall(call), at.clone())
}

/// The seal that a reasoning item carries.
pub(super) fn seal(item: Node<'_>) -> Option<Seal> {
    let data = text_of(item, "encrypted_content").filter(|d| !d.is_empty())?;
    Some(Seal {
        protocol: OPENAI,
        data,
    })
}

/// Each text of a reasoning item, with the item's id; the seal is the last one's. None for an item that says nothing.
fn reasoning(item: Node<'_>, at: &At) -> Vec<Part> {
    let id = text_of(item, "id");
    let mut parts: Vec<Part> = Vec::new();
    for (key, summary) in [("summary", true), ("content", false)] {
        for text in item.get(key).iter().flat_map(Node::items) {
            let reasoning = Reasoning {
                text: text_of(text, "text").unwrap_or_default(),
                summary,
                id: id.clone(),
                seal: None,
            };
            // The item's place: with a text goes the seal, which stands beside it.
            parts.push(Part::new(PartKind::Reasoning(reasoning), at.clone()));
        }
    }
    if let Some(seal) = seal(item) {
        match parts.last_mut().map(|p| &mut p.kind) {
            Some(PartKind::Reasoning(last)) => last.seal = Some(seal),
            _ => {
                let sealed = Reasoning {
                    text: String::new(),
                    summary: true,
                    id,
                    seal: Some(seal),
                };
                parts.push(Part::new(PartKind::Reasoning(sealed), at.clone()));
            }
        }
    }
    parts
}

/// Content: a string, or a list of typed parts; what is neither is the text of its JSON.
fn content(value: Option<Node<'_>>, at: &At) -> Vec<Part> {
    let Some(value) = value.filter(|v| !v.is_null()) else {
        return Vec::new();
    };
    match value.kind() {
        Kind::Array => {
            let parts = value.items().enumerate();
            parts.map(|(i, part)| typed(part, &at.index(i))).collect()
        }
        Kind::String => match value.text() {
            Some(text) => vec![Part::new(PartKind::text(text), at.clone())],
            None => Vec::new(),
        },
        _ => vec![Part::new(PartKind::text(value.raw()), at.clone())],
    }
}

fn typed(part: Node<'_>, at: &At) -> Part {
    let kind = text_of(part, "type").unwrap_or_default();
    let read = match &*kind {
        "input_text" | "output_text" | "text" => text_of(part, "text").map(|text| {
            let notes = part.get("annotations");
            let citations = notes.iter().flat_map(Node::items).map(citation).collect();
            PartKind::Text { text, citations }
        }),
        "refusal" => text_of(part, "refusal").map(PartKind::Refusal),
        "input_image" => picture(part),
        "input_file" => document(part),
        "input_audio" => audio(part),
        _ => None,
    };
    let Some(read) = read else {
        return opaque(part, kind, at);
    };
    let mark = part.get("prompt_cache_breakpoint").filter(|m| !m.is_null());
    Part {
        kind: read,
        cache: mark.map(|_| CacheMark { ttl: None }),
        at: at.clone(),
    }
}

fn picture(part: Node<'_>) -> Option<PartKind> {
    let url = text_of(part, "image_url").map(|url| source_of_url(&url));
    Some(PartKind::Image {
        source: url.or_else(|| text_of(part, "file_id").map(Source::File))?,
        detail: text_of(part, "detail"),
    })
}

fn document(part: Node<'_>) -> Option<PartKind> {
    let title = text_of(part, "filename");
    let data = || {
        let data = text_of(part, "file_data")?;
        Some(match source_of_url(&data) {
            // Not a data URL: base64 alone, of what the name says.
            Source::Url(data) => Source::Inline {
                media_type: media_type(title.as_deref()).into(),
                data,
            },
            source => source,
        })
    };
    let source = data()
        .or_else(|| text_of(part, "file_url").map(Source::Url))
        .or_else(|| text_of(part, "file_id").map(Source::File))?;
    Some(PartKind::Document {
        source,
        title,
        context: None,
        citations: None,
    })
}

fn media_type(name: Option<&str>) -> &'static str {
    match name.and_then(|n| n.rsplit_once('.')).map(|(_, end)| end) {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        _ => "application/pdf",
    }
}

fn audio(part: Node<'_>) -> Option<PartKind> {
    let inner = part.get("input_audio").unwrap_or(part);
    let format = text_of(inner, "format")?;
    Some(PartKind::Audio(Source::Inline {
        media_type: format!("audio/{format}"),
        data: text_of(inner, "data")?,
    }))
}

/// An annotation of a text.
pub(super) fn citation(note: Node<'_>) -> Citation {
    let number = |key: &str| note.get(key).and_then(|n| n.u64());
    let span = number("start_index").zip(number("end_index"));
    Citation {
        url: text_of(note, "url"),
        title: text_of(note, "title").or_else(|| text_of(note, "filename")),
        quote: None,
        span,
        protocol: OPENAI,
        raw: RawJson::new(note.raw()),
    }
}
