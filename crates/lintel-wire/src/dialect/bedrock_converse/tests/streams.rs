//! Streams: what is opened, held back, closed and told, both ways.

use bytes::Bytes;
use lintel_types::canon::{
    Citation, Delta, Opening, Part, PartKind, RawJson, Seal, Source, Stop, StopReason, StreamError,
};
use lintel_types::{Meter, Protocol, Usage};

use super::*;
use crate::aws_events;
use crate::dialect::JSON_TOOL;
use crate::dialect::grammar::fold;
use crate::surface::ErrorBody;

const OTHER: Protocol = Protocol::new("other");

fn written(events: &[Event]) -> Vec<Bytes> {
    let mut writer = BedrockConverse.encoder(&way(false));
    let mut out = Vec::new();
    events.iter().for_each(|e| writer.event(e, &mut out));
    let frames = aws_events::events(out.into());
    frames.map(|e| e.data.unwrap()).collect()
}

/// Canonical events, written and read again.
pub(super) fn through(canonical: &[Event]) -> Vec<Event> {
    events(&written(canonical), false)
}

fn delta(text: &str) -> Event {
    Event::Delta {
        choice: 0,
        delta: Delta::Text(text.into()),
    }
}

fn start(part: Opening) -> Event {
    Event::PartStart { choice: 0, part }
}

const PART_END: Event = Event::PartEnd { choice: 0 };

fn begin() -> Event {
    Event::Start {
        id: Some("id".into()),
        model: None,
        created: None,
    }
}

fn stop(reason: StopReason) -> Event {
    let stop = Stop {
        reason,
        word: "stop".into(),
        sequence: None,
    };
    Event::Stop { choice: 0, stop }
}

fn call(id: &str) -> Opening {
    Opening::ToolCall {
        id: id.into(),
        name: "f".into(),
        custom: false,
    }
}

#[test]
fn frames_come_in_the_order_that_sdks_demand() {
    let seal = |protocol: Protocol| Event::Delta {
        choice: 0,
        delta: Delta::Seal(Seal {
            protocol,
            data: "sig".into(),
        }),
    };
    let mut usage = Usage::new();
    usage
        .add(Meter::Input, 3)
        .add(Meter::CacheRead, 4)
        .add(Meter::Output, 5)
        .add(Meter::Reasoning, 6);
    let reasoning = Opening::Reasoning {
        summary: false,
        id: None,
    };
    let frames = written(&[
        begin(),
        Event::Usage(usage),
        start(reasoning),
        delta("hm"),
        seal(OTHER),
        seal(BEDROCK),
        PART_END,
        start(Opening::Text),
        PART_END,
        start(Opening::Refusal),
        delta("no"),
        PART_END,
        start(call("c1")),
        delta("{\"a\""),
        delta(":1}"),
        PART_END,
        start(call("c2")),
        PART_END,
        stop(StopReason::ToolUse),
        Event::End,
    ]);
    assert_eq!(
        frames,
        [
            r#"{"messageStart":{"role":"assistant"}}"#,
            r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"text":"hm"}},"contentBlockIndex":0}}"#,
            r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"signature":"sig"}},"contentBlockIndex":0}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":0}}"#,
            r#"{"contentBlockDelta":{"delta":{"text":"no"},"contentBlockIndex":1}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":1}}"#,
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"c1","name":"f"}},"contentBlockIndex":2}}"#,
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"a\""}},"contentBlockIndex":2}}"#,
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":":1}"}},"contentBlockIndex":2}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":2}}"#,
            r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"c2","name":"f"}},"contentBlockIndex":3}}"#,
            r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":3}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":3}}"#,
            r#"{"messageStop":{"stopReason":"tool_use"}}"#,
            r#"{"metadata":{"usage":{"inputTokens":3,"outputTokens":11,"totalTokens":18,"cacheReadInputTokens":4},"metrics":{"latencyMs":0}}}"#,
        ]
    );
}

