//! Whole answers, from hosts and for clients.

use lintel_types::Protocol;
use lintel_types::canon::{
    At, Choice, Citation, Part, PartKind, RawJson, Reasoning, Seal, Source, Stop, StopReason,
    ToolCall,
};
use serde_json::json;

use super::*;
use crate::dialect::{BadReply, JSON_TOOL};

fn read(body: &str) -> Reply {
    let way = way(host("openai"));
    OpenaiChat.decode_reply(body.as_bytes(), &way).unwrap()
}

fn message(members: &str, finish: &str) -> Choice {
    let body = format!(
        r#"{{"choices":[{{"index":0,"message":{{{members}}},"finish_reason":{finish}}}]}}"#
    );
    read(&body).choices.remove(0)
}

#[test]
fn a_message_becomes_parts_in_order() {
    let choice = message(
        r#""role":"assistant","content":"hi","reasoning_content":"r","refusal":"no","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}],
        "audio":{"id":"a","data":"AA==","transcript":"heard"},"annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":2}},{"type":"file"}],
        "tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]"#,
        "\"stop\"",
    );
    let kinds: Vec<&str> = choice
        .parts
        .iter()
        .map(|p| match &p.kind {
            PartKind::Reasoning(_) => "reasoning",
            PartKind::Text { citations, .. } if !citations.is_empty() => "cited",
            PartKind::Text { .. } => "text",
            PartKind::Refusal(_) => "refusal",
            PartKind::Image { .. } => "image",
            PartKind::Audio(_) => "audio",
            // Calls without an id get one that no other turn has.
            PartKind::ToolCall(c) if c.id == "call_x1_1" => "call",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "reasoning",
            "cited",
            "refusal",
            "image",
            "text",
            "audio",
            "call"
        ]
    );
    assert_eq!(choice.parts[1].at.as_str(), "$.choices[0].message.content");
    let stop = choice.stop.unwrap();
    assert_eq!(
        (stop.reason, stop.word.as_str()),
        (StopReason::ToolUse, "stop")
    );
}

#[test]
fn empty_strings_are_nothing() {
    let choice = message(
        r#""content":"","refusal":"","function_call":{"name":"","arguments":""},"audio":{"id":"","data":"","transcript":""},"tool_calls":null,"annotations":null"#,
        "\"\"",
    );
    assert!(choice.parts.is_empty());
    assert_eq!(choice.stop.unwrap().reason, StopReason::EndTurn);
}

