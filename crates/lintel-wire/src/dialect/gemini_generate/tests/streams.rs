//! Streams: what is held back, what ends them, and what cut ones look like.

use std::borrow::Cow;

use lintel_types::canon::{Delta, Event, Opening, PartKind, Stop, StopReason, StreamError};
use lintel_types::{Kind, Meter, Usage};
use serde_json::{Value, json};

use super::{GeminiGenerate, data_of, events, stream, way};
use crate::dialect::{Dialect, grammar};
use crate::surface::ErrorBody;

fn read(chunks: &[&str]) -> Vec<Event> {
    events(chunks.iter().map(|c| c.as_bytes()))
}

#[test]
fn a_stream_that_never_said_why_it_stopped_was_cut() {
    let cut = read(&[r#"{"candidates":[{"content":{"parts":[{"text":"he"}]}}]}"#]);
    assert!(
        !cut.iter()
            .any(|e| matches!(e, Event::End | Event::Stop { .. }))
    );
    assert!(matches!(cut.last(), Some(Event::PartEnd { choice: 0 })));
    grammar::fold(&cut, true);
    assert!(read(&[]).is_empty());
    let blocked = read(&[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]);
    let reply = grammar::fold(&blocked, false);
    let stop = reply.choices[0].stop.as_ref().unwrap();
    assert_eq!(stop.reason, StopReason::ContentFilter);
}

#[test]
fn an_error_is_the_end() {
    let failed = read(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"he"}]}}]}"#,
        r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
        r#"{"candidates":[{"finishReason":"STOP"}]}"#,
    ]);
    let Some(Event::Error(error)) = failed.last() else {
        panic!("{failed:?}")
    };
    assert_eq!(error.kind_name.as_deref(), Some("UNAVAILABLE"));
    assert_eq!(error.code.as_deref(), Some("503"));
    grammar::fold(&failed, false);
}

#[test]
fn thoughts_texts_signatures_and_candidates_keep_apart() {
    let reply = grammar::fold(
        &read(&[
            r#"{"candidates":[{"index":0,"content":{"parts":[{"text":"h","thought":true}]}},{"index":1,"content":{"parts":[{"text":"b"}]}}]}"#,
            r#"{"candidates":[{"index":0,"content":{"parts":[{"text":"m","thought":true,"thoughtSignature":"AA=="},{"text":"a"}]}}]}"#,
            r#"{"candidates":[{"index":0,"content":{"parts":[{"text":"","thoughtSignature":"BB=="}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://x"}}],"groundingSupports":[{"segment":{"endIndex":1},"groundingChunkIndices":[0]}]}},{"index":1,"finishReason":"MAX_TOKENS"}]}"#,
        ]),
        false,
    );
    let kinds: Vec<&PartKind> = reply.choices[0].parts.iter().map(|p| &p.kind).collect();
    let [
        PartKind::Reasoning(thought),
        PartKind::Text { text, citations },
        PartKind::Reasoning(seal),
    ] = kinds[..]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(thought.text, "hm");
    assert_eq!(thought.seal.as_ref().unwrap().data, "AA==");
    assert_eq!(text, "a");
    assert_eq!(citations[0].span, Some((0, 1)));
    assert_eq!(seal.seal.as_ref().unwrap().data, "BB==");
    let stop = reply.choices[1].stop.as_ref().unwrap();
    assert_eq!(stop.reason, StopReason::MaxTokens);
}

/// Another dialect's stream: the call comes in pieces, the usage after the stop.
fn foreign() -> Vec<Event> {
    let mut usage = Usage::new();
    usage.add(Meter::Input, 3).add(Meter::Output, 4);
    let part = |part| Event::PartStart { choice: 0, part };
    let delta = |text: &str| Event::Delta {
        choice: 0,
        delta: Delta::Text(text.into()),
    };
    vec![
        Event::Start {
            id: Some("chatcmpl-1".into()),
            model: Some("gpt".into()),
            created: Some(0),
        },
        part(Opening::Text),
        delta("he"),
        delta("llo"),
        Event::PartEnd { choice: 0 },
        part(Opening::ToolCall {
            id: "c".into(),
            name: "f".into(),
            custom: false,
        }),
        delta("{\"a\""),
        delta(":1}"),
        Event::PartEnd { choice: 0 },
        Event::Stop {
            choice: 0,
            stop: Stop {
                reason: StopReason::ToolUse,
                word: "tool_calls".into(),
                sequence: None,
            },
        },
        Event::Usage(usage),
        Event::End,
    ]
}

#[test]
fn calls_leave_whole_and_the_reason_leaves_with_the_usage() {
    let bytes = stream(&foreign());
    assert!(bytes.ends_with(b"}\r\n\r\n"));
    let chunks: Vec<Value> = data_of(&bytes)
        .iter()
        .map(|d| serde_json::from_slice(d).unwrap())
        .collect();
    let parts: Vec<&Value> = chunks
        .iter()
        .map(|c| &c["candidates"][0]["content"]["parts"][0])
        .collect();
    assert_eq!(
        parts,
        [
            &json!({"text": "he"}),
            &json!({"text": "llo"}),
            &json!({"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}),
            &json!({"text": ""}),
        ]
    );
    let (last, before) = chunks.split_last().unwrap();
    assert!(
        before
            .iter()
            .all(|c| c["candidates"][0].get("finishReason").is_none())
    );
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 7);
    assert!(
        chunks
            .iter()
            .all(|c| c["responseId"] == "chatcmpl-1" && c["modelVersion"] == "gpt")
    );
}

#[test]
fn a_providers_error_inside_a_stream_is_told() {
    let failed = Event::Error(StreamError {
        message: "overloaded".into(),
        kind_name: None,
        code: None,
    });
    let mut events = foreign();
    events.truncate(3);
    events.extend([failed.clone(), failed, Event::End]);
    let written = data_of(&stream(&events));
    assert_eq!(written.len(), 2, "once, and nothing after it");
    let last: Value = serde_json::from_slice(&written[1]).unwrap();
    assert_eq!(last["error"]["message"], "overloaded");
}

#[test]
fn text_leaves_at_once_and_an_error_is_no_clean_end() {
    let mut encoder = GeminiGenerate.encoder(&way());
    let mut out = Vec::new();
    for event in foreign().iter().take(3) {
        encoder.event(event, &mut out);
    }
    assert_eq!(data_of(&out).len(), 1);
    let error = ErrorBody {
        message: Cow::Borrowed("gone"),
        kind_name: None,
        kind: Kind::Upstream,
        status: None,
        code: None,
        param: None,
        request_id: None,
    };
    encoder.error(&error, &mut out);
    let held = out.len();
    encoder.event(&Event::End, &mut out);
    encoder.error(&error, &mut out);
    assert_eq!(out.len(), held, "nothing follows an error");
    let last: Value = serde_json::from_slice(data_of(&out).last().unwrap()).unwrap();
    assert_eq!(last["error"]["status"], "UNAVAILABLE");
    let events = events(data_of(&out).iter().map(|d| &d[..]));
    assert!(matches!(events.last(), Some(Event::Error(_))));
}