#[test]
fn images_citations_and_what_has_no_word() {
    let image = PartKind::Image {
        source: Source::Inline {
            media_type: "image/png".into(),
            data: "aaaa".into(),
        },
        detail: None,
    };
    let opaque = PartKind::Opaque {
        kind: "x".into(),
        protocol: OTHER,
        raw: RawJson::new("{}"),
    };
    let whole = |kind: &PartKind| Opening::Whole(Part::new(kind.clone(), Default::default()));
    let cited = Citation {
        url: Some("https://x".into()),
        title: Some("t".into()),
        quote: Some("q".into()),
        span: None,
        protocol: OTHER,
        raw: RawJson::new("{}"),
    };
    let frames = written(&[
        begin(),
        start(whole(&image)),
        PART_END,
        start(whole(&opaque)),
        PART_END,
        start(Opening::Text),
        delta("a"),
        Event::Delta {
            choice: 0,
            delta: Delta::Citation(cited),
        },
        PART_END,
        Event::PartStart {
            choice: 1,
            part: Opening::Text,
        },
        stop(StopReason::EndTurn),
        Event::End,
    ]);
    assert_eq!(
        frames[1],
        r#"{"contentBlockStart":{"start":{"image":{"format":"png"}},"contentBlockIndex":0}}"#
    );
    assert_eq!(
        frames[2],
        r#"{"contentBlockDelta":{"delta":{"image":{"source":{"bytes":"aaaa"}}},"contentBlockIndex":0}}"#
    );
    assert_eq!(
        frames[5],
        r#"{"contentBlockDelta":{"delta":{"citation":{"title":"t","sourceContent":[{"text":"q"}],"location":{"web":{"url":"https://x"}}}},"contentBlockIndex":1}}"#
    );
    let last = r#"{"metadata":{"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"metrics":{"latencyMs":0}}}"#;
    assert_eq!(frames.last().unwrap(), last);
    let reply = fold(&events(&frames, false), false);
    let parts = &reply.choices[0].parts;
    assert_eq!(parts[0].kind, image);
    let PartKind::Text { citations, .. } = &parts[1].kind else {
        panic!("{parts:?}")
    };
    assert_eq!(citations[0].url.as_deref(), Some("https://x"));
    assert_eq!(parts.len(), 2);
}

