//! Recorded calls through the dialect: nothing is lost, nothing is named as lost.

use bytes::Bytes;
use lintel_types::canon::{Event, PartKind, Reply};
use serde_json::{Map, Value, json};

use super::super::schema;
use super::{data_of, decode, encode, events, json, placeless_reply, stream, text_of, way};
use crate::dialect::gemini_generate::GeminiGenerate;
use crate::dialect::{Dialect, grammar};
use crate::provider::gemini::tests::recorded::{events as recorded_events, recordings};
use crate::sse::Framer;

/// Members whose inside is the application's.
const OPAQUE: [&str; 6] = [
    "args",
    "response",
    "parametersJsonSchema",
    "responseJsonSchema",
    "parameters",
    "responseSchema",
];

#[test]
fn every_recorded_request_is_written_as_it_was_meant() {
    let mut seen = 0;
    for protocol in ["gemini.generate", "gemini.stream"] {
        for recording in recordings(protocol) {
            let Some(body) = recording["request_text"].as_str() else {
                continue;
            };
            let encoded = encode(&decode(body), recording["model"].as_str().unwrap());
            let id = &recording["id"];
            let notes = &encoded.notes;
            assert!(notes.dropped.is_empty(), "{id}: {:?}", notes.dropped);
            let recorded = normal(&serde_json::from_str(body).unwrap());
            assert_eq!(normal(&json(&encoded)), recorded, "{id}");
            seen += 1;
        }
    }
    assert!(seen > 30);
}

#[test]
fn every_recorded_answer_survives_both_ways() {
    for recording in recordings("gemini.generate") {
        if recording["status"] != 200 {
            continue;
        }
        let (id, body) = (
            &recording["id"],
            recording["response_text"].as_str().unwrap(),
        );
        let first = GeminiGenerate
            .decode_reply(body.as_bytes(), &way())
            .unwrap();
        let encoded = GeminiGenerate.encode_reply(&first, &way());
        assert!(encoded.notes.dropped.is_empty(), "{id}");
        let again = GeminiGenerate.decode_reply(&encoded.body, &way()).unwrap();
        assert_eq!(settled(again), settled(first.clone()), "{id}");
        let plain: Value = serde_json::from_str(body).unwrap();
        assert_eq!(text_of(&first), plain_text(&plain), "{id}");
    }
}

#[test]
fn every_recorded_stream_says_what_it_says_however_it_is_cut() {
    for recording in recordings("gemini.stream") {
        let id = &recording["id"];
        let data = recorded_events(&recording);
        let whole = events(data.iter().map(|d| &d[..]));
        let reply = grammar::fold(&whole, false);
        assert!(matches!(whole.last(), Some(Event::End)), "{id}");
        let plain: String = data
            .iter()
            .map(|d| plain_text(&serde_json::from_slice(d).unwrap()))
            .collect();
        assert_eq!(text_of(&reply), plain, "{id}");
        // Cut into sevens.
        let mut framer = Framer::new(1 << 20);
        let mut pieces = Vec::new();
        let text = recording["response_text"].as_str().unwrap().as_bytes();
        for chunk in text.chunks(7) {
            let block = framer.push(Bytes::copy_from_slice(chunk)).unwrap();
            pieces.extend(crate::sse::events(block).filter_map(|e| e.data));
        }
        assert_eq!(events(pieces.iter().map(|d| &d[..])), whole, "{id}");
        // Written for a client, and read again.
        let again = data_of(&stream(&whole));
        let again = grammar::fold(&events(again.iter().map(|d| &d[..])), false);
        assert_eq!(said(&again), said(&reply), "{id}");
        assert_eq!(lines(&again), lines(&reply), "{id}");
    }
}

/// What the two readings of one stream must agree on: texts, thoughts, calls, opaque parts, stops.
fn said(reply: &Reply) -> Vec<String> {
    let mut out = Vec::new();
    for choice in &reply.choices {
        let mut thoughts = String::new();
        for part in &choice.parts {
            match &part.kind {
                PartKind::ToolCall(call) => out.push(format!("{call:?}")),
                PartKind::Opaque { raw, .. } => out.push(raw.as_str().to_owned()),
                PartKind::Reasoning(reasoning) => thoughts.push_str(&reasoning.text),
                _ => {}
            }
        }
        out.push(thoughts);
        out.push(format!("{:?}", choice.stop));
    }
    out.push(text_of(reply));
    out
}

fn lines(reply: &Reply) -> Option<Vec<(lintel_types::Meter, u64)>> {
    let usage = reply.usage.as_ref()?;
    let mut lines = usage.lines().to_vec();
    lines.sort();
    Some(lines)
}

/// An answer without what it may lack: an id and a time are made then. Usage without its order and its provider's sum.
fn settled(reply: Reply) -> (Reply, Option<Vec<(lintel_types::Meter, u64)>>) {
    let lines = lines(&reply);
    let mut reply = placeless_reply(reply);
    reply.usage = None;
    (reply.id, reply.created) = (None, None);
    // Texts that stand in for a lost raw form are compared by what they say.
    for part in reply.choices.iter_mut().flat_map(|c| &mut c.parts) {
        if let PartKind::Text { citations, .. } = &mut part.kind {
            citations.sort_by_key(|c| (c.url.clone(), c.span));
        }
    }
    (reply, lines)
}

