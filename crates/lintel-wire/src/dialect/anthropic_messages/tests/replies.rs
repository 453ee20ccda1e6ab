//! Whole answers, mapping by mapping.

use lintel_types::canon::{Citation, RawJson, Reasoning, Seal, Source, Stop, StopReason};
use lintel_types::{Meter, Usage};
use serde_json::json;

use super::*;

fn read(body: &Value, way: &Way) -> Reply {
    AnthropicMessages
        .decode_reply(body.to_string().as_bytes(), way)
        .unwrap()
}

fn write(reply: &Reply) -> (Value, Encoded) {
    let encoded = AnthropicMessages.encode_reply(reply, &way());
    (serde_json::from_slice(&encoded.body).unwrap(), encoded)
}

fn stop(reason: StopReason, word: &str) -> Option<Stop> {
    Some(Stop {
        reason,
        word: word.into(),
        sequence: None,
    })
}

fn parts(kinds: Vec<PartKind>) -> Vec<Part> {
    message(Role::Assistant, kinds).parts
}

#[test]
fn a_message_has_every_member_that_sdks_demand() {
    let (body, encoded) = write(&Reply::default());
    assert_eq!(
        body,
        json!({
            "id": "msg_ex_1", "type": "message", "role": "assistant", "model": "route", "content": [],
            "stop_reason": "end_turn", "stop_sequence": null, "stop_details": null,
            "usage": {
                "input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
                "output_tokens": 0, "server_tool_use": null, "service_tier": null,
            },
        })
    );
    assert_eq!(encoded.notes, Default::default());
}

#[test]
fn usage_leaves_out_what_was_cached() {
    let mut usage = Usage::new();
    usage
        .add(Meter::Input, 10)
        .add(Meter::InputImage, 5)
        .add(Meter::CacheRead, 20)
        .add(Meter::CacheWrite5m, 3)
        .add(Meter::CacheWrite1h, 4)
        .add(Meter::Output, 6)
        .add(Meter::Reasoning, 7)
        .add(Meter::WebSearch, 1);
    let reply = Reply {
        usage: Some(usage),
        ..Reply::default()
    };
    let (body, _) = write(&reply);
    let usage = &body["usage"];
    assert_eq!(
        (
            usage["input_tokens"].clone(),
            usage["cache_read_input_tokens"].clone(),
            usage["cache_creation_input_tokens"].clone()
        ),
        (json!(15), json!(20), json!(7))
    );
    assert_eq!(
        (
            usage["output_tokens"].clone(),
            usage["output_tokens_details"]["thinking_tokens"].clone()
        ),
        (json!(13), json!(7))
    );
    assert_eq!(usage["server_tool_use"]["web_search_requests"], 1);
}

#[test]
fn foreign_answers_are_shown_in_this_dialects_form() {
    let foreign = OPENAI;
    let seal = Some(Seal {
        protocol: foreign,
        data: "s".into(),
    });
    let cited = PartKind::Text {
        text: "hello".into(),
        citations: vec![Citation {
            url: Some("https://a".into()),
            title: None,
            quote: None,
            span: None,
            protocol: foreign,
            raw: RawJson::new("{}"),
        }],
    };
    let reasoning = PartKind::Reasoning(Reasoning {
        text: "why".into(),
        seal,
        ..Reasoning::default()
    });
    let image = PartKind::Image {
        source: Source::Url("https://a".into()),
        detail: None,
    };
    let opaque = PartKind::Opaque {
        kind: "x".into(),
        protocol: foreign,
        raw: RawJson::new("{}"),
    };
    let mut custom = call("call.1", "free text");
    if let PartKind::ToolCall(call) = &mut custom {
        call.custom = true;
    }
    let mut reply = reply(Choice {
        parts: parts(vec![
            reasoning,
            cited,
            image,
            opaque,
            call("call_2", ""),
            custom,
        ]),
        stop: stop(StopReason::EndTurn, "STOP"),
        logprobs: Some(RawJson::new("{}")),
    });
    reply.choices.push(Choice::default());
    reply.id = Some("chatcmpl-1".into());
    let (body, encoded) = write(&reply);
    assert_eq!(
        body["content"],
        json!([
            { "type": "thinking", "thinking": "why", "signature": "" },
            { "type": "text", "text": "hello" },
            { "type": "tool_use", "id": "call_2", "name": "f", "input": {} },
            { "type": "tool_use", "id": "call.1", "name": "f", "input": { "input": "free text" } },
        ])
    );
    assert_eq!(
        (&body["id"], &body["stop_reason"]),
        (&json!("chatcmpl-1"), &json!("tool_use"))
    );
    assert_eq!(
        encoded.notes.dropped,
        [
            "$.choices[1]",
            "$.choices[0].logprobs",
            "$.p[0]",
            "$.p[1].citations",
            "$.p[2]",
            "$.p[3]"
        ]
    );
    assert_eq!(encoded.notes.emulated, ["$.p[5]"]);
}

#[test]
fn a_refusal_is_text_and_a_word() {
    let reply = reply(Choice {
        parts: parts(vec![PartKind::Refusal("I can't".into())]),
        stop: stop(StopReason::EndTurn, "stop"),
        logprobs: None,
    });
    let (body, _) = write(&reply);
    assert_eq!(
        body["content"],
        json!([{ "type": "text", "text": "I can't" }])
    );
    assert_eq!(body["stop_reason"], "refusal");
    let filtered = super::reply(Choice {
        stop: stop(StopReason::ContentFilter, "content_filter"),
        ..Choice::default()
    });
    assert_eq!(write(&filtered).0["stop_reason"], "refusal");
}

#[test]
fn the_json_tool_is_unwrapped() {
    let way = Way {
        json_tool: true,
        ..way()
    };
    let answer =
        json!({ "type": "tool_use", "id": "t", "name": "lintel_json_answer", "input": { "a": 1 } });
    let other = json!({ "type": "tool_use", "id": "u", "name": "f", "input": {} });
    let body = json!({ "content": [answer], "stop_reason": "tool_use" });
    let got = read(&body, &way);
    assert_eq!(got.choices[0].parts[0].kind, PartKind::text(r#"{"a":1}"#));
    assert_eq!(got.choices[0].stop, stop(StopReason::EndTurn, "end_turn"));
    let both = read(
        &json!({ "content": [answer, other], "stop_reason": "tool_use" }),
        &way,
    );
    assert_eq!(both.choices[0].stop, stop(StopReason::ToolUse, "tool_use"));
    assert!(matches!(
        read(&body, &super::way()).choices[0].parts[0].kind,
        PartKind::ToolCall(_)
    ));
}

#[test]
fn what_is_no_message_is_a_bad_reply() {
    for body in [
        "",
        "[]",
        r#"{"type":"error","error":{"message":"x"}}"#,
        r#"{"content":"text"}"#,
    ] {
        assert!(
            AnthropicMessages
                .decode_reply(body.as_bytes(), &way())
                .is_err(),
            "{body}"
        );
    }
    // Everything else is read, with whatever is missing.
    let odd = read(
        &json!({ "id": "", "content": [{ "type": "novel" }, 7], "stop_reason": "", "usage": null }),
        &way(),
    );
    assert_eq!(
        (
            odd.id,
            odd.choices[0].parts.len(),
            odd.choices[0].stop.clone(),
            odd.usage
        ),
        (None, 2, None, None)
    );
}
