//! Streams: what is read of odd ones, and the order in which ours are written.

use lintel_types::canon::{
    Citation, Delta, Event, Opening, RawJson, Reasoning, Reply, Seal, Stop, StopReason, StreamError,
};
use lintel_types::{Kind, Protocol, Usage};
use serde_json::Value;

use super::*;
use crate::dialect::grammar::fold;
use crate::surface::ErrorBody;

pub(super) fn read(events: &[&str]) -> Vec<Event> {
    let mut decoder = DIALECT.decoder(&way(Request::default()));
    let mut out = Vec::new();
    for event in events {
        decoder.event(event.as_bytes(), &mut out);
    }
    decoder.finish(&mut out);
    out
}

/// The data of every event, and whether each event line names its data's type.
pub(super) fn data_of(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let blocks = text.split_terminator("\n\n").map(|block| {
        let (event, data) = block.split_once('\n').unwrap();
        let value: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event, format!("event: {}", value["type"].as_str().unwrap()));
        value
    });
    blocks.collect()
}

pub(super) fn write(events: &[Event]) -> Vec<u8> {
    let mut encoder = DIALECT.encoder(&way(decoded(r#"{"model":"m","input":"x"}"#).unwrap()));
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    out
}

/// Checks what SDKs rely on: numbers without gaps, ids that stay, parts inside items, one end.
pub(super) fn check_order(events: &[Value]) {
    let mut open: Option<(u64, String)> = None;
    let mut next_index = 0;
    for (i, event) in events.iter().enumerate() {
        let kind = event["type"].as_str().unwrap();
        assert_eq!(event["sequence_number"], i as u64, "{event}");
        match kind {
            "response.output_item.added" => {
                assert!(open.is_none(), "{event}");
                assert_eq!(event["output_index"], next_index, "{event}");
                let id = event["item"]["id"].as_str().unwrap_or_default();
                open = Some((next_index, id.to_owned()));
                next_index += 1;
            }
            "response.output_item.done" => {
                let (index, id) = open.take().unwrap();
                assert_eq!(event["output_index"], index);
                assert_eq!(event["item"]["id"].as_str().unwrap_or_default(), id);
            }
            _ if event.get("item_id").is_some() => {
                let (index, id) = open.as_ref().unwrap();
                assert_eq!(event["item_id"], id.as_str(), "{event}");
                assert_eq!(event["output_index"], *index, "{event}");
            }
            _ => assert!(
                event.get("response").is_some() || kind == "error",
                "{event}"
            ),
        }
    }
    let ends = events.iter().filter(|e| {
        [
            "response.completed",
            "response.incomplete",
            "response.failed",
        ]
        .contains(&e["type"].as_str().unwrap())
    });
    assert_eq!(ends.count(), 1);
}

fn start() -> Event {
    Event::Start {
        id: Some("resp_x".into()),
        model: Some("real".into()),
        created: Some(7),
    }
}

fn begin(part: Opening) -> Event {
    Event::PartStart { choice: 0, part }
}

fn more(text: &str) -> Event {
    Event::Delta {
        choice: 0,
        delta: Delta::Text(text.into()),
    }
}

const END: Event = Event::PartEnd { choice: 0 };

fn stop(reason: StopReason) -> Event {
    Event::Stop {
        choice: 0,
        stop: Stop {
            reason,
            word: "w".into(),
            sequence: None,
        },
    }
}

#[test]
fn a_stream_is_written_in_the_documented_order() {
    let thought = || Opening::Reasoning {
        summary: true,
        id: Some("rs_1".into()),
    };
    let call = |custom| Opening::ToolCall {
        id: "c1".into(),
        name: "f".into(),
        custom,
    };
    let citation = Citation {
        url: Some("https://x".into()),
        title: Some("X".into()),
        quote: None,
        span: None,
        protocol: Protocol::new("alien"),
        raw: RawJson::new("{}"),
    };
    let seal = Seal {
        protocol: OPENAI,
        data: "s".into(),
    };
    let delta = |delta| Event::Delta { choice: 0, delta };
    let bytes = write(&[
        start(),
        begin(thought()),
        more("a"),
        END,
        begin(thought()),
        more("b"),
        delta(Delta::Seal(seal)),
        END,
        begin(Opening::Text),
        more("he"),
        more("llo"),
        delta(Delta::Citation(citation)),
        END,
        begin(Opening::Refusal),
        more("no"),
        END,
        begin(call(false)),
        more("{}"),
        END,
        begin(call(true)),
        more("free"),
        END,
        Event::Usage(Usage::new()),
        stop(StopReason::ToolUse),
        Event::End,
    ]);
    let events = data_of(&bytes);
    check_order(&events);
    let kinds: Vec<_> = events
        .iter()
        .map(|e| {
            e["type"]
                .as_str()
                .unwrap()
                .strip_prefix("response.")
                .unwrap()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.annotation.added",
            "output_text.done",
            "content_part.done",
            "content_part.added",
            "refusal.delta",
            "refusal.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(events[9]["summary_index"], 1);
    assert_eq!(events[17]["text"], "hello");
    assert_eq!(events[16]["annotation"]["title"], "X");
    assert_eq!(events[20]["content_index"], 1);
    assert_eq!(events[26]["arguments"], "{}");
    assert_eq!(events[26]["name"], "f");
    assert_eq!(events[30]["input"], "free");
    assert_eq!(events[11]["item"]["encrypted_content"], "s");
    let whole = &events[32]["response"];
    assert_eq!(whole["status"], "completed");
    assert_eq!(whole["id"], "resp_x");
    assert_eq!(whole["model"], "real");
    assert_eq!(whole["output"].as_array().unwrap().len(), 4);
    for (index, item) in whole["output"].as_array().unwrap().iter().enumerate() {
        let done = events.iter().find(|e| {
            e["type"] == "response.output_item.done" && e["output_index"] == index as u64
        });
        assert_eq!(&done.unwrap()["item"], item);
    }
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[0]["response"]["usage"], Value::Null);
    assert_eq!(events[0]["response"]["output"], serde_json::json!([]));
}

#[test]
fn a_cut_stream_is_incomplete_and_a_failed_one_never_clean() {
    let cut = data_of(&write(&[
        start(),
        begin(Opening::Text),
        more("x"),
        END,
        stop(StopReason::MaxTokens),
        Event::End,
    ]));
    check_order(&cut);
    let last = cut.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(
        last["response"]["incomplete_details"]["reason"],
        "max_output_tokens"
    );
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    assert_eq!(cut[cut.len() - 2]["item"]["status"], "incomplete");

    let error = Event::Error(StreamError {
        message: "overloaded".into(),
        kind_name: Some("overloaded_error".into()),
        code: Some("529".into()),
    });
    let failed = data_of(&write(&[
        start(),
        begin(Opening::Text),
        more("x"),
        error,
        Event::End,
    ]));
    check_order(&failed);
    let [.., raised, last] = failed.as_slice() else {
        unreachable!()
    };
    assert_eq!(raised["type"], "error");
    assert_eq!(raised["error"]["type"], "overloaded_error");
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["response"]["error"]["code"], "529");
    assert_eq!(last["response"]["completed_at"], Value::Null);

    // Before anything has come, and twice.
    let ours = Error::provider(Kind::Upstream, "upstream_truncated", "the answer broke off");
    let mut encoder = DIALECT.encoder(&way(Request::default()));
    let mut out = Vec::new();
    encoder.error(&ErrorBody::ours(&ours, None), &mut out);
    encoder.error(&ErrorBody::ours(&ours, None), &mut out);
    let events = data_of(&out);
    check_order(&events);
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["code"], "upstream_truncated");
}

#[test]
fn reasoning_that_only_its_maker_can_read_shows_nothing() {
    let begin_thought = || {
        begin(Opening::Reasoning {
            summary: true,
            id: None,
        })
    };
    let seal = |protocol| Event::Delta {
        choice: 0,
        delta: Delta::Seal(Seal {
            protocol,
            data: "s".into(),
        }),
    };
    let items = |protocol| {
        let events = data_of(&write(&[
            start(),
            begin_thought(),
            seal(protocol),
            END,
            begin(Opening::Text),
            more("x"),
            END,
            stop(StopReason::EndTurn),
            Event::End,
        ]));
        check_order(&events);
        events.last().unwrap()["response"]["output"].clone()
    };
    let ours = items(OPENAI);
    assert_eq!(ours[0]["encrypted_content"], "s");
    assert_eq!(ours[0]["summary"], serde_json::json!([]));
    let alien = items(Protocol::new("alien"));
    assert_eq!(alien.as_array().unwrap().len(), 1);
}

fn texts(reply: &Reply) -> Vec<String> {
    let parts = reply.choices.iter().flat_map(|c| &c.parts);
    parts
        .map(|p| match &p.kind {
            PartKind::Text { text, citations } => format!("text {text} {}", citations.len()),
            PartKind::Refusal(text) => format!("refusal {text}"),
            PartKind::Reasoning(Reasoning {
                text,
                summary,
                seal,
                ..
            }) => format!("reasoning {text} {summary} {}", seal.is_some()),
            PartKind::ToolCall(c) => format!("call {} {} {}", c.id, c.name, c.arguments),
            other => format!("{other:?}"),
        })
        .collect()
}

const COMPLETED: &str = r#"{"type":"response.completed","response":{"status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}"#;

#[test]
fn calls_that_interleave_are_put_one_after_the_other() {
    let added = |i: u32| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{i},"item":{{"type":"function_call","id":"fc_{i}","call_id":"c{i}","name":"f","arguments":""}}}}"#
        )
    };
    let delta = |i: u32, text: &str| {
        format!(
            r#"{{"type":"response.function_call_arguments.delta","output_index":{i},"item_id":"other","delta":"{text}"}}"#
        )
    };
    let done = |i: u32, text: &str| {
        format!(
            r#"{{"type":"response.output_item.done","output_index":{i},"item":{{"type":"function_call","call_id":"c{i}","name":"f","arguments":"{text}"}}}}"#
        )
    };
    let stream = [
        added(0),
        added(1),
        delta(1, "b"),
        delta(0, "a"),
        delta(1, "bb"),
        done(1, "bbb"),
        delta(0, "a"),
        done(0, "aaa"),
    ];
    let mut all: Vec<&str> = vec![r#"{"type":"response.created","response":{"id":"r"}}"#];
    all.extend(stream.iter().map(String::as_str));
    all.push(COMPLETED);
    let reply = fold(&read(&all), false);
    // The last letter of the first call came only with its end.
    assert_eq!(texts(&reply), ["call c0 f aaa", "call c1 f bbb"]);
    let stop = reply.choices[0].stop.as_ref().unwrap();
    assert_eq!(stop.reason, StopReason::ToolUse);
    assert_eq!(reply.usage.unwrap().output_tokens(), 2);
}

