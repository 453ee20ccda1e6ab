//! Recorded requests, answers and streams go through, and keep what they say.

use lintel_types::canon::{Part, PartKind, Reply};
use serde_json::{Value, json};

use super::corpus::{Recording, recordings};
use super::*;
use crate::dialect::grammar::fold;
use crate::provider::{self, ReplyFacts};

/// What a request means: empty members say nothing, a success is what is assumed, JSON is text to other
/// dialects, and results stand first in their turn.
fn meaning(mut body: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    object.retain(|_, v| *v != json!({}) && *v != json!([]));
    for message in object["messages"].as_array_mut().unwrap() {
        let blocks = message["content"].as_array_mut().unwrap();
        for block in blocks.iter_mut() {
            if let Some(call) = block.get_mut("toolUse").and_then(Value::as_object_mut) {
                call.retain(|k, v| k != "type" || *v == "server_tool_use");
            }
            let result = block.get_mut("toolResult").and_then(Value::as_object_mut);
            if let Some(result) = result.filter(|r| !r.contains_key("type")) {
                result.retain(|k, v| k != "status" || *v != "success");
                for inner in result["content"].as_array_mut().unwrap() {
                    if let Some(json) = inner.get("json") {
                        *inner = json!({ "text": json.to_string() });
                    }
                }
            }
        }
        blocks.sort_by_key(|b| b.get("toolResult").is_none());
    }
    // 0.0 and 0 are one number.
    for key in ["temperature", "topP"] {
        if let Some(number) = body.pointer_mut(&format!("/inferenceConfig/{key}")) {
            *number = json!(number.as_f64());
        }
    }
    // The schema is a text that holds JSON.
    let schema = "/outputConfig/textFormat/structure/jsonSchema/schema";
    if let Some(text) = body.pointer_mut(schema) {
        *text = serde_json::from_str(text.as_str().unwrap()).unwrap();
    }
    body
}

