//! Recorded traffic: what real clients and the real API said survives the way through the canonical form.
//! `LINTEL_CORPUS` names a folder with further recordings, `anthropic.messages.jsonl`, unpacked.

use std::path::PathBuf;

use bytes::Bytes;
use lintel_types::canon::{Event, PartKind, Reply};
use serde_json::{Map, Value, json};

use super::super::super::Dialect;
use super::super::super::grammar::fold;
use super::super::AnthropicMessages;
use super::{Placeless, data, decode, encode, events, way, written};
use crate::sse;

/// Every recording of the protocol.
fn recordings() -> Vec<Value> {
    let kept = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/wire"
    ));
    let folder = std::env::var_os("LINTEL_CORPUS").map_or(kept, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("anthropic.messages.jsonl")).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn text<'v>(recording: &'v Value, key: &str) -> &'v str {
    recording[key].as_str().unwrap_or_default()
}

/// A request as it means: shorthands spelled out, defaults and what carries no meaning left out.
fn meaning(mut body: Value) -> Value {
    let top = body.as_object_mut().unwrap();
    top.retain(|key, value| key != "stream" || value != &json!(false));
    if let Some(system) = top.get_mut("system") {
        blocks(system);
    }
    if top.get("system") == Some(&json!([])) {
        top.remove("system");
    }
    for tool in top
        .get_mut("tools")
        .iter_mut()
        .flat_map(|t| t.as_array_mut().unwrap())
    {
        let tool = tool.as_object_mut().unwrap();
        if tool.contains_key("input_schema") {
            // Members of a function that have no canonical word.
            tool.retain(|key, value| {
                key != "defer_loading" && !(key == "type" && value == "custom")
            });
        }
    }
    // An effort asks for thinking in every other dialect; here it may stand alone.
    let effort = top
        .get("output_config")
        .is_some_and(|c| c.get("effort").is_some());
    if effort && !top.contains_key("thinking") {
        top.insert("thinking".into(), json!({ "type": "adaptive" }));
    }
    let messages = top.remove("messages").unwrap();
    let mut turns: Vec<Value> = Vec::new();
    for mut message in messages.as_array().cloned().unwrap() {
        blocks(&mut message["content"]);
        match turns.last_mut() {
            // The API itself joins neighbours.
            Some(last) if last["role"] == message["role"] => {
                let more = message["content"].as_array().cloned().unwrap();
                last["content"].as_array_mut().unwrap().extend(more);
            }
            _ => turns.push(message),
        }
    }
    turns.retain(|t| t["content"] != json!([]));
    top.insert("messages".into(), turns.into());
    body
}

fn blocks(content: &mut Value) {
    if let Value::String(text) = content {
        *content = json!([{ "type": "text", "text": text }]);
    }
    let blocks = content.as_array_mut().unwrap();
    blocks.retain(|b| b["text"] != json!("") && b["source"]["type"] != "file");
    for block in blocks {
        let block = block.as_object_mut().unwrap();
        block.remove("caller");
        if block["type"] == "tool_result" {
            block.retain(|key, value| !(key == "is_error" && value == &json!(false)));
            block.get_mut("content").into_iter().for_each(self::blocks);
            if block.get("content") == Some(&json!([])) {
                block.remove("content");
            }
        }
    }
}

#[test]
fn requests_survive() {
    let mut count = 0;
    for recording in recordings() {
        let body = text(&recording, "request_text");
        // What the API itself refused need not come through.
        if body.is_empty() || recording["status"] != json!(200) {
            continue;
        }
        count += 1;
        let id = text(&recording, "id");
        let source: Value = serde_json::from_str(body).unwrap();
        let (out, encoded) = encode(&decode(body), source["model"].as_str().unwrap());
        // A file's id is never carried on: another provider can't read it.
        let files = body.matches(r#""type":"file""#).count();
        assert_eq!(
            encoded.notes.dropped.len(),
            files,
            "{id}: {:?}",
            encoded.notes
        );
        assert_eq!(encoded.notes.emulated, [""; 0], "{id}");
        assert!(!encoded.json_tool);
        assert_eq!(meaning(out), meaning(source), "{id}");
    }
    assert!(count >= 10, "{count}");
    eprintln!("{count} requests");
}

/// The blocks of a message as an SDK would show them.
fn shown(message: &Value) -> Value {
    let mut content = message["content"].clone();
    for block in content.as_array_mut().unwrap() {
        let block = block.as_object_mut().unwrap();
        block.retain(|key, value| {
            let nothing = value.is_null() || value == &json!([]);
            key != "caller" && !(key == "citations" && nothing)
        });
    }
    let kept = |b: &Value| b["text"] != json!("");
    let content: Vec<Value> = content
        .as_array()
        .unwrap()
        .iter()
        .filter(|b| kept(b))
        .cloned()
        .collect();
    json!({ "id": message["id"], "model": message["model"], "content": content, "stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"] })
}

fn counts(usage: &Value) -> Vec<u64> {
    let keys = [
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
    ];
    keys.iter()
        .map(|k| usage[k].as_u64().unwrap_or(0))
        .collect()
}

