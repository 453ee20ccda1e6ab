//! Streams: what a target may send, and what SDKs must see.

use lintel_types::canon::{
    Delta, Opening, RawJson, Reasoning, Seal, Stop, StopReason, StreamError,
};
use lintel_types::{Error, Kind, Meter, Usage};
use serde_json::json;

use super::super::super::grammar::fold;
use super::*;
use crate::surface::ErrorBody;

fn stream(events: &[Value]) -> String {
    events.iter().map(|e| format!("data: {e}\n\n")).collect()
}

fn start(index: u64, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u64, delta: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn said(index: u64, text: &str) -> Value {
    delta(index, json!({ "type": "text_delta", "text": text }))
}

fn end(index: u64) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn stopped(word: &str) -> Value {
    json!({ "type": "message_delta", "delta": { "stop_reason": word }, "usage": { "output_tokens": 9 } })
}

fn text() -> Value {
    json!({ "type": "text", "text": "" })
}

fn over() -> Value {
    json!({ "type": "message_stop" })
}

fn kinds(reply: &Reply) -> Vec<PartKind> {
    reply.choices[0]
        .parts
        .iter()
        .map(|p| p.kind.clone())
        .collect()
}

#[test]
fn interleaved_blocks_are_put_in_order() {
    let events = events(
        &stream(&[
            start(0, text()),
            start(
                1,
                json!({ "type": "tool_use", "id": "c", "name": "f", "input": {} }),
            ),
            said(0, "a"),
            delta(
                1,
                json!({ "type": "input_json_delta", "partial_json": "{\"x\":" }),
            ),
            said(0, "b"),
            end(1),
            start(2, text()),
            end(0),
            said(2, "c"),
            stopped("tool_use"),
            over(),
        ]),
        &way(),
    );
    let reply = fold(&events, false);
    assert_eq!(
        kinds(&reply),
        [
            PartKind::text("ab"),
            call("c", "{\"x\":"),
            PartKind::text("c")
        ]
    );
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::ToolUse
    );
}

#[test]
fn inputs_come_from_deltas_or_from_the_start() {
    let tool = |input: Value| json!({ "type": "tool_use", "id": "c", "name": "f", "input": input });
    let events = events(
        &stream(&[
            start(0, tool(json!({}))),
            delta(0, json!({ "type": "input_json_delta", "partial_json": "" })),
            end(0),
            start(1, tool(json!({ "a": 1 }))),
            end(1),
            stopped("tool_use"),
            over(),
        ]),
        &way(),
    );
    assert_eq!(
        kinds(&fold(&events, false)),
        [call("c", "{}"), call("c", r#"{"a":1}"#)]
    );
}

#[test]
fn unknown_blocks_are_carried_whole() {
    let events = events(
        &stream(&[
            json!({ "type": "novel" }),
            start(
                0,
                json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} }),
            ),
            delta(
                0,
                json!({ "type": "input_json_delta", "partial_json": "{\"q\":" }),
            ),
            delta(
                0,
                json!({ "type": "input_json_delta", "partial_json": "1}" }),
            ),
            delta(0, json!({ "type": "novel_delta", "x": 1 })),
            end(0),
            start(1, json!({ "type": "compaction", "content": null })),
            delta(
                1,
                json!({ "type": "compaction_delta", "content": "sum\"mary" }),
            ),
            end(1),
            start(2, json!({ "type": "redacted_thinking", "data": "d" })),
            end(2),
            stopped("end_turn"),
            over(),
        ]),
        &way(),
    );
    let kinds = kinds(&fold(&events, false));
    let raws: Vec<Value> = kinds
        .iter()
        .filter_map(|k| match k {
            PartKind::Opaque { raw, .. } => Some(serde_json::from_str(raw.as_str()).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(
        raws,
        [
            json!({ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "q": 1 } }),
            json!({ "type": "compaction", "content": "sum\"mary" }),
        ]
    );
    assert!(
        matches!(&kinds[2], PartKind::Reasoning(r) if r.seal.as_ref().unwrap().data == "redacted:d")
    );
    let again = data(&written(&events, &way()));
    assert_eq!(again[1]["content_block"], raws[0]);
    assert_eq!(
        again[5]["content_block"],
        json!({ "type": "redacted_thinking", "data": "d" })
    );
}

#[test]
fn a_cut_stream_never_looks_whole() {
    let begun = [start(0, text()), said(0, "a")];
    let cut = events(&stream(&begun), &way());
    assert!(matches!(cut.last(), Some(Event::PartEnd { .. })));
    fold(&cut, true);
    // Only the last event is missing: the answer has said why it ended.
    let told = events(
        &stream(&[&begun[..], &[stopped("end_turn")]].concat()),
        &way(),
    );
    assert_eq!(told.last(), Some(&Event::End));
    fold(&told, false);
    assert_eq!(events("", &way()).len(), 1);
}

#[test]
fn an_error_ends_the_stream() {
    let error = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded, see sk-123" } });
    let got = events(&stream(&[start(0, text()), error, said(0, "late")]), &way());
    let Some(Event::Error(error)) = got.last() else {
        panic!("{got:?}");
    };
    assert_eq!(
        (error.kind_name.as_deref(), error.message.contains("sk-123")),
        (Some("overloaded_error"), false)
    );
    fold(&got, false);
}

#[test]
fn nothing_that_arrives_breaks_the_grammar() {
    let odd = [
        said(7, "no block"),
        end(3),
        start(0, text()),
        start(0, text()),
        said(0, "a"),
        json!({ "type": "content_block_delta", "index": 0 }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "in a text" } }),
        stopped("end_turn"),
        stopped("max_tokens"),
        start(1, text()),
        over(),
        json!({ "type": "message_start", "message": { "id": "second" } }),
        over(),
    ];
    let mut bytes = stream(&odd);
    bytes.insert_str(0, "data: not json\n\n: comment\n\n");
    let reply = fold(&events(&bytes, &way()), false);
    assert_eq!(kinds(&reply), [PartKind::text(""), PartKind::text("a")]);
    assert_eq!(reply.choices[0].stop.as_ref().unwrap().word, "end_turn");
}

