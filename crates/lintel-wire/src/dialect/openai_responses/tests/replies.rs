//! Whole answers: what is read, and the object that strict clients get.

use lintel_types::canon::{
    Choice, Citation, RawJson, Reasoning, Reply, Seal, Source, Stop, StopReason, ToolCall,
};
use lintel_types::{Meter, Protocol, Usage};
use serde_json::{Value, json};

use super::*;

const ALIEN: Protocol = Protocol::new("alien");

fn answer(reply: &Reply, request: &str) -> (Value, Vec<String>) {
    let encoded = DIALECT.encode_reply(reply, &way(decoded(request).unwrap()));
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.notes.dropped,
    )
}

fn reply(kinds: Vec<PartKind>, reason: StopReason) -> Reply {
    let at = At::new("$.x");
    let parts = kinds.into_iter().enumerate();
    Reply {
        choices: vec![Choice {
            parts: parts.map(|(i, k)| Part::new(k, at.index(i))).collect(),
            stop: Some(Stop {
                reason,
                word: "w".into(),
                sequence: None,
            }),
            logprobs: None,
        }],
        ..Reply::default()
    }
}

const PLAIN: &str = r#"{"model":"m","input":"hi"}"#;

#[test]
fn an_answer_has_every_member_that_strict_schemas_demand() {
    let mut usage = Usage::new();
    usage.add(Meter::Input, 5).add(Meter::CacheRead, 3);
    usage.add(Meter::Output, 2).add(Meter::Reasoning, 4);
    let mut given = reply(vec![PartKind::text("hello")], StopReason::EndTurn);
    given.usage = Some(usage);
    let (body, dropped) = answer(&given, PLAIN);
    assert!(dropped.is_empty());
    let wanted: Value = serde_json::from_str(
        r#"{
        "id":"resp_0192ab","object":"response","created_at":1700000000,"completed_at":1700000000,"status":"completed",
        "background":false,"error":null,"incomplete_details":null,"model":"alias","instructions":null,"max_output_tokens":null,
        "max_tool_calls":null,"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,
        "reasoning":{"effort":null,"summary":null},"safety_identifier":null,"user":null,"service_tier":"default","store":false,
        "temperature":1,"top_p":1,"presence_penalty":0,"frequency_penalty":0,"top_logprobs":0,"text":{"format":{"type":"text"}},
        "tool_choice":"auto","tools":[],"truncation":"disabled","metadata":{},
        "output":[{"type":"message","id":"msg_0192ab_0","status":"completed","role":"assistant",
            "content":[{"type":"output_text","text":"hello","annotations":[],"logprobs":[]}]}],
        "usage":{"input_tokens":8,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":0},"output_tokens":6,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":14}
    }"#,
    )
    .unwrap();
    assert_eq!(body, wanted);
}

