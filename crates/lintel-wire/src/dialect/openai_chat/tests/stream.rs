//! Streams, from hosts and for clients: the odd things that real hosts do, one by one.

use lintel_types::canon::{Delta, Opening, PartKind, Stop, StopReason, StreamError};
use lintel_types::{Kind, Meter};
use serde_json::json;

use super::plain::Plain;
use super::*;
use crate::dialect::JSON_TOOL;
use crate::surface::ErrorBody;

fn delta(members: &str) -> String {
    format!(
        r#"{{"id":"i","model":"m","created":5,"choices":[{{"index":0,"delta":{{{members}}}}}]}}"#
    )
}

fn tool(index: &str, id: &str, name: &str, arguments: &str) -> String {
    let arguments = crate::json::write::quoted(arguments);
    delta(&format!(
        r#""tool_calls":[{{{index}"id":"{id}","function":{{"name":"{name}","arguments":{arguments}}}}}]"#
    ))
}

fn told(chunks: &[String]) -> Reply {
    let mut all: Vec<&str> = chunks.iter().map(String::as_str).collect();
    all.push("[DONE]");
    answer(&all)
}

fn calls(chunks: &[String]) -> Vec<(String, String, String)> {
    let reply = told(chunks);
    let parts = reply.choices[0].parts.iter();
    parts
        .filter_map(|p| match &p.kind {
            PartKind::ToolCall(c) => Some((c.id.clone(), c.name.clone(), c.arguments.clone())),
            _ => None,
        })
        .collect()
}

fn triple(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.into(), name.into(), arguments.into())
}

#[test]
fn the_first_chunk_may_be_empty_and_usage_anywhere() {
    let reply = answer(&[
        r#"{"id":"","model":"","created":0,"object":"","choices":[],"prompt_filter_results":[]}"#,
        r#"{"id":"i","model":"m","created":5,"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
        r#"{"id":"j","model":"n","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":9,"total_tokens":10}}"#,
        r#"{"choices":[],"usage":null,"moderation":{}}"#,
        "[DONE]",
    ]);
    assert_eq!(
        (reply.id.as_deref(), reply.model.as_deref(), reply.created),
        (Some("i"), Some("m"), Some(5))
    );
    assert_eq!(reply.usage.unwrap().get(Meter::Output), 9);
    let groq = answer(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}}"#,
        "[DONE]",
    ]);
    assert_eq!(groq.usage.unwrap().get(Meter::Output), 2);
}