#[test]
fn reasoning_gives_way_to_text_and_goes_on_after_it() {
    let reply = fold(
        &read(&[
            r#"{"type":"response.reasoning_text.delta","output_index":0,"item_id":"rs","content_index":0,"delta":"think"}"#,
            r#"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"answer"}"#,
            r#"{"type":"response.reasoning_text.done","output_index":0,"item_id":"rs","content_index":0,"text":"think more"}"#,
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs","summary":[],"content":[{"type":"reasoning_text","text":"think more"}]}}"#,
            COMPLETED,
        ]),
        false,
    );
    assert_eq!(
        texts(&reply),
        [
            "reasoning think false false",
            "text answer 0",
            "reasoning  more false false"
        ]
    );
}

#[test]
fn what_comes_without_deltas_is_not_lost_nor_told_twice() {
    let items = r#"{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"s"},{"type":"message","content":[{"type":"output_text","text":"hi","annotations":[{"type":"file_citation","file_id":"f"}]}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"web_search_call","id":"ws"}"#;
    let response = format!(
        r#"{{"type":"response.completed","response":{{"status":"completed","output":[{items}]}}}}"#
    );
    let whole = ["reasoning  true true", "text hi 1", "call c f {}"];
    let alone = fold(&read(&[&response]), false);
    assert_eq!(texts(&alone)[..3], whole);
    assert!(texts(&alone)[3].contains("web_search_call"));
    let text =
        r#"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"h"}"#;
    let note = r#"{"type":"response.output_text.annotation.added","output_index":1,"content_index":0,"annotation":{"type":"file_citation","file_id":"f"}}"#;
    let both = fold(&read(&[text, note, &response]), false);
    let mut seen = texts(&both);
    seen.sort();
    let mut wanted = texts(&alone);
    wanted.sort();
    assert_eq!(
        seen.len(),
        wanted.len() + 1,
        "the text went on after its beginning: {seen:?}"
    );
    // Hosts that count no items, but name them.
    let by_id = fold(
        &read(&[
            r#"{"type":"response.output_text.delta","item_id":"m","delta":"hi"}"#,
            r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","id":"m","content":[{"type":"output_text","text":"hi"}]}]}}"#,
        ]),
        false,
    );
    assert_eq!(texts(&by_id), ["text hi 0"]);
}

#[test]
fn errors_and_cuts_never_look_like_an_end() {
    let delta =
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"x"}"#;
    let cut = read(&[delta]);
    fold(&cut, true);
    assert!(!cut.contains(&Event::End));
    assert_eq!(cut.last(), Some(&END));
    for error in [
        r#"{"type":"error","code":"server_error","message":"died","param":null,"sequence_number":3}"#,
        r#"{"type":"error","error":{"type":"server_error","code":"server_error","message":"died"}}"#,
        r#"{"error":{"message":"died","code":502}}"#,
        r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"died"},"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}"#,
    ] {
        let events = read(&[delta, error, COMPLETED, "[DONE]"]);
        fold(&events, false);
        assert!(
            matches!(events.last(), Some(Event::Error(e)) if e.message == "died" && e.kind_name.as_deref() != Some("error")),
            "{error}: {events:?}"
        );
        fold(&read(&[error]), false);
    }
    for nonsense in [
        "{",
        "[]",
        "7",
        r#"{"type":7}"#,
        r#"{"type":"novel","x":1}"#,
        "[DONE]",
    ] {
        fold(&read(&[nonsense, COMPLETED]), false);
    }
}