#[test]
fn the_json_tool_is_unwrapped() {
    let way = Way {
        json_tool: true,
        ..way()
    };
    let events = events(
        &stream(&[
            start(
                0,
                json!({ "type": "tool_use", "id": "c", "name": "lintel_json_answer", "input": {} }),
            ),
            delta(
                0,
                json!({ "type": "input_json_delta", "partial_json": "{\"a\":" }),
            ),
            delta(
                0,
                json!({ "type": "input_json_delta", "partial_json": "1}" }),
            ),
            end(0),
            stopped("tool_use"),
            over(),
        ]),
        &way,
    );
    let reply = fold(&events, false);
    assert_eq!(kinds(&reply), [PartKind::text("{\"a\":1}")]);
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::EndTurn
    );
}

/// A stream of another dialect's answer, with all that this dialect can and can't say.
fn foreign() -> Vec<Event> {
    let more = |text: &str| Event::Delta {
        choice: 0,
        delta: Delta::Text(text.into()),
    };
    let begin = |part| Event::PartStart { choice: 0, part };
    let end = || Event::PartEnd { choice: 0 };
    let seal = Seal {
        protocol: OPENAI,
        data: "s".into(),
    };
    let tool = |id: &str, custom| Opening::ToolCall {
        id: id.into(),
        name: "f".into(),
        custom,
    };
    let mut usage = Usage::new();
    usage.add(Meter::Input, 4).add(Meter::Output, 2);
    vec![
        Event::Start {
            id: None,
            model: None,
            created: None,
        },
        begin(Opening::Reasoning {
            summary: true,
            id: None,
        }),
        more("why"),
        Event::Delta {
            choice: 0,
            delta: Delta::Seal(seal),
        },
        end(),
        begin(Opening::Text),
        end(),
        begin(Opening::Whole(Part::new(
            PartKind::Reasoning(Reasoning::default()),
            At::default(),
        ))),
        end(),
        Event::PartStart {
            choice: 1,
            part: Opening::Text,
        },
        begin(Opening::Text),
        more("a\nb"),
        end(),
        Event::PartEnd { choice: 1 },
        begin(tool("c", false)),
        more("{}"),
        end(),
        begin(tool("d", true)),
        more("say \"x\""),
        end(),
        Event::Stop {
            choice: 0,
            stop: Stop {
                reason: StopReason::StopSequence,
                word: "stop".into(),
                sequence: Some("###".into()),
            },
        },
        Event::Usage(usage),
        Event::End,
    ]
}

