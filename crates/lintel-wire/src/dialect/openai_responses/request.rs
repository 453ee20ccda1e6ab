//! Reads a client's request: the members of its body. Input items are read in `items`, tools and formats in `settings`.
//!
//! Refuses what needs state that only a provider of this protocol keeps, and names the remedy.

use lintel_types::canon::{At, Extra, Message, Part, PartKind, RawJson, Request, Role, Set};
use lintel_types::{Error, Kind};

use super::{items, settings};
use crate::json::{self, Member, Node};
use crate::provider::OPENAI;
use crate::surface::{Head, bad_field, bad_json, member};

pub(super) fn read(body: &[u8], head: &Head) -> Result<Request, Error> {
    let members = json::parse_object(body).map_err(bad_json)?;
    refuse_state(&members)?;
    let mut request = Request {
        model: head.model.clone(),
        stream: head.stream,
        // Streams of this dialect always end with their usage.
        include_usage: true,
        ..Request::default()
    };
    if let Some(text) = present(&members, "instructions") {
        let text = text
            .text()
            .ok_or_else(|| bad_field("$.instructions", "a string"))?;
        let at = At::new("$.instructions");
        request.messages.push(Message {
            role: Role::System,
            name: None,
            parts: vec![Part::new(PartKind::text(text), at.clone())],
            at,
        });
    }
    if let Some(input) = present(&members, "input") {
        items::read(input, &mut request.messages)?;
    }
    for member in members.iter().filter(|m| !m.value.is_null()) {
        if !sampling(&mut request, &member.key, member.value)? {
            other(&mut request, &member.key, member.value)?;
        }
    }
    Ok(request)
}

fn present<'a>(members: &[Member<'a>], key: &str) -> Option<Node<'a>> {
    let value = member(members, key).map(|m| m.value);
    value.filter(|v| !v.is_null())
}

/// An error for what the target can't know.
pub(super) fn stateful(path: &str, remedy: &str) -> Error {
    let text = format!(
        "`{path}` refers to what a provider has stored, and this model's provider is reached by translation, which \
         keeps no state: {remedy}"
    );
    Error::client(Kind::InvalidRequest, "unsupported", text)
}

fn refuse_state(members: &[Member<'_>]) -> Result<(), Error> {
    let refs = [
        (
            "previous_response_id",
            "send the earlier turns in `$.input`",
        ),
        ("conversation", "send its items in `$.input`"),
        ("prompt", "send its text in `$.instructions` and `$.input`"),
    ];
    for (key, remedy) in refs {
        if present(members, key).is_some() {
            return Err(stateful(&format!("$.{key}"), remedy));
        }
    }
    let background = present(members, "background").and_then(|b| b.bool());
    if background == Some(true) {
        return Err(stateful(
            "$.background",
            "leave it out, and wait for the answer or stream it",
        ));
    }
    Ok(())
}

/// Reads the settings that are one value; false for any other member.
fn sampling(request: &mut Request, key: &str, value: Node<'_>) -> Result<bool, Error> {
    let s = &mut request.settings;
    match key {
        "max_output_tokens" => s.max_output = Some(whole(value, "$.max_output_tokens")?),
        "temperature" => s.temperature = Some(number(value, "$.temperature")?),
        "top_p" => s.top_p = Some(number(value, "$.top_p")?),
        "presence_penalty" => s.presence_penalty = Some(number(value, "$.presence_penalty")?),
        "frequency_penalty" => s.frequency_penalty = Some(number(value, "$.frequency_penalty")?),
        "top_logprobs" => s.top_logprobs = Some(whole(value, "$.top_logprobs")?),
        "parallel_tool_calls" => s.parallel_tools = Some(flag(value, "$.parallel_tool_calls")?),
        "store" => s.store = Some(flag(value, "$.store")?),
        "service_tier" => s.service_tier = Some(string(value, "$.service_tier")?),
        "metadata" => s.metadata = Some(Set::new(RawJson::new(value.raw()), "$.metadata")),
        _ => return Ok(false),
    }
    Ok(true)
}

fn other(request: &mut Request, key: &str, value: Node<'_>) -> Result<(), Error> {
    match key {
        // Read already, or by the head, or without a meaning when they are nothing.
        "model" | "stream" | "stream_options" | "lintel" | "instructions" | "input"
        | "background" => {}
        "tools" => {
            request.tools = settings::tools(value)?;
            settings::unsaid_of_tools(value, request);
        }
        "tool_choice" => settings::choice(value, request)?,
        "text" => settings::text(value, request)?,
        "reasoning" => settings::reasoning(value, request)?,
        "include" => settings::include(value, request)?,
        "user" | "safety_identifier" => end_user(request, key, value)?,
        "truncation" if value.text().as_deref() == Some("disabled") => {}
        _ => extra(request, key, value),
    }
    Ok(())
}

/// The end user has two words, the newer of which counts when both are there.
fn end_user(request: &mut Request, key: &str, value: Node<'_>) -> Result<(), Error> {
    let newer = key == "safety_identifier";
    let user = string(
        value,
        if newer {
            "$.safety_identifier"
        } else {
            "$.user"
        },
    )?;
    match request.settings.user.take() {
        None => request.settings.user = Some(user),
        Some(before) => {
            let (counts, older) = if newer {
                (user, before)
            } else {
                (before, user)
            };
            request.settings.user = Some(counts);
            request.extras.push(Extra {
                key: "user".into(),
                at: At::new("$.user"),
                protocol: OPENAI,
                value: RawJson::new(json::write::quoted(&older.value)),
            });
        }
    }
    Ok(())
}

/// Keeps a member without a canonical word. `key` may have a dot, for a member of a member.
pub(super) fn extra(request: &mut Request, key: &str, value: Node<'_>) {
    request.extras.push(Extra {
        key: key.to_owned(),
        at: At::new(format!("$.{key}")),
        protocol: OPENAI,
        value: RawJson::new(value.raw()),
    });
}

fn whole(value: Node<'_>, at: &'static str) -> Result<Set<u64>, Error> {
    let number = value.u64().ok_or_else(|| bad_field(at, "a whole number"))?;
    Ok(Set::new(number, at))
}

fn number(value: Node<'_>, at: &'static str) -> Result<Set<f64>, Error> {
    let number = value.f64().ok_or_else(|| bad_field(at, "a number"))?;
    Ok(Set::new(number, at))
}

fn flag(value: Node<'_>, at: &'static str) -> Result<Set<bool>, Error> {
    let flag = value.bool().ok_or_else(|| bad_field(at, "true or false"))?;
    Ok(Set::new(flag, at))
}

fn string(value: Node<'_>, at: &'static str) -> Result<Set<String>, Error> {
    let text = value.text().ok_or_else(|| bad_field(at, "a string"))?;
    Ok(Set::new(text.into_owned(), at))
}
