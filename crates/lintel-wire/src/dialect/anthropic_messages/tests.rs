//! The dialect from outside: recordings, generated requests, and each mapping by itself.

mod corpus;
mod property;
mod replies;
mod requests;
mod settings;
mod streams;

use std::sync::Arc;

use bytes::Bytes;
use lintel_types::canon::{
    At, Choice, Event, FunctionTool, Message, Part, PartKind, Reply, Request, Role, Set, Tool,
    ToolCall, ToolKind, ToolResult,
};
use serde_json::Value;

use super::super::{Dialect, Encoded, Target, Way};
use super::AnthropicMessages;
use crate::hosts::generic;
use crate::provider::{ANTHROPIC, OPENAI};
use crate::sse;
use crate::surface::{self, ANTHROPIC_MESSAGES, Place};

/// A model that takes most: sampling, budgets, native schemas.
const MODEL: &str = "claude-sonnet-4-5";

fn way() -> Way {
    Way {
        host: generic(ANTHROPIC),
        model: "route".into(),
        id: "ex_1".into(),
        now: 1_700_000_000,
        include_usage: true,
        json_tool: false,
        request: Arc::default(),
    }
}

fn decode(body: &str) -> Request {
    let head = surface::spec(ANTHROPIC_MESSAGES)
        .head(body.as_bytes(), &Place::default())
        .unwrap();
    AnthropicMessages
        .decode_request(body.as_bytes(), &head)
        .unwrap()
}

fn encode(request: &Request, model: &str) -> (Value, Encoded) {
    let target = Target {
        model,
        host: generic(ANTHROPIC),
    };
    let encoded = AnthropicMessages.encode_request(request, &target);
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

/// The events of a stream that arrives in one go.
fn events(stream: &str, way: &Way) -> Vec<Event> {
    let mut decoder = AnthropicMessages.decoder(way);
    let mut out = Vec::new();
    let events = sse::events(Bytes::from(stream.to_owned()));
    for data in events.filter_map(|e| e.data) {
        decoder.event(&data, &mut out);
    }
    decoder.finish(&mut out);
    out
}

/// The bytes that a client sees of `events`.
fn written(events: &[Event], way: &Way) -> String {
    let mut encoder = AnthropicMessages.encoder(way);
    let mut out = Vec::new();
    events.iter().for_each(|e| encoder.event(e, &mut out));
    String::from_utf8(out).unwrap()
}

/// The data of every event of a stream.
fn data(stream: &str) -> Vec<Value> {
    sse::events(Bytes::from(stream.to_owned()))
        .filter_map(|e| e.data)
        .map(|d| serde_json::from_slice(&d).unwrap())
        .collect()
}

fn message(role: Role, kinds: Vec<PartKind>) -> Message {
    let parts = kinds.into_iter().enumerate();
    Message {
        role,
        name: None,
        parts: parts
            .map(|(i, kind)| Part::new(kind, At::new(format!("$.p[{i}]"))))
            .collect(),
        at: At::new("$.m"),
    }
}

fn asked(messages: Vec<Message>) -> Request {
    Request {
        messages,
        ..Request::default()
    }
}

fn hello() -> Request {
    asked(vec![message(Role::User, vec![PartKind::text("hi")])])
}

fn call(id: &str, arguments: &str) -> PartKind {
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        custom: false,
        seal: None,
    })
}

fn result(id: &str, text: &str) -> PartKind {
    PartKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: vec![Part::new(PartKind::text(text), At::default())],
        is_error: false,
    })
}

fn function(name: &str, parameters: Option<&str>) -> Tool {
    Tool {
        kind: ToolKind::Function(FunctionTool {
            name: name.into(),
            description: None,
            parameters: parameters.map(lintel_types::canon::RawJson::new),
            strict: None,
        }),
        cache: None,
        at: At::new("$.tools[0]"),
    }
}

fn set<T>(value: T, at: &'static str) -> Option<Set<T>> {
    Some(Set::new(value, at))
}

/// Checks what `request` becomes for `model` at `pointer`, and what is named.
fn check(
    request: &Request,
    model: &str,
    pointer: &str,
    wanted: Value,
    dropped: &[&str],
    emulated: &[&str],
) {
    let (body, encoded) = encode(request, model);
    let got = body.pointer(pointer).cloned().unwrap_or(Value::Null);
    assert_eq!(got, wanted, "{pointer} of {body}");
    assert_eq!(encoded.notes.dropped, dropped, "{body}");
    assert_eq!(encoded.notes.emulated, emulated, "{body}");
}

fn asking(fill: impl FnOnce(&mut Request)) -> Request {
    let mut request = hello();
    fill(&mut request);
    request
}

/// A reply of one choice.
fn reply(choice: Choice) -> Reply {
    Reply {
        choices: vec![choice],
        ..Reply::default()
    }
}

/// A canonical value without its places, which a rewritten body doesn't keep.
trait Placeless {
    fn placeless(self) -> Self;
}

impl Placeless for Vec<Part> {
    fn placeless(mut self) -> Self {
        for part in &mut self {
            part.at = At::default();
            if let PartKind::ToolResult(result) = &mut part.kind {
                result.parts = std::mem::take(&mut result.parts).placeless();
            }
        }
        self
    }
}

impl Placeless for Reply {
    fn placeless(mut self) -> Self {
        for choice in &mut self.choices {
            choice.parts = std::mem::take(&mut choice.parts).placeless();
        }
        self
    }
}