#[test]
fn replies_survive() {
    let mut count = 0;
    for recording in recordings() {
        let body = text(&recording, "response_text");
        let Ok(source) = serde_json::from_str::<Value>(body) else {
            continue;
        };
        let id = text(&recording, "id");
        let decoded = AnthropicMessages.decode_reply(body.as_bytes(), &way());
        if source["type"] == "error" {
            assert!(decoded.is_err(), "{id}");
            continue;
        }
        count += 1;
        let encoded = AnthropicMessages.encode_reply(&decoded.unwrap(), &way());
        let out: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(encoded.notes, Default::default(), "{id}");
        assert_eq!(shown(&out), shown(&source), "{id}");
        // What was billed for compaction stands in `iterations` alone, and is added.
        if source["usage"].get("iterations").is_none() {
            assert_eq!(counts(&out["usage"]), counts(&source["usage"]), "{id}");
        }
    }
    assert!(count >= 8, "{count}");
    eprintln!("{count} replies");
}

/// A recorded stream, read without the dialect's code: the message that the API's own rules make of it.
fn plain(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut inputs: Map<String, Value> = Map::new();
    for event in data(stream) {
        let index = event["index"].as_u64().unwrap_or(0) as usize;
        let delta = &event["delta"];
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                message["content"]
                    .as_array_mut()
                    .unwrap()
                    .push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = &mut message["content"][index];
                for (kind, key) in [
                    ("text_delta", "text"),
                    ("thinking_delta", "thinking"),
                    ("signature_delta", "signature"),
                ] {
                    if delta["type"] == kind {
                        let so_far = block[key].as_str().unwrap_or_default().to_owned();
                        block[key] = json!(so_far + delta[key].as_str().unwrap());
                    }
                }
                if delta["type"] == "citations_delta" {
                    match block["citations"].as_array_mut() {
                        Some(list) => list.push(delta["citation"].clone()),
                        None => block["citations"] = json!([delta["citation"]]),
                    }
                }
                if delta["type"] == "input_json_delta" {
                    let so_far = inputs.entry(index.to_string()).or_insert(json!(""));
                    *so_far = json!(
                        so_far.as_str().unwrap().to_owned()
                            + delta["partial_json"].as_str().unwrap()
                    );
                }
            }
            "message_delta" => {
                message["stop_reason"] = delta["stop_reason"].clone();
                message["stop_sequence"] = delta["stop_sequence"].clone();
            }
            "message_stop" => break,
            _ => {}
        }
    }
    for (index, json) in inputs {
        if let Ok(input) = serde_json::from_str::<Value>(json.as_str().unwrap()) {
            message["content"][index.parse::<usize>().unwrap()]["input"] = input;
        }
    }
    message
}

/// A reply as the message that it is written as.
fn as_message(reply: &Reply) -> Value {
    let encoded = AnthropicMessages.encode_reply(reply, &way());
    serde_json::from_slice(&encoded.body).unwrap()
}

/// The events of a stream that arrives in pieces of 7 bytes.
fn in_pieces(stream: &str) -> Vec<Event> {
    let mut framer = sse::Framer::new(1 << 20);
    let mut decoder = AnthropicMessages.decoder(&way());
    let mut out = Vec::new();
    let mut blocks: Vec<Bytes> = stream
        .as_bytes()
        .chunks(7)
        .map(|piece| framer.push(Bytes::copy_from_slice(piece)).unwrap())
        .collect();
    blocks.push(framer.finish());
    for data in blocks
        .into_iter()
        .flat_map(sse::events)
        .filter_map(|e| e.data)
    {
        decoder.event(&data, &mut out);
    }
    decoder.finish(&mut out);
    out
}

#[test]
fn streams_survive() {
    let mut count = 0;
    for recording in recordings() {
        let stream = text(&recording, "response_text");
        if recording["stream"] != json!(true) {
            continue;
        }
        count += 1;
        let id = text(&recording, "id");
        let cut = !stream.contains("message_stop");
        let got = events(stream, &way());
        let reply = fold(&got, cut);
        let mut wanted = shown(&plain(stream));
        if wanted["stop_reason"].is_null() {
            wanted["stop_reason"] = shown(&as_message(&reply))["stop_reason"].clone();
        }
        assert_eq!(shown(&as_message(&reply)), wanted, "{id}");
        // Another encoding of the same events: read again, it tells the same.
        let again = written(&got, &way());
        let read = fold(&events(&again, &way()), cut);
        let mut reply = reply.placeless();
        for choice in &mut reply.choices {
            choice
                .parts
                .retain(|p| !matches!(&p.kind, PartKind::Text { text, .. } if text.is_empty()));
        }
        let mut read = read.placeless();
        // Counts of the compaction, and contradictions, are settled by the meter that reads the provider's bytes.
        let usage = |r: &Reply| r.usage.as_ref().map(|u| u.lines().to_vec());
        assert_eq!(usage(&read), usage(&reply), "{id}");
        (reply.usage, read.usage) = (None, None);
        if reply.choices.iter().all(|c| c.stop.is_some()) {
            assert_eq!(read, reply, "{id}");
        }
        assert_eq!(in_pieces(stream), got, "{id}");
    }
    assert!(count >= 5, "{count}");
    eprintln!("{count} streams");
}
