//! The dialect against recorded traffic, against itself, and case by case.

mod cases;
mod corpus;
mod property;
mod recorded;
mod streams;

use std::sync::Arc;

use lintel_types::canon::{Event, Request};

use super::BedrockConverse;
use crate::dialect::{Dialect, Encoded, Notes, Target, Way};
use crate::hosts::generic;
use crate::provider::BEDROCK;
use crate::surface::{BEDROCK_CONVERSE, Head, Place, spec};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn head(body: &[u8], model: &str) -> Head {
    let place = Place {
        model: Some(model.to_owned()),
        stream: false,
        object: None,
    };
    spec(BEDROCK_CONVERSE).head(body, &place).unwrap()
}

fn decode(body: &str) -> Request {
    let head = head(body.as_bytes(), "m");
    BedrockConverse
        .decode_request(body.as_bytes(), &head)
        .unwrap()
}

fn encode(request: &Request, model: &str) -> Encoded {
    let host = generic(BEDROCK);
    BedrockConverse.encode_request(request, &Target { model, host })
}

fn json(encoded: &[u8]) -> serde_json::Value {
    serde_json::from_slice(encoded).unwrap()
}

fn way(json_tool: bool) -> Way {
    Way {
        host: generic(BEDROCK),
        model: "m".into(),
        id: "ex_1".into(),
        now: 7,
        include_usage: true,
        json_tool,
        request: Arc::new(Request::default()),
    }
}

/// What a decoder makes of the data of events.
fn events(data: &[impl AsRef<[u8]>], json_tool: bool) -> Vec<Event> {
    let mut reader = BedrockConverse.decoder(&way(json_tool));
    let mut out = Vec::new();
    data.iter().for_each(|d| reader.event(d.as_ref(), &mut out));
    reader.finish(&mut out);
    out
}

/// The notes as (dropped, emulated).
fn noted(notes: &Notes) -> (Vec<&str>, Vec<&str>) {
    (
        notes.dropped.iter().map(String::as_str).collect(),
        notes.emulated.iter().map(String::as_str).collect(),
    )
}