#[test]
fn what_is_no_answer() {
    let bad = |body: &str| {
        let BadReply(why) = OpenaiChat
            .decode_reply(body.as_bytes(), &way(host("openai")))
            .unwrap_err();
        why
    };
    assert!(bad("<html>").contains("invalid JSON"));
    assert_eq!(bad(r#"{"method":"POST"}"#), "the answer has no `choices`");
    let leak = bad(r#"{"error":{"message":"key sk-abc123 at https://inner.host is wrong"}}"#);
    assert!(
        leak.contains("is wrong") && !leak.contains("sk-abc") && !leak.contains("inner"),
        "{leak}"
    );
}

#[test]
fn the_stand_in_tool_becomes_text() {
    let body = format!(
        r#"{{"choices":[{{"message":{{"tool_calls":[{{"id":"a","function":{{"name":"{JSON_TOOL}","arguments":"{{}}"}}}}]}},"finish_reason":"tool_calls"}}]}}"#
    );
    let mut way = way(host("openai"));
    way.json_tool = true;
    let reply = OpenaiChat.decode_reply(body.as_bytes(), &way).unwrap();
    assert_eq!(reply.choices[0].parts[0].kind, PartKind::text("{}"));
    assert_eq!(
        reply.choices[0].stop.as_ref().unwrap().reason,
        StopReason::EndTurn
    );
}

#[test]
fn perplexitys_list_and_vllms_stop() {
    let reply = read(
        r#"{"citations":["https://a","https://b"],"choices":[{"message":{"content":"see [1]"},"finish_reason":"stop","stop_reason":"END"}]}"#,
    );
    assert!(
        matches!(&reply.choices[0].parts[0].kind, PartKind::Text { citations, .. } if citations.len() == 2)
    );
    let stop = reply.choices[0].stop.clone().unwrap();
    assert_eq!(
        (stop.reason, stop.sequence.as_deref()),
        (StopReason::StopSequence, Some("END"))
    );
}

fn part(kind: PartKind, at: &str) -> Part {
    Part::new(kind, At::new(at))
}

fn written(parts: Vec<Part>, reason: StopReason) -> (serde_json::Value, Vec<String>) {
    let stop = Some(Stop {
        reason,
        word: "theirs".into(),
        sequence: None,
    });
    let choice = Choice {
        parts,
        stop,
        logprobs: None,
    };
    let reply = Reply {
        choices: vec![choice],
        ..Reply::default()
    };
    let encoded = OpenaiChat.encode_reply(&reply, &way(host("openai")));
    (json(&encoded.body), encoded.notes.dropped)
}

#[test]
fn every_member_that_the_official_types_demand() {
    let (body, dropped) = written(vec![], StopReason::Refusal);
    let zeros = json!({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,
        "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}});
    assert_eq!(
        body,
        json!({"id":"chatcmpl-x1","object":"chat.completion","created":1_700_000_000,"model":"asked","usage":zeros,
        "choices":[{"index":0,"logprobs":null,"finish_reason":"content_filter","message":{"role":"assistant","content":null,"refusal":null,"annotations":[]}}]})
    );
    assert!(dropped.is_empty());
}

#[test]
fn several_parts_share_one_message() {
    let citation = |url: Option<&str>| Citation {
        url: url.map(str::to_owned),
        title: None,
        quote: None,
        span: Some((1, 2)),
        protocol: OPENAI,
        raw: RawJson::new("{}"),
    };
    let text = |text: &str, url| PartKind::Text {
        text: text.into(),
        citations: vec![citation(url)],
    };
    let sealed = |protocol: Protocol, data: &str| {
        PartKind::Reasoning(Reasoning {
            text: "r".into(),
            seal: Some(Seal {
                protocol,
                data: data.into(),
            }),
            ..Reasoning::default()
        })
    };
    let call = PartKind::ToolCall(ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: "{\"a\":1}".into(),
        custom: false,
        seal: None,
    });
    let foreign = Protocol::new("elsewhere");
    let opaque = PartKind::Opaque {
        kind: "server_tool_use".into(),
        protocol: foreign,
        raw: RawJson::new("{}"),
    };
    let image = PartKind::Image {
        source: Source::Url("https://i".into()),
        detail: None,
    };
    let all = vec![
        part(sealed(foreign, "S"), "$.s"),
        part(sealed(OPENAI, "gA"), "$.o"),
        part(text("äb", Some("u")), "$.t"),
        part(opaque, "$.x"),
        part(text("cd", None), "$.u"),
        part(text("ef", Some("v")), "$.v"),
        part(image, "$.i"),
        part(call, "$.c"),
    ];
    let (body, dropped) = written(all, StopReason::ToolUse);
    assert_eq!(
        body["choices"][0],
        json!({"index":0,"logprobs":null,"finish_reason":"tool_calls","message":{"role":"assistant","content":"äbcdef","refusal":null,
            "annotations":[{"type":"url_citation","url_citation":{"start_index":1,"end_index":2,"url":"u","title":""}},
                {"type":"url_citation","url_citation":{"start_index":5,"end_index":6,"url":"v","title":""}}],
            "reasoning_content":"rr","reasoning_details":[{"type":"reasoning.encrypted","data":"gA","format":"openai-responses-v1","index":0}],
            "images":[{"type":"image_url","image_url":{"url":"https://i"}}],
            "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}})
    );
    assert_eq!(dropped, ["$.s", "$.x", "$.u.citations"]);
}

#[test]
fn usage_is_whole() {
    let body = json!({"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
        "prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":7,"audio_tokens":3},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":1}}});
    let reply = read(&body.to_string());
    let encoded = OpenaiChat.encode_reply(&reply, &way(host("openai")));
    let usage = json(&encoded.body)["usage"].clone();
    for path in [
        "/prompt_tokens",
        "/completion_tokens",
        "/total_tokens",
        "/prompt_tokens_details/cached_tokens",
        "/prompt_tokens_details/cache_write_tokens",
        "/prompt_tokens_details/audio_tokens",
        "/completion_tokens_details/reasoning_tokens",
        "/completion_tokens_details/audio_tokens",
    ] {
        assert_eq!(usage.pointer(path), body["usage"].pointer(path), "{path}");
    }
    // Reasoning outside of the completion's count is inside it for our clients.
    let xai = read(
        r#"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":2,"total_tokens":354,"completion_tokens_details":{"reasoning_tokens":340}}}"#,
    );
    let encoded = OpenaiChat.encode_reply(&xai, &way(host("openai")));
    assert_eq!(json(&encoded.body)["usage"]["completion_tokens"], 342);
}
