//! The conversation: `messages`, with the older words for calls and results.

use lintel_types::Error;
use lintel_types::canon::{At, Message, Part, PartKind, Role, Source, ToolResult};

use super::super::thought;
use super::call::{self, Ids};
use super::{parts, said};
use crate::json::{Kind, Node};
use crate::surface::bad_field;

/// Reads `messages`.
pub(super) fn read(list: Node<'_>) -> Result<Vec<Message>, Error> {
    if list.kind() != Kind::Array {
        return Err(bad_field("$.messages", "an array"));
    }
    let mut ids = Ids::new("call_".into());
    let all = At::new("$.messages");
    let messages = list.items().enumerate();
    messages
        .map(|(i, node)| message(node, all.index(i), &mut ids))
        .collect()
}

fn message(node: Node<'_>, at: At, ids: &mut Ids) -> Result<Message, Error> {
    let role = match said(node, "role").as_deref() {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ => {
            let wants = "`system`, `developer`, `user`, `assistant` or `tool`";
            return Err(bad_field(at.key("role").as_str(), wants));
        }
    };
    let mut name = said(node, "name").map(|n| n.into_owned());
    let mut inside = Vec::new();
    let content = node.get("content");
    if role == Role::Assistant {
        inside.extend(thought::read(node, &at));
    }
    if let Some(content) = content {
        parts::content(content, &at.key("content"), &mut inside)?;
    }
    match role {
        Role::Assistant => assistant(node, &at, ids, &mut inside),
        Role::Tool => {
            let result = ToolResult {
                call_id: ids.of_result(said(node, "tool_call_id"), name.as_deref()),
                name: name.take(),
                parts: std::mem::take(&mut inside),
                is_error: false,
            };
            inside.push(Part::new(PartKind::ToolResult(result), at.clone()));
        }
        _ => {}
    }
    Ok(Message {
        role,
        name,
        parts: inside,
        at,
    })
}

/// What stands beside the content of a message of the assistant.
fn assistant(node: Node<'_>, at: &At, ids: &mut Ids, inside: &mut Vec<Part>) {
    if let Some(refusal) = said(node, "refusal") {
        let kind = PartKind::Refusal(refusal.into_owned());
        inside.push(Part::new(kind, at.key("refusal")));
    }
    // An earlier answer in sound, by its id.
    if let Some(id) = node.get("audio").and_then(|a| said(a, "id")) {
        let kind = PartKind::Audio(Source::File(id.into_owned()));
        inside.push(Part::new(kind, at.key("audio")));
    }
    let calls = at.key("tool_calls");
    let listed = node.get("tool_calls");
    for (i, entry) in listed.iter().flat_map(Node::items).enumerate() {
        inside.extend(call::read(entry, calls.index(i), ids));
    }
    let legacy = node.get("function_call");
    if let Some(call) = legacy.and_then(|n| call::legacy(n, None, ids)) {
        let kind = PartKind::ToolCall(call);
        inside.push(Part::new(kind, at.key("function_call")));
    }
}
