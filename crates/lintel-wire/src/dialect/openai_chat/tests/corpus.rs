//! Every recorded request, answer and stream of this protocol. `LINTEL_CORPUS` names a folder with more of them.

use std::path::Path;

use lintel_types::Usage;
use lintel_types::canon::{Event, PartKind, Reply, StopReason};
use serde_json::{Map, Value, json};

use super::plain::Plain;
use super::*;

struct Record {
    id: String,
    host: &'static Host,
    request: Option<String>,
    status: u64,
    answer: String,
    stream: bool,
}

fn records() -> Vec<Record> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/wire");
    let more = std::env::var_os("LINTEL_CORPUS");
    let folders = [Some(golden.into()), more];
    let lines = folders.into_iter().flatten().flat_map(|folder| {
        let file = Path::new(&folder).join("openai.chat.jsonl");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let text = |v: &Value| v.as_str().map(str::to_owned);
    lines
        .map(|line| {
            let v: Value = serde_json::from_str(&line).unwrap();
            Record {
                id: text(&v["id"]).unwrap(),
                host: host(v["host_kind"].as_str().unwrap_or_default()),
                request: text(&v["request_text"]),
                status: v["status"].as_u64().unwrap(),
                answer: text(&v["response_text"]).unwrap_or_default(),
                stream: v["stream"] == true,
            }
        })
        .collect()
}

/// What can't be said in the same dialect, because the host's row says so.
fn may_be_dropped(path: &str) -> bool {
    // Nothing to choose from.
    path == "$.tool_choice"
        // OpenAI's breakpoints and Anthropic's marks, at hosts that aren't known to take them.
        || path.ends_with(".cache_control")
}

#[test]
fn every_request_says_the_same_again() {
    let mut seen = 0;
    for record in records() {
        let Some(body) = &record.request else {
            continue;
        };
        let was: Value = serde_json::from_str(body).unwrap();
        if !was["messages"].is_array() {
            continue;
        }
        let request = asked(body);
        let (is, encoded) = sent(&request, record.host);
        let id = &record.id;
        for path in &encoded.notes.dropped {
            assert!(may_be_dropped(path), "{id}: {path} is left out");
        }
        assert_eq!(encoded.notes.emulated, Vec::<String>::new(), "{id}");
        assert_eq!(meaning(is), meaning(was), "{id}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
    println!("{seen} requests");
}

/// A body without what may be written one way or another.
fn meaning(body: Value) -> Value {
    let Value::Object(mut body) = body else {
        return body;
    };
    for key in ["model", "stream_options"] {
        body.remove(key);
    }
    if body
        .get("tools")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        body.remove("tools");
        body.remove("tool_choice");
    }
    if body.get("stream") == Some(&json!(false)) {
        body.remove("stream");
    }
    rename(&mut body, "max_completion_tokens", "max_tokens");
    if let Some(Value::String(stop)) = body.get("stop").cloned() {
        body.insert("stop".into(), json!([stop]));
    }
    // Two hosts of one kind: the word and the object say the same.
    if let Some(ask) = body.remove("reasoning") {
        let effort = ask.get("effort").cloned();
        let word = effort.or_else(|| (ask["enabled"] == true).then(|| json!("on")));
        body.insert("reasoning_effort".into(), word.unwrap_or_default());
    }
    let items =
        |body: &mut Map<String, Value>, key: &str, each: &dyn Fn(&mut Map<String, Value>)| {
            let list = body.get_mut(key).and_then(Value::as_array_mut);
            for item in list.into_iter().flatten().filter_map(Value::as_object_mut) {
                each(item);
            }
        };
    items(&mut body, "messages", &|m| {
        items(m, "tool_calls", &|c| {
            c.remove("index");
        });
        message(m);
    });
    items(&mut body, "tools", &|t| {
        t.entry("type").or_insert(json!("function"));
        t.remove("cache_control");
        t.remove("eager_input_streaming");
    });
    if let Some(choice) = body.get_mut("tool_choice").and_then(Value::as_object_mut) {
        choice.entry("type").or_insert(json!("function"));
    }
    body.retain(|_, v| !v.is_null());
    numbers(Value::Object(body))
}

fn rename(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.into(), value);
    }
}

fn message(m: &mut Map<String, Value>) {
    rename(m, "reasoning", "reasoning_content");
    m.remove("prefix");
    // The details say it too.
    if m.contains_key("reasoning_details") {
        m.remove("reasoning_content");
    }
    // Marks are compared by what is left out.
    for part in m
        .get_mut("content")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let part = part.as_object_mut().unwrap();
        part.remove("cache_control");
        part.remove("prompt_cache_breakpoint");
        // Stray nulls beside a part's own member.
        part.retain(|_, v| !v.is_null());
        if part["type"] == "text" {
            part.retain(|k, _| k == "type" || k == "text");
        }
        if part["type"] == "image_url" {
            part.remove("text");
        }
    }
    let content = m.get("content").cloned().unwrap_or_default();
    let one = content
        .as_array()
        .filter(|l| l.len() == 1)
        .map(|l| l[0].clone());
    let text = one
        .filter(|p| p["type"] == "text")
        .map(|p| p["text"].clone());
    let empty = content == json!([]) || content == json!("");
    let content = text.unwrap_or(if empty { Value::Null } else { content });
    m.insert("content".into(), content);
    m.retain(|k, v| !(v.is_null() || k == "tool_calls" && *v == json!([]) || *v == json!("")));
}