/// The text of an answer or a chunk, by its JSON alone.
fn plain_text(value: &Value) -> String {
    let mut out = String::new();
    for candidate in value["candidates"].as_array().into_iter().flatten() {
        for part in candidate["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if part["thought"] != json!(true) {
                out.push_str(part["text"].as_str().unwrap_or_default());
            }
        }
    }
    out
}

/// One spelling of what may be spelled in several ways.
fn normal(body: &Value) -> Value {
    let mut body = camel(body);
    let map = body.as_object_mut().unwrap();
    if let Some(system) = map.get_mut("systemInstruction") {
        system.as_object_mut().unwrap().remove("role");
    }
    let contents = map.remove("contents").unwrap();
    map.insert("contents".into(), turns(contents.as_array().unwrap()));
    // Google's own names for leaving the choice to the model; only how closely schemas are kept differs.
    let mode = map
        .get_mut("toolConfig")
        .and_then(|c| c.pointer_mut("/functionCallingConfig/mode"));
    if let Some(mode) = mode.filter(|m| **m == json!("VALIDATED")) {
        *mode = json!("AUTO");
    }
    if let Some(tools) = map.remove("tools") {
        map.insert("tools".into(), normal_tools(&tools));
    }
    if let Some(config) = map.get_mut("generationConfig") {
        let config = config.as_object_mut().unwrap();
        if let Some(schema) = config.remove("responseSchema") {
            config.insert("responseJsonSchema".into(), json_schema(&schema));
        }
        if config.is_empty() {
            map.remove("generationConfig");
        }
    }
    body
}

fn camel(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(camel).collect(),
        Value::Object(members) => {
            let mut out = Map::new();
            for (key, value) in members {
                let mut parts = key.split('_');
                let mut name = parts.next().unwrap().to_owned();
                for part in parts {
                    name.push_str(&part[..1].to_uppercase());
                    name.push_str(&part[1..]);
                }
                let value = if OPAQUE.contains(&name.as_str()) {
                    value.clone()
                } else {
                    camel(value)
                };
                out.insert(name, value);
            }
            Value::Object(out)
        }
        Value::Number(n) => json!(n.as_f64()),
        other => other.clone(),
    }
}

/// Neighbours joined, results first, without ids and signatures that were made.
fn turns(contents: &[Value]) -> Value {
    let mut out: Vec<(String, Vec<Value>)> = Vec::new();
    for content in contents {
        let role = match content["role"].as_str() {
            Some("model") => "model",
            _ => "user",
        };
        let mut parts: Vec<Value> = content["parts"].as_array().unwrap().clone();
        parts.iter_mut().for_each(normal_part);
        parts.sort_by_key(|p| p.get("functionResponse").is_none());
        match out.last_mut().filter(|(r, _)| r == role) {
            Some((_, before)) => before.extend(parts),
            None => out.push((role.to_owned(), parts)),
        }
    }
    out.into_iter()
        .map(|(role, parts)| json!({ "role": role, "parts": parts }))
        .collect()
}

fn normal_part(part: &mut Value) {
    let map = part.as_object_mut().unwrap();
    if map.get("thoughtSignature") == Some(&json!(super::super::write::NO_SIGNATURE)) {
        map.remove("thoughtSignature");
    }
    for key in ["functionCall", "functionResponse"] {
        if let Some(inner) = map.get_mut(key).and_then(Value::as_object_mut) {
            let made = |id: &Value| id.as_str().unwrap().strip_prefix("call_").is_some();
            if inner.get("id").is_some_and(made) {
                inner.remove("id");
            }
        }
    }
    if let Some(file) = map.get_mut("fileData") {
        // The type is told by the name where that tells one.
        let kind = file["mimeType"].as_str().unwrap_or_default();
        let class = kind.split('/').next().unwrap().to_owned();
        let class = match class.as_str() {
            "image" | "audio" | "video" => class,
            _ => "document".to_owned(),
        };
        file["mimeType"] = json!(class);
    }
}

fn normal_tools(tools: &Value) -> Value {
    let lone = [tools.clone()];
    let mut out: Vec<(String, Value)> = Vec::new();
    for tool in tools.as_array().map_or(&lone[..], |t| t) {
        for (key, value) in tool.as_object().unwrap() {
            if key != "functionDeclarations" {
                out.push((key.clone(), value.clone()));
                continue;
            }
            let mut functions = value.as_array().unwrap().clone();
            for function in &mut functions {
                let map = function.as_object_mut().unwrap();
                if let Some(schema) = map.remove("parameters") {
                    map.insert("parametersJsonSchema".into(), json_schema(&schema));
                }
            }
            match out.last_mut().filter(|(k, _)| k == key) {
                Some((_, Value::Array(before))) => before.extend(functions),
                _ => out.push((key.clone(), Value::Array(functions))),
            }
        }
    }
    out.into_iter()
        .map(|(key, value)| json!({ key: value }))
        .collect()
}

fn json_schema(schema: &Value) -> Value {
    let text = schema.to_string();
    let schema = schema::of_openapi(crate::json::parse(text.as_bytes()).unwrap());
    serde_json::from_str(schema.as_str()).unwrap()
}