#[test]
fn requests_keep_their_meaning() {
    let mut seen = 0;
    for protocol in ["bedrock.converse", "bedrock.converse_stream"] {
        for recording in recordings(protocol) {
            let Some(text) = recording.request() else {
                continue;
            };
            let request = decode(text);
            let written = encode(&request, recording.model());
            let lost = noted(&written.notes);
            assert_eq!(lost, (vec![], vec![]), "{}", recording.id());
            assert!(!written.json_tool);
            let wanted = meaning(serde_json::from_str(text).unwrap());
            assert_eq!(meaning(json(&written.body)), wanted, "{}", recording.id());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

fn used(reply: &Reply) -> Option<(u64, u64, Option<u64>)> {
    let usage = reply.usage.as_ref()?;
    assert!(!usage.inconsistent, "{usage:?}");
    Some((
        usage.input_tokens(),
        usage.output_tokens(),
        usage.reported_total,
    ))
}

fn kinds(parts: &[Part]) -> Vec<&PartKind> {
    parts.iter().map(|p| &p.kind).collect()
}

fn check_facts(recording: &Recording, facts: &ReplyFacts) {
    let raw = facts.raw_usage.as_deref();
    let usage = raw.map_or(Value::Null, |r| serde_json::from_str(r).unwrap());
    assert_eq!(usage, *recording.usage(), "{}", recording.id());
    assert_eq!(facts.finish_reason.as_deref(), recording.finish_reason());
    assert!(!facts.malformed && facts.error.is_none());
    assert_eq!(facts.usage.is_some(), !recording.usage().is_null());
    if let Some(usage) = &facts.usage {
        assert!(
            !usage.inconsistent && !usage.estimated,
            "{}",
            recording.id()
        );
        let count = |key: &str| recording.usage()[key].as_u64().unwrap_or(0);
        let cached = count("cacheReadInputTokens") + count("cacheWriteInputTokens");
        assert_eq!(usage.input_tokens(), count("inputTokens") + cached);
        assert_eq!(usage.output_tokens(), count("outputTokens"));
    }
}

#[test]
fn answers_are_metered_and_keep_what_they_say() {
    let spec = provider::own(BEDROCK).unwrap();
    let mut seen = 0;
    for recording in recordings("bedrock.converse") {
        let body = recording.response();
        if recording.status() >= 400 {
            let error = spec.error(&http::HeaderMap::new(), &body);
            assert!(!error.message.is_empty());
            let class = spec.failure(recording.status() as u16, &error);
            assert_eq!(class.name(), "bad_request", "{}", recording.id());
            continue;
        }
        check_facts(
            &recording,
            &spec.reply(generic(BEDROCK), BEDROCK_CONVERSE, &body),
        );
        let read = BedrockConverse.decode_reply(&body, &way(false)).unwrap();
        let written = BedrockConverse.encode_reply(&read, &way(false));
        assert_eq!(
            noted(&written.notes),
            (vec![], vec![]),
            "{}",
            recording.id()
        );
        let again = BedrockConverse
            .decode_reply(&written.body, &way(false))
            .unwrap();
        let (first, second) = (&read.choices[0], &again.choices[0]);
        assert_eq!(
            kinds(&first.parts),
            kinds(&second.parts),
            "{}",
            recording.id()
        );
        let stop = |r: &Reply| {
            r.choices[0]
                .stop
                .as_ref()
                .map(|s| (s.reason, s.word.clone()))
        };
        assert_eq!(stop(&read), stop(&again));
        assert_eq!(used(&read), used(&again));
        let blocks = json(&body)["output"]["message"]["content"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(first.parts.len(), blocks, "{}", recording.id());
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

/// A stream as a plain reading has it: text, and the input of calls.
fn plain(recording: &Recording) -> (String, String) {
    let (mut text, mut input) = (String::new(), String::new());
    for data in recording.events(usize::MAX) {
        let event = json(&data);
        let delta = &event["contentBlockDelta"]["delta"];
        text += delta["text"].as_str().unwrap_or_default();
        input += delta["toolUse"]["input"].as_str().unwrap_or_default();
    }
    (text, input)
}

fn told(reply: &Reply) -> (String, String) {
    let (mut all, mut input) = (String::new(), String::new());
    for part in &reply.choices[0].parts {
        match &part.kind {
            PartKind::Text { text, .. } => all += text,
            PartKind::ToolCall(call) => input += &call.arguments,
            _ => {}
        }
    }
    (all, input)
}

#[test]
fn streams_are_metered_and_tell_the_same_however_they_are_cut() {
    let spec = provider::own(BEDROCK).unwrap();
    let mut seen = 0;
    for recording in recordings("bedrock.converse_stream") {
        if recording.status() >= 400 {
            continue;
        }
        let whole = recording.events(usize::MAX);
        for size in [1, 7, 64] {
            assert_eq!(recording.events(size), whole, "{}", recording.id());
        }
        let mut meter = spec.meter(generic(BEDROCK), BEDROCK_CONVERSE);
        let facts: Vec<_> = whole.iter().map(|d| meter.event(d)).collect();
        check_facts(&recording, meter.facts());
        let ends: Vec<_> = facts.iter().map(|f| f.terminal).collect();
        let last = ends.iter().position(|t| *t).unwrap_or(ends.len() - 1);
        assert_eq!(last, ends.len() - 1, "{}", recording.id());
        assert!(facts.iter().any(|f| f.content));

        let events = events(&whole, false);
        let reply = fold(&events, false);
        assert_eq!(told(&reply), plain(&recording), "{}", recording.id());
        let stop = reply.choices[0].stop.as_ref().unwrap();
        assert_eq!(Some(&*stop.word), recording.finish_reason());
        assert_eq!(reply.usage, meter.facts().usage);

        let again = fold(&super::streams::through(&events), false);
        assert_eq!(told(&again).0, told(&reply).0, "{}", recording.id());
        assert_eq!(
            again.choices[0].stop.as_ref().map(|s| s.reason),
            Some(stop.reason)
        );
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}