/// `1` and `1.0` are one number.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64()),
        Value::Array(list) => list.into_iter().map(numbers).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, numbers(v))).collect(),
        other => other,
    }
}

#[test]
fn every_answer_says_the_same_again() {
    let (mut seen, mut bad) = (0, 0);
    for record in records().iter().filter(|r| r.status == 200 && !r.stream) {
        let id = &record.id;
        let way = way(record.host);
        let body = record.answer.as_bytes();
        let Ok(reply) = OpenaiChat.decode_reply(body, &way) else {
            let was: Result<Value, _> = serde_json::from_slice(body);
            assert!(
                was.is_err_and(|_| true) || !json(body)["choices"].is_array(),
                "{id}"
            );
            bad += 1;
            continue;
        };
        let was = json(body);
        let plain = Plain::of_message(&was["choices"][0]["message"]);
        assert_eq!(Plain::of(&reply), plain, "{id}");
        let written = OpenaiChat.encode_reply(&reply, &way);
        assert_eq!(written.notes.dropped, Vec::<String>::new(), "{id}");
        let again = OpenaiChat.decode_reply(&written.body, &way).unwrap();
        same(id, &reply, &again);
        let is = json(&written.body);
        let calls = !plain.calls.is_empty();
        let finish = was["choices"][0]["finish_reason"]
            .as_str()
            .unwrap_or_default();
        match finish {
            // An answer with calls was stopped by them.
            "" | "stop" => {}
            word => assert_eq!(is["choices"][0]["finish_reason"], word, "{id}"),
        }
        assert!(
            calls || is["choices"][0]["finish_reason"] != "tool_calls",
            "{id}"
        );
        assert_eq!(
            is["usage"]["prompt_tokens"], was["usage"]["prompt_tokens"],
            "{id}"
        );
        seen += 1;
    }
    assert!(seen >= 15 && bad >= 2, "{seen} {bad}");
    println!("{seen} answers, {bad} that are none");
}

/// Both tell the same; places and raw forms apart.
fn same(id: &str, a: &Reply, b: &Reply) {
    assert_eq!(Plain::of(a), Plain::of(b), "{id}");
    let stops = |r: &Reply| -> Vec<Option<StopReason>> {
        r.choices
            .iter()
            .map(|c| c.stop.as_ref().map(|s| s.reason))
            .collect()
    };
    // A word that this dialect doesn't have ends as `stop`.
    let other = stops(a).contains(&Some(StopReason::Other));
    assert!(
        other || stops(a) == stops(b),
        "{id}: {:?} {:?}",
        stops(a),
        stops(b)
    );
    let lines = |u: &Option<Usage>| {
        let mut lines = u.as_ref().map(|u| u.lines().to_vec()).unwrap_or_default();
        lines.sort();
        lines
    };
    // Zeros are written for what isn't known.
    assert_eq!(lines(&a.usage), lines(&b.usage), "{id}");
    let seals = |r: &Reply| -> Vec<String> {
        let parts = r.choices.iter().flat_map(|c| &c.parts);
        let seals = parts.filter_map(|p| match &p.kind {
            PartKind::Reasoning(r) => r.seal.as_ref(),
            PartKind::ToolCall(c) => c.seal.as_ref(),
            _ => None,
        });
        seals.map(|s| numbers_of(&s.data)).collect()
    };
    assert_eq!(seals(a), seals(b), "{id}");
    let cited = |r: &Reply| -> usize {
        let parts = r.choices.iter().flat_map(|c| &c.parts);
        parts
            .map(|p| match &p.kind {
                PartKind::Text { citations, .. } => citations.len(),
                _ => 0,
            })
            .sum()
    };
    assert_eq!(cited(a), cited(b), "{id}");
    assert!(
        a.id.is_none() || a.id == b.id,
        "{id}: {:?} {:?}",
        a.id,
        b.id
    );
    assert!(a.model.is_none() || a.model == b.model, "{id}");
}

fn numbers_of(seal: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(seal);
    value.map_or(seal.to_owned(), |v| v.to_string())
}

#[test]
fn every_stream_says_the_same_again() {
    let (mut seen, mut failed) = (0, 0);
    for record in records().iter().filter(|r| r.status == 200 && r.stream) {
        let id = &record.id;
        let way = way(record.host);
        let data = data_of(&record.answer);
        let events = decoded(&data, &way);
        let errs = matches!(events.last(), Some(Event::Error(_)));
        let reply = fold(&events, false);
        let again = data_of(&encoded(&events, &way));
        if errs {
            assert_ne!(again.last().map(String::as_str), Some("[DONE]"), "{id}");
            failed += 1;
            continue;
        }
        assert_eq!(Plain::of(&reply), Plain::of_stream(&data), "{id}");
        assert!(
            reply.usage.is_some() || !record.answer.contains("\"total_tokens\""),
            "{id}"
        );
        assert!(reply.choices.iter().all(|c| c.stop.is_some()), "{id}");
        let twice = fold(&decoded(&again, &way), false);
        same(id, &reply, &twice);
        seen += 1;
    }
    assert!(seen >= 15 && failed >= 2, "{seen} {failed}");
    println!("{seen} streams, {failed} with an error inside");
}