#[test]
fn sdks_see_blocks_in_order_with_rising_indexes() {
    let text = written(&foreign(), &way());
    let seen: Vec<String> = data(&text)
        .iter()
        .map(|e| {
            let block = e["content_block"]["type"]
                .as_str()
                .or(e["delta"]["type"].as_str());
            format!(
                "{} {} {}",
                e["type"].as_str().unwrap(),
                e["index"],
                block.unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "message_start null ",
            "content_block_start 0 thinking",
            "content_block_delta 0 thinking_delta",
            "content_block_stop 0 ",
            "content_block_start 1 text",
            "content_block_delta 1 text_delta",
            "content_block_stop 1 ",
            "content_block_start 2 tool_use",
            "content_block_delta 2 input_json_delta",
            "content_block_stop 2 ",
            "content_block_start 3 tool_use",
            "content_block_delta 3 input_json_delta",
            "content_block_delta 3 input_json_delta",
            "content_block_delta 3 input_json_delta",
            "content_block_stop 3 ",
            "message_delta null ",
            "message_stop null ",
        ]
    );
    for (line, event) in text
        .lines()
        .filter(|l| l.starts_with("event: "))
        .zip(data(&text))
    {
        assert_eq!(line, format!("event: {}", event["type"].as_str().unwrap()));
    }
    let events = data(&text);
    assert_eq!(events[0]["message"]["id"], "msg_ex_1");
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 0);
    let last = &events[15];
    assert_eq!(
        last["delta"],
        json!({ "stop_reason": "stop_sequence", "stop_sequence": "###", "stop_details": null })
    );
    assert_eq!(
        (
            &last["usage"]["input_tokens"],
            &last["usage"]["output_tokens"]
        ),
        (&json!(4), &json!(2))
    );
    let custom: String = events[11..14]
        .iter()
        .map(|e| e["delta"]["partial_json"].as_str().unwrap())
        .collect();
    assert_eq!(custom, r#"{"input":"say \"x\""}"#);
}

#[test]
fn own_marks_come_through() {
    let citation = json!({ "type": "char_location", "cited_text": "q" });
    let source = stream(&[
        json!({ "type": "message_start", "message": { "id": "m", "model": "c", "usage": { "input_tokens": 3, "output_tokens": 1 } } }),
        start(
            0,
            json!({ "type": "thinking", "thinking": "", "signature": "" }),
        ),
        delta(0, json!({ "type": "signature_delta", "signature": "sig" })),
        end(0),
        start(1, text()),
        said(1, "x"),
        delta(
            1,
            json!({ "type": "citations_delta", "citation": citation }),
        ),
        end(1),
        stopped("end_turn"),
        over(),
    ]);
    let again = data(&written(&events(&source, &way()), &way()));
    assert_eq!(
        again[2]["delta"],
        json!({ "type": "signature_delta", "signature": "sig" })
    );
    assert_eq!(again[6]["delta"]["citation"], citation);
    assert_eq!(again[8]["usage"]["input_tokens"], 3);
}

#[test]
fn raw_blocks_never_break_the_framing() {
    let opaque = PartKind::Opaque {
        kind: "x".into(),
        protocol: ANTHROPIC,
        raw: RawJson::new("{\n  \"type\": \"x\",\r\n  \"t\": \"a\\nb\"\n}"),
    };
    let events = [
        Event::PartStart {
            choice: 0,
            part: Opening::Whole(Part::new(opaque, At::default())),
        },
        Event::PartEnd { choice: 0 },
    ];
    let seen = data(&written(&events, &way()));
    assert_eq!(seen[0]["content_block"]["t"], "a\nb");
    assert_eq!(seen.len(), 2);
}

#[test]
fn errors_end_the_stream_in_the_dialects_form() {
    let error = Event::Error(StreamError {
        message: "busy".into(),
        kind_name: None,
        code: Some("529".into()),
    });
    let seen = written(&[error, Event::End], &way());
    assert_eq!(
        seen,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"busy\",\"code\":529}}\n\n"
    );
    let mut encoder = AnthropicMessages.encoder(&way());
    let ours = Error::gateway(Kind::Overloaded, "shed", "busy");
    let mut out = Vec::new();
    encoder.error(&ErrorBody::ours(&ours, None), &mut out);
    encoder.event(&Event::End, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("event: error\n") && !text.contains("message_stop"),
        "{text}"
    );
}
