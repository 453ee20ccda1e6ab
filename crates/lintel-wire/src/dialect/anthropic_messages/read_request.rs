//! A client's request as a canonical one: the conversation, the tools, and what is carried for this protocol alone.
//!
//! Lenient: only a body whose conversation can't be made out is refused. Must not know the target.

use lintel_types::Error;
use lintel_types::canon::{
    At, Extra, FunctionTool, Message, Part, PartKind, Request, Role, Tool, ToolKind,
};

use super::read_block::{cache, content, raw, text_of};
use super::read_settings;
use crate::json::{self, Kind, Node};
use crate::provider::ANTHROPIC;
use crate::surface::{Head, bad_field, bad_json};

/// Reads `body`.
pub(super) fn read(body: &[u8], head: &Head) -> Result<Request, Error> {
    let root = json::parse(body).map_err(bad_json)?;
    let mut request = Request {
        model: head.model.clone(),
        stream: head.stream,
        // A stream of this dialect always tells its usage.
        include_usage: true,
        ..Request::default()
    };
    let mut conversation = Vec::new();
    for (key, value) in root.members() {
        match &*key {
            "model" | "stream" | "stream_options" | "lintel" => {}
            "system" => system(value, &mut request.messages),
            "messages" => messages(value, &mut conversation)?,
            "tools" => request.tools = tools(value),
            key if value.is_null() || read_settings::member(key, value, &mut request) => {}
            key => request.extras.push(extra(key, format!("$.{key}"), value)),
        }
    }
    request.messages.append(&mut conversation);
    Ok(request)
}

/// A member without a canonical word.
pub(super) fn extra(key: &str, at: String, value: Node<'_>) -> Extra {
    Extra {
        key: key.to_owned(),
        at: At::new(at),
        protocol: ANTHROPIC,
        value: raw(value),
    }
}

fn system(value: Node<'_>, out: &mut Vec<Message>) {
    push(
        out,
        Role::System,
        content(value, &At::new("$.system")),
        At::new("$.system"),
    );
}

fn push(out: &mut Vec<Message>, role: Role, parts: Vec<Part>, at: At) {
    if !parts.is_empty() {
        out.push(Message {
            role,
            name: None,
            parts,
            at,
        });
    }
}

fn messages(value: Node<'_>, out: &mut Vec<Message>) -> Result<(), Error> {
    if value.kind() != Kind::Array {
        return Err(bad_field("$.messages", "an array"));
    }
    for (i, message) in value.items().enumerate() {
        let at = At::new(format!("$.messages[{i}]"));
        if message.kind() != Kind::Object {
            return Err(bad_field(at.as_str(), "an object"));
        }
        let role = match text_of(message, "role").as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => {
                let path = at.key("role");
                return Err(bad_field(path.as_str(), "`user`, `assistant` or `system`"));
            }
        };
        let path = at.key("content");
        let parts = match message.get("content") {
            Some(node) if matches!(node.kind(), Kind::String | Kind::Array) => content(node, &path),
            _ => return Err(bad_field(path.as_str(), "a string or an array of blocks")),
        };
        let result = |p: &Part| matches!(p.kind, PartKind::ToolResult(_));
        let (results, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(result);
        push(out, Role::Tool, results, at.clone());
        push(out, role, rest, at);
    }
    Ok(())
}

fn tools(value: Node<'_>) -> Vec<Tool> {
    value
        .items()
        .enumerate()
        .map(|(i, tool)| Tool {
            kind: tool_kind(tool),
            cache: cache(tool),
            at: At::new(format!("$.tools[{i}]")),
        })
        .collect()
}

/// A tool without a type, or of type `custom`, is the application's; every other runs at the provider or has
/// a schema that only its models know.
fn tool_kind(tool: Node<'_>) -> ToolKind {
    let kind = text_of(tool, "type").unwrap_or_default();
    match text_of(tool, "name") {
        Some(name) if kind.is_empty() || kind == "custom" => ToolKind::Function(FunctionTool {
            name,
            description: text_of(tool, "description"),
            parameters: tool
                .get("input_schema")
                .filter(|n| n.kind() == Kind::Object)
                .map(raw),
            strict: tool.get("strict").and_then(|n| n.bool()),
        }),
        _ => ToolKind::Opaque {
            kind,
            protocol: ANTHROPIC,
            raw: raw(tool),
        },
    }
}
