//! Recorded traffic: what real clients sent and real hosts answered survives the canonical form.

use lintel_types::canon::{Event, Reply};
use serde_json::Value;

use super::streams::{check_order, data_of, write};
use super::*;
use crate::dialect::grammar::fold;
use crate::sse;

fn text<'a>(row: &'a Value, key: &str) -> Option<&'a str> {
    row[key].as_str()
}

#[test]
fn every_recorded_request_is_said_again_without_loss() {
    let (mut said, mut refused) = (0, 0);
    for row in recordings() {
        let Some(body) = row["request_text"].as_str() else {
            continue;
        };
        let id = row["id"].as_str().unwrap();
        let original: Value = serde_json::from_str(body).unwrap();
        let mut request = match decoded(body) {
            Ok(request) => request,
            Err(error) => {
                // Only what needs state.
                assert_eq!(error.code(), "unsupported", "{id}: {error}");
                refused += 1;
                continue;
            }
        };
        let (text, notes) = written(&request);
        let again: Value = serde_json::from_str(&text).unwrap();
        assert!(notes.emulated.is_empty(), "{id}: {notes:?}");
        for path in &notes.dropped {
            let at = path.as_str();
            // File ids, what tools have no canonical word for, and cache marks, which have no form that every model takes.
            let inner = at.starts_with("$.tools[") && at.ends_with(".defer_loading");
            let excused = inner || at.ends_with(".cache_control") || body.contains("\"file_id\"");
            assert!(excused, "{id}: {path}");
        }
        for (key, value) in original.as_object().unwrap() {
            let nothing = value.is_null() || *value == false || value == &serde_json::json!([]);
            assert!(nothing || again.get(key).is_some(), "{id}: {key}");
        }
        let mut back = decoded(&text).unwrap();
        forget(&mut request);
        forget(&mut back);
        request.extras.retain(|e| !e.key.starts_with("tools["));
        for r in [&mut request, &mut back] {
            r.extras.sort_by(|a, b| a.key.cmp(&b.key));
        }
        back.settings.store = request.settings.store.clone();
        back.model.clone_from(&request.model);
        excuse(&mut request);
        assert_eq!(back, request, "{id}");
        said += 1;
    }
    println!("{said} said again, {refused} refused for state");
    assert!(said > 15, "{said}");
}

/// Removes what is left out on purpose: file ids and cache marks.
fn excuse(request: &mut Request) {
    use lintel_types::canon::Source;
    fn stays(p: &Part) -> bool {
        let source = match &p.kind {
            PartKind::Image { source, .. } | PartKind::Document { source, .. } => source,
            _ => return true,
        };
        !matches!(source, Source::File(_))
    }
    fn clean(parts: &mut Vec<Part>) {
        parts.retain(stays);
        for part in parts {
            part.cache = None;
            if let PartKind::ToolResult(result) = &mut part.kind {
                clean(&mut result.parts);
                if result.parts.is_empty() {
                    result
                        .parts
                        .push(Part::new(PartKind::text(""), At::default()));
                }
            }
        }
    }
    request
        .messages
        .iter_mut()
        .for_each(|m| clean(&mut m.parts));
    request.messages.retain(|m| !m.parts.is_empty());
}

