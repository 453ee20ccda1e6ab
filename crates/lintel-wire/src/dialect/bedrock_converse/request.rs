//! A client's request to the canonical form.

use lintel_types::Error;
use lintel_types::canon::{At, Extra, Message, Part, PartKind, RawJson, Request, Role};

use super::{block, rest, settings, tools};
use crate::json::{self, Kind, Node};
use crate::provider::BEDROCK;
use crate::surface::{Head, bad_field, bad_json};

/// Reads a request. The model and the wish for a stream are the path's, and stand in `head`.
pub(super) fn decode(body: &[u8], head: &Head) -> Result<Request, Error> {
    let root = json::parse(body).map_err(bad_json)?;
    let mut request = Request {
        model: head.model.clone(),
        stream: head.stream,
        // Streams of this dialect always end with their usage.
        include_usage: true,
        ..Request::default()
    };
    for (key, value) in root.members() {
        if value.is_null() {
            continue;
        }
        match &*key {
            "system" => system(value, &mut request)?,
            "messages" => messages(value, &mut request)?,
            "toolConfig" => tools::decode(value, &mut request)?,
            _ if settings::decode(&key, value, &mut request)? => {}
            "lintel" | "model" | "modelId" | "stream" => {}
            _ => request.extras.push(whole(&key, value)),
        }
    }
    // The instructions come first, wherever their member stands.
    request
        .messages
        .sort_by_key(|m| m.at.as_str() != "$.system");
    Ok(request)
}

fn whole(key: &str, value: Node<'_>) -> Extra {
    Extra {
        key: key.to_owned(),
        at: At::new("$").key(key),
        protocol: BEDROCK,
        value: RawJson::new(value.raw()),
    }
}

fn system(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    if value.kind() != Kind::Array {
        return Err(bad_field("$.system", "an array of blocks"));
    }
    let at = At::new("$.system");
    let parts = block::list(value, &at, false);
    push(request, Role::System, parts, &at);
    Ok(())
}

fn messages(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    for (index, message) in value.items().enumerate() {
        let at = At::new("$.messages").index(index);
        let content = message.get("content");
        let content = content
            .filter(|c| c.kind() == Kind::Array)
            .ok_or_else(|| bad_field(at.key("content").as_str(), "an array of content blocks"))?;
        let role = match message.get("role").and_then(|r| r.text()).as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => return Err(bad_field(at.key("role").as_str(), "`user` or `assistant`")),
        };
        let parts = block::list(content, &at.key("content"), role == Role::Assistant);
        // Results of tools stand apart, and first.
        let is_result = |part: &Part| matches!(part.kind, PartKind::ToolResult(_));
        let (results, others): (Vec<Part>, Vec<Part>) = parts.into_iter().partition(is_result);
        push(request, Role::Tool, results, &at);
        push(request, role, others, &at);
    }
    Ok(())
}

fn push(request: &mut Request, role: Role, parts: Vec<Part>, at: &At) {
    if !parts.is_empty() {
        request.messages.push(Message {
            role,
            name: None,
            parts,
            at: at.clone(),
        });
    }
}

/// Keeps what of `object` isn't `known`.
pub(super) fn keep(request: &mut Request, key: &str, object: Node<'_>, known: &[&str]) {
    request.extras.extend(rest::extra(key, object, known));
}