#[test]
fn an_error_is_an_exception_and_no_end() {
    let error = |kind: &str| {
        Event::Error(StreamError {
            message: "m".into(),
            kind_name: Some(kind.into()),
            code: None,
        })
    };
    for (kind, name) in [
        ("overloaded_error", "serviceUnavailableException"),
        ("rate_limit_error", "throttlingException"),
        ("invalid_request_error", "validationException"),
        ("novel", "modelStreamErrorException"),
    ] {
        let wanted = format!(r#"{{"exception":{{"type":"{name}","message":"m"}}}}"#);
        assert_eq!(written(&[begin(), error(kind)])[1], wanted);
        let read = through(&[begin(), error(kind)]);
        assert!(matches!(read.last(), Some(Event::Error(e)) if e.message == "m"));
    }
    let ours = lintel_types::Error::gateway(lintel_types::Kind::Internal, "x", "broke");
    let mut out = Vec::new();
    let mut writer = BedrockConverse.encoder(&way(false));
    writer.error(&ErrorBody::ours(&ours, None), &mut out);
    // Nothing follows an error, not even another.
    writer.error(&ErrorBody::ours(&ours, None), &mut out);
    writer.event(&Event::End, &mut out);
    assert_eq!(
        out,
        aws_events::exception("internalServerException", "broke")
    );
}

fn block(index: u64, delta: &str) -> String {
    format!(r#"{{"contentBlockDelta":{{"contentBlockIndex":{index},"delta":{delta}}}}}"#)
}

fn tool(index: u64, id: &str, name: &str) -> String {
    format!(
        r#"{{"contentBlockStart":{{"contentBlockIndex":{index},"start":{{"toolUse":{{"toolUseId":"{id}","name":"{name}"}}}}}}}}"#
    )
}

fn input(index: u64, text: &str) -> String {
    block(
        index,
        &format!(r#"{{"toolUse":{{"input":{}}}}}"#, serde_json::json!(text)),
    )
}

fn closed(index: u64) -> String {
    format!(r#"{{"contentBlockStop":{{"contentBlockIndex":{index}}}}}"#)
}

const STOP: &str = r#"{"messageStop":{"stopReason":"tool_use","additionalModelResponseFields":{"delta":{"stop_sequence":"END"}}}}"#;
const USED: &str = r#"{"metadata":{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}}"#;

#[test]
fn calls_that_are_told_at_once_come_one_after_the_other() {
    let data = [
        tool(0, "a", "f"),
        tool(1, "b", "g"),
        input(1, "{\"b\":"),
        input(0, "{\"a\":1}"),
        input(1, "2}"),
        closed(1),
        closed(0),
        block(2, r#"{"text":"done"}"#),
        STOP.into(),
        USED.into(),
    ];
    let reply = fold(&events(&data, false), false);
    let said: Vec<String> = reply.choices[0]
        .parts
        .iter()
        .map(|p| match &p.kind {
            PartKind::ToolCall(call) => format!("{} {} {}", call.id, call.name, call.arguments),
            PartKind::Text { text, .. } => text.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, ["a f {\"a\":1}", "b g {\"b\":2}", "done"]);
    let stop = reply.choices[0].stop.clone().unwrap();
    assert_eq!(stop.sequence.as_deref(), Some("END"));
}

#[test]
fn blocks_without_ends_are_closed_and_a_cut_stream_has_no_end() {
    let data = [
        block(0, r#"{"text":"a"}"#),
        block(1, r#"{"text":"b"}"#),
        tool(2, "c", "f"),
    ];
    let cut = events(&data, false);
    assert_eq!(cut.last(), Some(&PART_END));
    assert_eq!(fold(&cut, true).choices[0].parts.len(), 3);
    let mut whole = data.to_vec();
    whole.push(STOP.into());
    let whole = events(&whole, false);
    assert_eq!(
        whole.last(),
        Some(&Event::End),
        "usage never came, but it stopped"
    );
    fold(&whole, false);
    let nothing: [&str; 0] = [];
    assert_eq!(events(&nothing, false).len(), 1);
}

#[test]
fn whatever_comes_the_grammar_is_kept() {
    let odd = [
        "{",
        "[]",
        "{}",
        r#"{"novel":{}}"#,
        r#"{"contentBlockDelta":{}}"#,
        r#"{"contentBlockStart":{"contentBlockIndex":0,"start":{}}}"#,
        r#"{"contentBlockStart":{"contentBlockIndex":0,"start":{"novel":{}}}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"novel":1}}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"toolUse":{"input":"x"}}}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"t"}}}"#,
        r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"r"}}}}"#,
        STOP,
        STOP,
        r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"late"}}}"#,
        USED,
        USED,
        STOP,
    ];
    let reply = fold(&events(&odd, false), false);
    assert_eq!(reply.choices[0].parts.len(), 1);
}

#[test]
fn a_providers_own_tool_is_kept_whole() {
    let data = [
        r#"{"contentBlockStart":{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"s","name":"nova","type":"server_tool_use"}}}}"#.to_owned(),
        input(0, "{\"a\":1}"),
        closed(0),
        r#"{"contentBlockStart":{"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"s"}}}}"#.to_owned(),
        block(1, r#"{"toolResult":[{"json":{"x":1}}]}"#),
        closed(1),
        STOP.into(),
        USED.into(),
    ];
    let reply = fold(&events(&data, false), false);
    let raw: Vec<&str> = reply.choices[0]
        .parts
        .iter()
        .map(|p| match &p.kind {
            PartKind::Opaque { raw, .. } => raw.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        raw,
        [
            r#"{"toolUse":{"toolUseId":"s","name":"nova","type":"server_tool_use","input":{"a":1}}}"#,
            r#"{"toolResult":{"toolUseId":"s","content":[{"json":{"x":1}}]}}"#
        ]
    );
}

#[test]
fn the_tool_that_stands_in_for_a_schema_is_text() {
    let data = [
        tool(0, "a", JSON_TOOL),
        input(0, "{\"x\":1}"),
        closed(0),
        STOP.into(),
        USED.into(),
    ];
    let reply = fold(&events(&data, true), false);
    assert_eq!(reply.choices[0].parts[0].kind, PartKind::text("{\"x\":1}"));
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::EndTurn
    );
    let other = [tool(0, "a", "f"), closed(0), STOP.into(), USED.into()];
    let reply = fold(&events(&other, true), false);
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::ToolUse
    );
}

#[test]
fn sealed_reasoning_comes_back_as_it_was() {
    let data = [
        block(0, r#"{"reasoningContent":{"redactedContent":"QUJD"}}"#),
        closed(0),
        block(1, r#"{"reasoningContent":{"text":"hm"}}"#),
        block(1, r#"{"reasoningContent":{"signature":"s"}}"#),
        closed(1),
        STOP.into(),
        USED.into(),
    ];
    let canonical = events(&data, false);
    let frames = written(&canonical);
    let text: String = frames
        .iter()
        .map(|f| String::from_utf8_lossy(f).into_owned())
        .collect();
    assert!(text.contains(r#""redactedContent":"QUJD""#) && text.contains(r#""signature":"s""#));
    assert_eq!(
        fold(&events(&frames, false), false).choices[0].parts,
        fold(&canonical, false).choices[0].parts
    );
}
