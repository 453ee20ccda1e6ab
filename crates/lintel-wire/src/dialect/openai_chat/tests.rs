//! Tests of the whole dialect: the recordings, the way there and back, and what each word means.

use std::sync::Arc;

use lintel_types::canon::{Event, Reply, Request};

use super::OpenaiChat;
use crate::dialect::grammar::fold;
use crate::dialect::{Dialect, Encoded, Target, Way};
use crate::hosts::{self, Host};
use crate::provider::OPENAI;
use crate::surface::{OPENAI_CHAT, Place, spec};

mod corpus;
mod plain;
mod property;
mod reply;
mod request;
mod stream;
mod write;

/// The row called `name`, else that of a host that is none.
fn host(name: &str) -> &'static Host {
    let named = hosts::by_name(name).filter(|h| h.protocol == OPENAI);
    named.unwrap_or_else(|| hosts::generic(OPENAI))
}

fn way(host: &'static Host) -> Way {
    Way {
        host,
        model: "asked".into(),
        id: "x1".into(),
        now: 1_700_000_000,
        include_usage: true,
        json_tool: false,
        request: Arc::new(Request::default()),
    }
}

/// Reads a client's body.
fn asked(body: &str) -> Request {
    let head = spec(OPENAI_CHAT).head(body.as_bytes(), &Place::default());
    let head = head.unwrap_or_else(|e| panic!("{e}: {body}"));
    OpenaiChat
        .decode_request(body.as_bytes(), &head)
        .unwrap_or_else(|e| panic!("{e}: {body}"))
}

/// Reads the members of a body that are neither model nor messages.
fn with(members: &str) -> Request {
    asked(&format!(r#"{{"model":"m","messages":[],{members}}}"#))
}

/// Writes a request for `host`; the body is checked to be JSON without keys that stand twice.
fn sent(request: &Request, host: &'static Host) -> (serde_json::Value, Encoded) {
    let model = "target";
    let encoded = OpenaiChat.encode_request(request, &Target { model, host });
    (json(&encoded.body), encoded)
}

fn json(body: &[u8]) -> serde_json::Value {
    let text = String::from_utf8_lossy(body);
    crate::json::parse(body).unwrap_or_else(|e| panic!("{e}: {text}"));
    serde_json::from_slice(body).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The data of each event of a stream.
fn data_of(stream: &str) -> Vec<String> {
    let text = stream.replace("\r\n", "\n");
    let lines = text.lines().filter_map(|l| l.strip_prefix("data:"));
    lines.map(|l| l.trim().to_owned()).collect()
}

/// Reads a stream to its end.
fn decoded(data: &[String], way: &Way) -> Vec<Event> {
    let mut decoder = OpenaiChat.decoder(way);
    let mut out = Vec::new();
    for one in data {
        decoder.event(one.as_bytes(), &mut out);
    }
    decoder.finish(&mut out);
    out
}

/// Writes a stream.
fn encoded(events: &[Event], way: &Way) -> String {
    let mut encoder = OpenaiChat.encoder(way);
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The answer of a stream that ends well.
fn answer(chunks: &[&str]) -> Reply {
    let data: Vec<String> = chunks.iter().map(|c| (*c).to_owned()).collect();
    fold(&decoded(&data, &way(host("openai"))), false)
}
