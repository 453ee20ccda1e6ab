//! What the dialect's tests share: calls to read and write without a gateway around them.

use std::sync::Arc;

use lintel_types::canon::{At, Event, Part, PartKind, Reply, Request};
use serde_json::Value;

use super::GeminiGenerate;
use crate::dialect::{Dialect, Encoded, Target, Way};
use crate::hosts::generic;
use crate::provider::GEMINI;
use crate::surface::Head;

mod answers;
mod recorded;
mod requests;
mod same;
mod streams;

fn way() -> Way {
    Way {
        host: generic(GEMINI),
        model: "route".into(),
        id: "ex_01".into(),
        now: 1_700_000_000,
        include_usage: true,
        json_tool: false,
        request: Arc::new(Request::default()),
    }
}

fn head() -> Head {
    Head {
        model: "m".into(),
        model_span: None,
        stream: false,
        max_output: None,
        choices: 1,
        ask_usage: None,
        strip_ours: None,
        may_name_objects: true,
    }
}

fn decode(body: &str) -> Request {
    GeminiGenerate
        .decode_request(body.as_bytes(), &head())
        .unwrap()
}

fn encode(request: &Request, model: &str) -> Encoded {
    let target = Target {
        model,
        host: generic(GEMINI),
    };
    GeminiGenerate.encode_request(request, &target)
}

fn json(encoded: &Encoded) -> Value {
    serde_json::from_slice(&encoded.body).unwrap()
}

/// The canonical events of a stream's data.
fn events<'d>(data: impl IntoIterator<Item = &'d [u8]>) -> Vec<Event> {
    let mut decoder = GeminiGenerate.decoder(&way());
    let mut out = Vec::new();
    for event in data {
        decoder.event(event, &mut out);
    }
    decoder.finish(&mut out);
    out
}

/// The bytes of a stream.
fn stream(events: &[Event]) -> Vec<u8> {
    let mut encoder = GeminiGenerate.encoder(&way());
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    out
}

fn data_of(stream: &[u8]) -> Vec<bytes::Bytes> {
    crate::sse::events(bytes::Bytes::copy_from_slice(stream))
        .filter_map(|e| e.data)
        .collect()
}

/// Forgets places: they say where something stood, not what it was.
fn placeless(parts: &mut [Part]) {
    for part in parts {
        part.at = At::default();
        if let PartKind::ToolResult(result) = &mut part.kind {
            placeless(&mut result.parts);
        }
    }
}

fn placeless_reply(mut reply: Reply) -> Reply {
    for choice in &mut reply.choices {
        placeless(&mut choice.parts);
    }
    reply
}

/// The text of a reply, its choices one after the other.
fn text_of(reply: &Reply) -> String {
    let parts = reply.choices.iter().flat_map(|c| &c.parts);
    let texts = parts.filter_map(|p| match &p.kind {
        PartKind::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