#[test]
fn an_answer_repeats_its_request() {
    let request = json!({"model":"m","input":"x","instructions":"be kind","max_output_tokens":9,"temperature":0.5,"top_p":0.5,
        "metadata":{"a":"b"},"user":"u","prompt_cache_key":"k","max_tool_calls":3,"truncation":"auto","store":true,
        "reasoning":{"effort":"low","summary":"auto"},"text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{}}},
        "tools":[{"type":"function","name":"f","parameters":{}},{"type":"web_search"}],"tool_choice":{"type":"function","name":"f"},
        "parallel_tool_calls":false,"top_logprobs":2});
    let (body, _) = answer(&reply(vec![], StopReason::EndTurn), &request.to_string());
    for key in [
        "instructions",
        "max_output_tokens",
        "temperature",
        "top_p",
        "metadata",
        "user",
        "prompt_cache_key",
        "max_tool_calls",
        "truncation",
        "reasoning",
        "tool_choice",
        "parallel_tool_calls",
        "top_logprobs",
    ] {
        assert_eq!(body[key], request[key], "{key}");
    }
    assert_eq!(body["store"], false, "nothing translated is stored");
    assert_eq!(
        body["text"],
        json!({"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{},"description":null,"strict":false}})
    );
    assert_eq!(
        body["tools"],
        json!([{"type":"function","name":"f","description":null,"parameters":{},"strict":null},{"type":"web_search"}])
    );
}

#[test]
fn parts_become_items_and_what_has_no_form_is_named() {
    let sealed = |protocol| {
        Some(Seal {
            protocol,
            data: "s".into(),
        })
    };
    let thought = |text: &str, id: Option<&str>, seal| {
        PartKind::Reasoning(Reasoning {
            text: text.into(),
            summary: true,
            id: id.map(str::to_owned),
            seal,
        })
    };
    let call = |custom| {
        PartKind::ToolCall(ToolCall {
            id: "c".into(),
            name: "f".into(),
            arguments: "{}".into(),
            custom,
            seal: None,
        })
    };
    let cited = |url: Option<&str>| PartKind::Text {
        text: "t".into(),
        citations: vec![Citation {
            url: url.map(str::to_owned),
            title: None,
            quote: None,
            span: Some((0, 1)),
            protocol: ALIEN,
            raw: RawJson::new("{}"),
        }],
    };
    let given = reply(
        vec![
            thought("a", Some("rs_1"), None),
            thought("b", Some("rs_1"), sealed(OPENAI)),
            thought("c", None, sealed(ALIEN)),
            thought("", None, sealed(ALIEN)),
            cited(Some("https://x")),
            cited(None),
            PartKind::Refusal("no".into()),
            call(false),
            call(true),
            PartKind::Image {
                source: Source::Inline {
                    media_type: "image/png".into(),
                    data: "AA".into(),
                },
                detail: None,
            },
            PartKind::Opaque {
                kind: "web_search_call".into(),
                protocol: OPENAI,
                raw: RawJson::new(r#"{"type":"web_search_call","id":"ws"}"#),
            },
            PartKind::Opaque {
                kind: "server_tool_use".into(),
                protocol: ALIEN,
                raw: RawJson::new("{}"),
            },
        ],
        StopReason::ToolUse,
    );
    let (body, dropped) = answer(&given, PLAIN);
    assert_eq!(dropped, ["$.x[2]", "$.x[3]", "$.x[5]", "$.x[11]"]);
    assert_eq!(
        body["output"],
        json!([
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"s"},
            {"type":"reasoning","id":"rs_0192ab_1","summary":[{"type":"summary_text","text":"c"}]},
            {"type":"message","id":"msg_0192ab_2","status":"completed","role":"assistant","content":[
                {"type":"output_text","text":"t","logprobs":[],"annotations":[{"type":"url_citation","url":"https://x","title":"https://x","start_index":0,"end_index":1}]},
                {"type":"output_text","text":"t","logprobs":[],"annotations":[]},
                {"type":"refusal","refusal":"no"}]},
            {"type":"function_call","id":"fc_0192ab_3","call_id":"c","name":"f","arguments":"{}","status":"completed"},
            {"type":"custom_tool_call","id":"ctc_0192ab_4","call_id":"c","name":"f","input":"{}","status":"completed"},
            {"type":"image_generation_call","id":"ig_0192ab_5","status":"completed","result":"AA"},
            {"type":"web_search_call","id":"ws"}
        ])
    );
}

#[test]
fn stops_become_a_status() {
    let check = |kinds: Vec<PartKind>, reason, status: &str, why: Value| {
        let (body, _) = answer(&reply(kinds, reason), PLAIN);
        assert_eq!(body["status"], status, "{reason:?}");
        assert_eq!(body["incomplete_details"], why, "{reason:?}");
        assert_eq!(body["completed_at"].is_null(), status != "completed");
    };
    let text = || vec![PartKind::text("x")];
    let cut = |why: &str| json!({"reason":why});
    use StopReason::*;
    for reason in [EndTurn, ToolUse, StopSequence, Pause, Other] {
        check(text(), reason, "completed", Value::Null);
    }
    check(text(), MaxTokens, "incomplete", cut("max_output_tokens"));
    check(text(), ContentFilter, "incomplete", cut("content_filter"));
    check(text(), Refusal, "incomplete", cut("content_filter"));
    let refused = vec![PartKind::Refusal("no".into())];
    check(refused, Refusal, "completed", Value::Null);
    let (body, _) = answer(&reply(text(), MaxTokens), PLAIN);
    assert_eq!(body["output"][0]["status"], "incomplete");
}

#[test]
fn statuses_become_a_stop() {
    let of = |members: &str| {
        let body = format!(r#"{{"id":"resp_1","model":"x","created_at":7.5,{members}}}"#);
        DIALECT.decode_reply(body.as_bytes(), &way(Request::default()))
    };
    let stop = |members: &str| {
        let reply = of(members).unwrap();
        reply.choices[0].stop.clone().unwrap().reason
    };
    assert_eq!(
        stop(r#""status":"completed","output":[]"#),
        StopReason::EndTurn
    );
    assert_eq!(
        stop(
            r#""status":"completed","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#
        ),
        StopReason::ToolUse
    );
    assert_eq!(
        stop(
            r#""status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]"#
        ),
        StopReason::Refusal
    );
    for (why, reason) in [
        ("max_output_tokens", StopReason::MaxTokens),
        ("content_filter", StopReason::ContentFilter),
        ("novel", StopReason::Other),
    ] {
        let members = format!(
            r#""status":"incomplete","incomplete_details":{{"reason":"{why}"}},"output":[]"#
        );
        assert_eq!(stop(&members), reason);
    }
    assert_eq!(of(r#""output":[]"#).unwrap().created, Some(7));
    for bad in [
        r#""status":"failed","error":{"code":"server_error","message":"m"},"output":[]"#,
        r#""status":"queued","output":[]"#,
        r#""status":"completed""#,
    ] {
        assert!(of(bad).is_err(), "{bad}");
    }
    assert!(
        DIALECT
            .decode_reply(b"<html>", &way(Request::default()))
            .is_err()
    );
}

#[test]
fn log_probabilities_keep_their_tokens() {
    let body = r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"a","logprobs":[{"token":"a","logprob":-1}]}]}]}"#;
    let reply = DIALECT
        .decode_reply(body.as_bytes(), &way(Request::default()))
        .unwrap();
    assert_eq!(
        reply.choices[0].logprobs.as_ref().unwrap().as_str(),
        r#"{"content":[{"token":"a","logprob":-1}]}"#
    );
    let (body, _) = answer(&reply, PLAIN);
    assert_eq!(
        body["output"][0]["content"][0]["logprobs"],
        json!([{"token":"a","logprob":-1}])
    );
}
