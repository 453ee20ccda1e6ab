//! Reads a request.

use lintel_types::Error;
use lintel_types::canon::{At, Extra, Message, PartKind, RawJson, Request, Role};

use super::ids::Ids;
use super::read::{self, Of};
use super::{settings, tools};
use crate::json::{self, Kind, Node};
use crate::provider::GEMINI;
use crate::surface::gemini_generate::{is, list};
use crate::surface::{Head, bad_field, bad_json};

/// Members of the body that are nobody's to carry: the path and Lintel itself say them.
const NOT_CARRIED: [&str; 4] = ["model", "stream", "stream_options", "lintel"];

/// Reads a body whose head has been read.
pub(super) fn read(body: &[u8], head: &Head) -> Result<Request, Error> {
    let root = json::parse(body).map_err(bad_json)?;
    let mut request = Request {
        model: head.model.clone(),
        stream: head.stream,
        include_usage: true,
        ..Request::default()
    };
    let mut contents = None;
    for (key, value) in root.members() {
        if value.is_null() {
            continue;
        }
        if is(&key, "contents") {
            contents = Some(value);
        } else if is(&key, "systemInstruction") {
            request.messages.insert(0, system(value)?);
        } else if is(&key, "tools") {
            tools::read(value, &mut request)?;
        } else if is(&key, "toolConfig") {
            tools::read_config(value, &mut request);
        } else if is(&key, "generationConfig") {
            settings::read(value, &mut request);
        } else if !NOT_CARRIED.contains(&&*key) {
            request.extras.push(extra(&key, value));
        }
    }
    let mut ids = Ids::of_request();
    for (i, content) in contents.into_iter().flat_map(list).enumerate() {
        turn(content, i, &mut ids, &mut request.messages)?;
    }
    request.messages.retain(|m| !m.parts.is_empty());
    request.name_results();
    Ok(request)
}

/// A member that has no canonical word. `key` is a path of members: `toolConfig.retrievalConfig`.
pub(super) fn extra(key: &str, value: Node<'_>) -> Extra {
    Extra {
        key: key.to_owned(),
        at: At::new(format!("$.{key}")),
        protocol: GEMINI,
        value: RawJson::new(value.raw()),
    }
}

fn system(value: Node<'_>) -> Result<Message, Error> {
    let at = At::new("$.systemInstruction");
    let mut message = Message {
        role: Role::System,
        name: None,
        parts: Vec::new(),
        at: at.clone(),
    };
    if value.kind() == Kind::String {
        let text = PartKind::text(value.text().unwrap_or_default());
        message.parts.push(lintel_types::canon::Part::new(text, at));
        return Ok(message);
    }
    parts(value, &at, &mut Ids::of_request(), &mut message)?;
    Ok(message)
}

/// One content: the results in it become a message of their own, before the rest.
fn turn(
    content: Node<'_>,
    index: usize,
    ids: &mut Ids,
    out: &mut Vec<Message>,
) -> Result<(), Error> {
    let at = At::new("$.contents").index(index);
    if content.kind() != Kind::Object {
        return Err(bad_field(at.as_str(), "an object with `role` and `parts`"));
    }
    let role = content.get("role").and_then(|r| r.text());
    let mut message = Message {
        role: if role.as_deref() == Some("model") {
            Role::Assistant
        } else {
            Role::User
        },
        name: None,
        parts: Vec::new(),
        at: at.clone(),
    };
    parts(content, &at, ids, &mut message)?;
    let is_result = |kind: &PartKind| matches!(kind, PartKind::ToolResult(_));
    let (results, rest) = message.parts.into_iter().partition(|p| is_result(&p.kind));
    out.push(Message {
        role: Role::Tool,
        name: None,
        parts: results,
        at: at.clone(),
    });
    message.parts = rest;
    out.push(message);
    Ok(())
}

fn parts(content: Node<'_>, at: &At, ids: &mut Ids, message: &mut Message) -> Result<(), Error> {
    let Some(found) = content.get("parts").filter(|p| !p.is_null()) else {
        return Ok(());
    };
    if !matches!(found.kind(), Kind::Array | Kind::Object) {
        return Err(bad_field(at.key("parts").as_str(), "an array of parts"));
    }
    for (i, node) in list(found).enumerate() {
        let place = at.key("parts").index(i);
        if !matches!(node.kind(), Kind::Object | Kind::String) {
            return Err(bad_field(place.as_str(), "an object"));
        }
        read::part(node, &place, Of::Request, ids, &mut message.parts);
    }
    Ok(())
}