/// What shows of an answer: texts, calls, whether there is a seal. Summaries and reasoning show alike.
fn shown(reply: &Reply) -> Vec<String> {
    let parts = reply.choices.iter().flat_map(|c| &c.parts);
    let lines = parts.filter_map(|p| {
        Some(match &p.kind {
            PartKind::Text { text, citations } => format!("text {text} {}", citations.len()),
            PartKind::Refusal(text) => format!("refusal {text}"),
            PartKind::Reasoning(r) if r.text.is_empty() && r.seal.is_none() => return None,
            PartKind::Reasoning(r) => format!("reasoning {} {}", r.text, r.seal.is_some()),
            PartKind::ToolCall(c) => {
                format!("call {} {} {} {}", c.id, c.name, c.arguments, c.custom)
            }
            PartKind::Image { .. } => "image".into(),
            PartKind::Opaque { raw, .. } => raw.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
    });
    lines.collect()
}

fn same(a: &Reply, b: &Reply, id: &str) {
    assert_eq!(shown(a), shown(b), "{id}");
    let stop = |r: &Reply| {
        r.choices
            .first()
            .and_then(|c| Some(c.stop.as_ref()?.reason))
    };
    assert_eq!(stop(a), stop(b), "{id}");
    let used = |r: &Reply| {
        let usage = r.usage.as_ref();
        usage.map(|u| {
            let mut lines = u.lines().to_vec();
            lines.retain(|(m, _)| *m != lintel_types::Meter::WebSearch);
            lines.sort();
            lines
        })
    };
    assert_eq!(used(a), used(b), "{id}");
    assert_eq!((&a.id, &a.model), (&b.id, &b.model), "{id}");
    assert!(a.created.is_none() || a.created == b.created, "{id}");
}

fn told(row: &Value, stream: bool) -> bool {
    row["stream"] == stream && row["status"] == 200
}

#[test]
fn every_recorded_reply_is_said_again_with_its_texts_calls_stop_and_usage() {
    let mut said = 0;
    let way = way(Request::default());
    for row in recordings().iter().filter(|r| told(r, false)) {
        let id = text(row, "id").unwrap();
        let body = text(row, "response_text").unwrap();
        let Ok(reply) = DIALECT.decode_reply(body.as_bytes(), &way) else {
            let value: Value = serde_json::from_str(body).unwrap_or_default();
            let status = value["status"].as_str().unwrap_or_default();
            assert!(
                matches!(status, "" | "queued" | "in_progress" | "failed"),
                "{id}: {status}"
            );
            continue;
        };
        let encoded = DIALECT.encode_reply(&reply, &way);
        assert!(
            encoded.notes.dropped.is_empty(),
            "{id}: {:?}",
            encoded.notes
        );
        let again = DIALECT.decode_reply(&encoded.body, &way).unwrap();
        same(&reply, &again, id);
        said += 1;
    }
    println!("{said} replies said again");
    assert!(said > 10, "{said}");
}

/// The texts of a kind, read without the decoder: as they grew, and as they ended. Some recordings had deltas taken
/// out by their authors, so that the two differ.
fn plain(data: &[Value], kind: &str) -> [String; 2] {
    let all = |end: &str, key: &str| -> String {
        let of = data.iter().filter(|e| e["type"] == format!("{kind}.{end}"));
        of.filter_map(|e| e[key].as_str()).collect()
    };
    [all("delta", "delta"), all("done", "text")]
}

fn decode(data: &[Vec<u8>]) -> Vec<Event> {
    let mut decoder = DIALECT.decoder(&way(Request::default()));
    let mut out = Vec::new();
    data.iter().for_each(|d| decoder.event(d, &mut out));
    decoder.finish(&mut out);
    out
}

#[test]
fn every_recorded_stream_reads_the_same_however_it_is_cut_and_is_said_again() {
    let mut said = 0;
    for row in recordings().iter().filter(|r| told(r, true)) {
        let id = text(row, "id").unwrap();
        let bytes = text(row, "response_text").unwrap().as_bytes();
        let block = bytes::Bytes::copy_from_slice(bytes);
        let whole: Vec<Vec<u8>> = sse::events(block)
            .filter_map(|e| e.data)
            .map(Into::into)
            .collect();
        let mut framer = sse::Framer::new(1 << 20);
        let mut cut = Vec::new();
        for chunk in bytes.chunks(7) {
            let block = framer.push(bytes::Bytes::copy_from_slice(chunk)).unwrap();
            cut.extend(
                sse::events(block)
                    .filter_map(|e| e.data)
                    .map(Vec::<u8>::from),
            );
        }
        cut.extend(
            sse::events(framer.finish())
                .filter_map(|e| e.data)
                .map(Vec::<u8>::from),
        );
        let events = decode(&whole);
        assert_eq!(events, decode(&cut), "{id}");

        let mut data: Vec<Value> = whole
            .iter()
            .filter_map(|d| serde_json::from_slice(d).ok())
            .collect();
        // One of the recordings is not whole, and some hold several answers, of which the first counts.
        let end = data.iter().position(|e| e["type"] == "response.completed");
        data.truncate(end.map_or(data.len(), |e| e + 1));
        let reply = fold(&events, end.is_none());
        let parts = || reply.choices.iter().flat_map(|c| &c.parts);
        let joined = |pick: fn(&PartKind) -> Option<&str>| -> String {
            parts().filter_map(|p| pick(&p.kind)).collect()
        };
        let texts = joined(|k| match k {
            PartKind::Text { text, .. } => Some(text),
            _ => None,
        });
        let said_so = plain(&data, "response.output_text");
        assert!(said_so.contains(&texts), "{id}: {texts}");
        let thoughts = joined(|k| match k {
            PartKind::Reasoning(r) => Some(&r.text),
            _ => None,
        });
        let [summaries, _] = plain(&data, "response.reasoning_summary_text");
        let [reasoning, _] = plain(&data, "response.reasoning_text");
        assert_eq!(thoughts, summaries + &reasoning, "{id}");
        let calls = joined(|k| match k {
            PartKind::ToolCall(c) => Some(&c.arguments),
            _ => None,
        });
        let arguments: String = data
            .iter()
            .filter(|e| {
                e["type"] == "response.output_item.done" && e["item"]["type"] == "function_call"
            })
            .filter_map(|e| e["item"]["arguments"].as_str())
            .collect();
        assert_eq!(calls, arguments, "{id}");

        if end.is_some() {
            let bytes = write(&events);
            check_order(&data_of(&bytes));
            let block = bytes::Bytes::from(bytes);
            let again: Vec<Vec<u8>> = sse::events(block)
                .filter_map(|e| e.data)
                .map(Into::into)
                .collect();
            same(&reply, &fold(&decode(&again), false), id);
            said += 1;
        }
    }
    println!("{said} streams said again");
    assert!(said > 5, "{said}");
}