#[test]
fn deltas_of_calls_as_hosts_write_them() {
    // The id repeated as "", counted from 1.
    let one = [
        tool(r#""index":1,"#, "a", "f", ""),
        tool(r#""index":1,"#, "", "", "{\"x\""),
        tool(r#""index":1,"#, "", "", ":1}"),
    ];
    assert_eq!(calls(&one), [triple("a", "f", "{\"x\":1}")]);
    // No index: whole calls, one a chunk.
    let whole = [tool("", "a", "f", "{}"), tool("", "b", "g", "{}")];
    assert_eq!(
        calls(&whole),
        [triple("a", "f", "{}"), triple("b", "g", "{}")]
    );
    // Neither index nor id.
    let bare = [
        tool("", "", "f", "{"),
        tool("", "", "", "}"),
        tool("", "", "g", "{}"),
    ];
    assert_eq!(
        calls(&bare),
        [
            triple("call_x1_0_1", "f", "{}"),
            triple("call_x1_0_2", "g", "{}")
        ]
    );
    // Every call has index 0.
    let zero = [
        tool(r#""index":0,"#, "a", "f", "{}"),
        tool(r#""index":0,"#, "b", "g", "{}"),
    ];
    assert_eq!(
        calls(&zero),
        [triple("a", "f", "{}"), triple("b", "g", "{}")]
    );
    // No arguments at all.
    assert_eq!(
        calls(&[delta(
            r#""tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]"#
        )]),
        [triple("a", "f", "")]
    );
    assert_eq!(calls(&[delta(r#""content":"hi","tool_calls":[]"#)]), []);
    // The older word.
    let old = [
        delta(r#""function_call":{"name":"f","arguments":"{"}"#),
        delta(r#""function_call":{"arguments":"}"}"#),
    ];
    assert_eq!(calls(&old), [triple("call_x1_0_1", "f", "{}")]);
    // The name comes late.
    let late = [
        tool(r#""index":0,"#, "a", "", "{"),
        tool(r#""index":0,"#, "", "f", "}"),
    ];
    assert_eq!(calls(&late), [triple("a", "f", "{}")]);
}

#[test]
fn interleaved_calls_wait_and_whole_ones_do_not() {
    let mixed = [
        tool(r#""index":0,"#, "a", "f", "{\"x\":"),
        tool(r#""index":1,"#, "b", "g", "{\"y\":"),
        delta(r#""content":"between""#),
        tool(r#""index":1,"#, "", "", "2}"),
        tool(r#""index":0,"#, "", "", "1}"),
    ];
    assert_eq!(
        calls(&mixed),
        [triple("a", "f", "{\"x\":1}"), triple("b", "g", "{\"y\":2}")]
    );
    assert_eq!(Plain::of(&told(&mixed)).text, "between");
    // What comes late for a call that has been told begins none again.
    let late = [
        tool(r#""index":0,"#, "a", "f", "{}"),
        tool(r#""index":1,"#, "b", "g", "{"),
        tool(r#""index":0,"#, "", "", ""),
        tool(r#""index":1,"#, "", "", "}"),
    ];
    assert_eq!(
        calls(&late),
        [triple("a", "f", "{}"), triple("b", "g", "{}")]
    );
    // The second of two parallel calls streams as soon as the first is whole.
    let mut decoder = OpenaiChat.decoder(&way(host("openai")));
    let mut out = Vec::new();
    decoder.event(tool(r#""index":0,"#, "a", "f", "{}").as_bytes(), &mut out);
    out.clear();
    decoder.event(tool(r#""index":1,"#, "b", "g", "{").as_bytes(), &mut out);
    assert!(
        matches!(
            out.as_slice(),
            [
                Event::PartEnd { .. },
                Event::PartStart { .. },
                Event::Delta { .. }
            ]
        ),
        "{out:?}"
    );
}

#[test]
fn reasoning_in_its_spellings() {
    let reasoning = |chunks: &[String]| {
        let reply = told(chunks);
        let PartKind::Reasoning(r) = &reply.choices[0].parts[0].kind else {
            panic!("{reply:?}")
        };
        (
            r.text.clone(),
            r.seal.clone().map(|s| s.data),
            Plain::of(&reply).text,
        )
    };
    let text = delta(r#""content":"t""#);
    let plain = [
        delta(r#""reasoning_content":"a","content":null"#),
        delta(r#""reasoning":"b","content":"""#),
        text.clone(),
    ];
    assert_eq!(reasoning(&plain), ("ab".into(), None, "t".into()));
    let mistral = [
        delta(r#""content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]"#),
        text.clone(),
    ];
    assert_eq!(reasoning(&mistral), ("a".into(), None, "t".into()));
    let detail = |more: &str| {
        delta(&format!(
            r#""reasoning_details":[{{"type":"reasoning.text","index":0{more}}}]"#
        ))
    };
    let details = [
        detail(r#","text":"a""#),
        detail(r#","text":"b""#),
        detail(r#","signature":"S""#),
        text.clone(),
    ];
    let sealed = r#"[{"type":"reasoning.text","text":"ab","signature":"S","index":0}]"#;
    assert_eq!(
        reasoning(&details),
        ("ab".into(), Some(sealed.into()), "t".into())
    );
    // OpenRouter says it twice.
    let twice = [
        delta(r#""reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]"#),
        text.clone(),
    ];
    assert_eq!(reasoning(&twice), ("a".into(), None, "t".into()));
    let extra = r#"{"google":{"thought_signature":"S"}}"#;
    let gemini = [delta(&format!(r#""extra_content":{extra},"content":"t""#))];
    assert_eq!(
        reasoning(&gemini),
        (String::new(), Some(extra.into()), "t".into())
    );
}

#[test]
fn ends_that_are_none() {
    let run = |chunks: &[&str]| {
        let data: Vec<String> = chunks.iter().map(|c| (*c).to_owned()).collect();
        decoded(&data, &way(host("openai")))
    };
    let text = delta(r#""content":"a""#);
    // Cut before anything was said about its end.
    let cut = run(&[&text]);
    assert!(
        !cut.contains(&Event::End) && matches!(cut.last(), Some(Event::PartEnd { .. })),
        "{cut:?}"
    );
    // A reason, and the connection closed without the last event.
    let closed = run(&[
        &text,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
    ]);
    assert_eq!(closed.last(), Some(&Event::End));
    assert_eq!(
        fold(&closed, false).choices[0]
            .stop
            .as_ref()
            .unwrap()
            .reason,
        StopReason::MaxTokens
    );
    // The last event without a reason: what was said tells it.
    let done = run(&[&tool("", "a", "f", "{}"), "[DONE]"]);
    assert_eq!(
        fold(&done, false).choices[0].stop.as_ref().unwrap().reason,
        StopReason::ToolUse
    );
    // Nothing at all.
    assert_eq!(run(&["[DONE]"]), []);
    assert_eq!(run(&["no json", &text, "{"]).len(), 4);
    // Text after the reason is still told.
    let late = run(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
        &text,
        "[DONE]",
    ]);
    assert_eq!(Plain::of(&fold(&late, false)).text, "aa");
}

#[test]
fn an_error_inside_the_stream() {
    let data = [delta(r#""content":"a""#), r#"{"error":{"message":"failed at https://inner.host","type":"server_error","status_code":400}}"#.into(), "[DONE]".into()];
    let events = decoded(&data, &way(host("groq")));
    let Some(Event::Error(StreamError {
        message,
        kind_name,
        code,
    })) = events.last()
    else {
        panic!("{events:?}")
    };
    assert!(
        message.starts_with("failed") && !message.contains("inner"),
        "{message}"
    );
    assert_eq!(
        (kind_name.as_deref(), code.as_deref()),
        (Some("server_error"), Some("400"))
    );
    let stream = encoded(&events, &way(host("openai")));
    let last = data_of(&stream).pop().unwrap();
    assert_eq!(json(last.as_bytes())["error"]["type"], "server_error");
}

#[test]
fn several_choices() {
    let reply = answer(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"content":"y"},"finish_reason":"length"}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let seen: Vec<_> = reply
        .choices
        .iter()
        .map(|c| (c.parts[0].kind.clone(), c.stop.as_ref().unwrap().reason))
        .collect();
    assert_eq!(
        seen,
        [
            (PartKind::text("ab"), StopReason::EndTurn),
            (PartKind::text("xy"), StopReason::MaxTokens)
        ]
    );
}

#[test]
fn the_stand_in_tool_becomes_text() {
    let mut way = way(host("openai"));
    way.json_tool = true;
    let data = [
        tool(r#""index":0,"#, "a", JSON_TOOL, ""),
        tool(r#""index":0,"#, "", "", "{}"),
        "[DONE]".into(),
    ];
    let reply = fold(&decoded(&data, &way), false);
    assert_eq!(reply.choices[0].parts[0].kind, PartKind::text("{}"));
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::EndTurn
    );
}

#[test]
fn citations_sound_and_images() {
    let cited =
        delta(r#""content":"","annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]"#);
    let reply = told(&[cited, delta(r#""content":"a""#)]);
    assert!(
        matches!(&reply.choices[0].parts[0].kind, PartKind::Text { citations, .. } if citations.len() == 1)
    );
    let sound = [
        delta(r#""audio":{"id":"a","transcript":"he"}"#),
        delta(r#""audio":{"data":"AAAA"}"#),
        delta(r#""audio":{"transcript":"ard","data":"BBBB"}"#),
    ];
    let reply = told(&sound);
    assert_eq!(Plain::of(&reply).text, "heard");
    assert!(
        matches!(&reply.choices[0].parts[1].kind, PartKind::Audio(lintel_types::canon::Source::Inline { data, .. }) if data == "AAAABBBB")
    );
    let reply = told(&[delta(
        r#""images":[{"type":"image_url","image_url":{"url":"https://i"}}]"#,
    )]);
    assert!(matches!(
        reply.choices[0].parts[0].kind,
        PartKind::Image { .. }
    ));
}

fn start() -> Event {
    Event::Start {
        id: None,
        model: Some("m".into()),
        created: Some(5),
    }
}

fn said(text: &str) -> Event {
    Event::Delta {
        choice: 0,
        delta: Delta::Text(text.into()),
    }
}

fn opens(part: Opening) -> Event {
    Event::PartStart { choice: 0, part }
}

#[test]
fn chunks_as_the_official_sdks_want_them() {
    let call = Opening::ToolCall {
        id: "c".into(),
        name: "f".into(),
        custom: false,
    };
    let stop = Stop {
        reason: StopReason::ToolUse,
        word: "tool_use".into(),
        sequence: None,
    };
    let events = [
        start(),
        opens(Opening::Reasoning {
            summary: false,
            id: None,
        }),
        said("r"),
        Event::PartEnd { choice: 0 },
        opens(Opening::Text),
        said("a\n"),
        Event::PartEnd { choice: 0 },
        opens(call.clone()),
        said("{}"),
        Event::PartEnd { choice: 0 },
        opens(call),
        Event::PartEnd { choice: 0 },
        Event::Stop { choice: 0, stop },
        Event::End,
    ];
    let mut way = way(host("openai"));
    let stream = encoded(&events, &way);
    assert!(stream.ends_with("data: [DONE]\n\n"));
    let mut data = data_of(&stream);
    data.pop();
    let chunks: Vec<_> = data.iter().map(|d| json(d.as_bytes())).collect();
    let (usage, chunks) = chunks.split_last().unwrap();
    for chunk in chunks {
        assert_eq!(
            (
                &chunk["id"],
                &chunk["object"],
                &chunk["created"],
                &chunk["model"]
            ),
            (
                &json!("chatcmpl-x1"),
                &json!("chat.completion.chunk"),
                &json!(5),
                &json!("m")
            )
        );
        let choice = chunk["choices"][0].as_object().unwrap();
        assert!(
            ["index", "delta", "logprobs", "finish_reason"]
                .iter()
                .all(|k| choice.contains_key(*k))
        );
        assert!(chunk["usage"].is_null() && chunk.get("usage").is_some());
    }
    let deltas: Vec<_> = chunks
        .iter()
        .map(|c| c["choices"][0]["delta"].clone())
        .collect();
    let begun = |index: u64| json!({"tool_calls":[{"index":index,"id":"c","type":"function","function":{"name":"f","arguments":""}}]});
    assert_eq!(
        deltas,
        [
            json!({"role":"assistant","content":"","refusal":null}),
            json!({"reasoning_content":"r"}),
            json!({"content":"a\n"}),
            begun(0),
            json!({"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}),
            begun(1),
            json!({}),
        ]
    );
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );
    assert_eq!(
        (&usage["choices"], &usage["usage"]["total_tokens"]),
        (&json!([]), &json!(0))
    );
    // Who didn't ask for usage sees none.
    way.include_usage = false;
    assert!(!encoded(&events, &way).contains("usage"));
}

#[test]
fn an_error_is_never_a_clean_end() {
    let mut encoder = OpenaiChat.encoder(&way(host("openai")));
    let mut out = Vec::new();
    encoder.event(&start(), &mut out);
    out.clear();
    let error = ErrorBody {
        message: "broke".into(),
        kind_name: None,
        kind: Kind::Upstream,
        status: None,
        code: None,
        param: None,
        request_id: None,
    };
    encoder.error(&error, &mut out);
    encoder.error(&error, &mut out);
    encoder.event(&Event::End, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "data: {\"error\":{\"message\":\"broke\",\"type\":\"upstream_error\",\"param\":null,\"code\":null}}\n\n"
    );
}
