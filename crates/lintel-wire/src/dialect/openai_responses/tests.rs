//! The dialect as a whole: recorded traffic, generated requests, and each mapping by itself.

use std::path::PathBuf;
use std::sync::Arc;

use lintel_types::canon::{At, Message, Part, PartKind, Request, Tool};

use super::*;
use crate::hosts::{self, Host};
use crate::provider::OPENAI;
use crate::surface::{Place, spec};

mod corpus;
mod property;
mod replies;
mod requests;
mod streams;

const DIALECT: OpenaiResponses = OpenaiResponses;

fn host() -> &'static Host {
    hosts::generic(OPENAI)
}

fn way(request: Request) -> Way {
    Way {
        host: host(),
        model: "alias".into(),
        id: "0192-ab".into(),
        now: 1_700_000_000,
        include_usage: true,
        json_tool: false,
        request: Arc::new(request),
    }
}

fn decoded(body: &str) -> Result<Request, Error> {
    let surface = spec(OPENAI_RESPONSES);
    let head = surface.head(body.as_bytes(), &Place::default())?;
    DIALECT.decode_request(body.as_bytes(), &head)
}

fn encoded(request: &Request) -> (serde_json::Value, crate::dialect::Notes) {
    let (text, notes) = written(request);
    (serde_json::from_str(&text).unwrap(), notes)
}

fn written(request: &Request) -> (String, crate::dialect::Notes) {
    let target = Target {
        model: "target",
        host: host(),
    };
    let encoded = DIALECT.encode_request(request, &target);
    (String::from_utf8(encoded.body).unwrap(), encoded.notes)
}

/// Every recording of the golden set, and of a folder of more.
fn recordings() -> Vec<serde_json::Value> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/wire/openai.responses.jsonl");
    let mut text = std::fs::read_to_string(golden).unwrap();
    if let Some(folder) = std::env::var_os("LINTEL_CORPUS") {
        let path = PathBuf::from(folder).join("openai.responses.jsonl");
        text.push_str(&std::fs::read_to_string(path).unwrap());
    }
    let rows: Vec<_> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert!(rows.len() > 30);
    rows
}

/// Forgets where things stood, which no other body can tell.
fn forget(request: &mut Request) {
    fn part(p: &mut Part) {
        p.at = At::default();
        if let PartKind::ToolResult(r) = &mut p.kind {
            r.parts.iter_mut().for_each(part);
        }
    }
    for Message { parts, at, .. } in &mut request.messages {
        *at = At::default();
        parts.iter_mut().for_each(part);
    }
    for Tool { at, .. } in &mut request.tools {
        *at = At::default();
    }
    for extra in &mut request.extras {
        extra.at = At::default();
    }
}
