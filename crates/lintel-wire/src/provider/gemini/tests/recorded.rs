//! For tests: recorded calls of the protocol, and what is metered of them.
//!
//! A chosen set stands in the repository; a folder that `LINTEL_CORPUS` names is read instead, where it is set.

use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use super::super::{GEMINI, Gemini, ProviderSpec, ReplyFacts};
use crate::hosts::generic;
use crate::sse;
use crate::surface::GEMINI_GENERATE;

/// The recordings of `protocol`, such as `gemini.stream`.
pub(crate) fn recordings(protocol: &str) -> Vec<Value> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/wire");
    let folder = std::env::var_os("LINTEL_CORPUS").unwrap_or_else(|| own.into());
    let file = Path::new(&folder).join(format!("{protocol}.jsonl"));
    let text = std::fs::read_to_string(file).unwrap();
    let all: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!all.is_empty());
    all
}

/// The data of each event of a recorded stream.
pub(crate) fn events(recording: &Value) -> Vec<Bytes> {
    let text = recording["response_text"].as_str().unwrap().to_owned();
    sse::events(Bytes::from(text))
        .filter_map(|e| e.data)
        .collect()
}

/// What the ledger must say, by the recording's own usage: input, output, of them cached and thought.
fn wanted(usage: &Value) -> Option<[u64; 4]> {
    let n = |key: &str| usage[key].as_u64().unwrap_or(0);
    usage["promptTokenCount"].as_u64()?;
    Some([
        n("promptTokenCount") + n("toolUsePromptTokenCount"),
        n("candidatesTokenCount") + n("thoughtsTokenCount"),
        n("cachedContentTokenCount"),
        n("thoughtsTokenCount"),
    ])
}

fn check(recording: &Value, facts: &ReplyFacts) {
    use lintel_types::Meter;
    let id = &recording["id"];
    if recording["status"].as_u64().unwrap() >= 400 {
        return assert!(facts.error.is_some(), "{id}");
    }
    assert!(!facts.malformed && facts.error.is_none(), "{id}");
    let booked = facts.usage.as_ref().map(|u| {
        [
            u.input_tokens(),
            u.output_tokens(),
            u.get(Meter::CacheRead),
            u.get(Meter::Reasoning),
        ]
    });
    assert_eq!(booked, wanted(&recording["usage"]), "{id}");
    let reasons: Vec<Value> = facts
        .finish_reason
        .iter()
        .map(|r| r.as_str().into())
        .collect();
    let recorded = recording["finish_reasons"].as_array().unwrap();
    assert_eq!(recorded.last(), reasons.last(), "{id}");
}

#[test]
fn every_recorded_answer_meters_what_it_reports() {
    for recording in recordings("gemini.generate") {
        let body = recording["response_text"].as_str().unwrap();
        let facts = Gemini.reply(generic(GEMINI), GEMINI_GENERATE, body.as_bytes());
        check(&recording, &facts);
    }
}

#[test]
fn every_recorded_stream_meters_what_it_reports() {
    for recording in recordings("gemini.stream") {
        let mut meter = Gemini.meter(generic(GEMINI), GEMINI_GENERATE);
        let mut bytes = 0;
        for event in events(&recording) {
            let seen = meter.event(&event);
            assert!(!seen.terminal && !seen.error, "{}", recording["id"]);
            assert_eq!(seen.content, meter.facts().content_bytes > bytes);
            bytes = meter.facts().content_bytes;
        }
        assert!(bytes > 0, "{}", recording["id"]);
        check(&recording, meter.facts());
    }
}

#[test]
fn every_recorded_request_has_a_head() {
    use crate::surface::{Place, spec};
    let place = Place {
        model: Some("m".into()),
        stream: false,
        object: None,
    };
    for recording in recordings("gemini.generate") {
        let Some(body) = recording["request_text"].as_str() else {
            continue;
        };
        let spec = spec(GEMINI_GENERATE);
        assert!(spec.head(body.as_bytes(), &place).is_ok());
        let parts = spec.parts(body.as_bytes()).unwrap();
        let unknown = parts
            .iter()
            .filter(|p| p.modality == lintel_types::Modality::Unknown);
        assert_eq!(unknown.count(), 0, "{}", recording["id"]);
    }
}
