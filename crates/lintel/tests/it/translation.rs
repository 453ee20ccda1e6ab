//! A client of one protocol at a target of another: what the provider gets, what the client gets, what is booked, and
//! how failures read.

use serde_json::{Value, json};

use crate::harness::client::Reply;
use crate::harness::{Act, FACES, Face, Route, Row, Script, Seen, Stage, dialect};

/// The other protocol's provider.
fn other(face: Face) -> Face {
    match face {
        Face::Openai => Face::Anthropic,
        Face::Anthropic => Face::Openai,
    }
}

/// What a provider does with a model's name, in its own dialect.
fn choose(seen: &Seen) -> Script {
    let face = dialect::face_of(seen);
    let events = face.events();
    // Up to its first content, and that.
    let shows = events
        .iter()
        .position(|e| e.contains("hel"))
        .unwrap_or_default();
    let begun = || {
        events[..=shows]
            .iter()
            .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()))
    };
    match seen.model().as_str() {
        "500" => {
            let error = face.provider_error("server_error", "not today");
            Script::json("500 Internal Server Error", error.as_bytes())
        }
        "529" => {
            let error = face.provider_error("overloaded_error", "full house");
            Script::json("529 Overloaded", error.as_bytes())
        }
        "too-long" => {
            let kind = match face {
                Face::Openai => "context_length_exceeded",
                Face::Anthropic => "invalid_request_error",
            };
            let error = face.provider_error(kind, "prompt is too long: 9 tokens > 8 maximum");
            Script::json("400 Bad Request", error.as_bytes())
        }
        "cut" => begun().then(Act::Close),
        "error-event" => {
            let error = face.provider_error("overloaded_error", "full house");
            let event = format!("event: error\ndata: {error}\n\n");
            begun().chunk(event.as_bytes()).end()
        }
        "whole" => Script::json("200 OK", face.answer()),
        "not-json" => Script::json("200 OK", b"<html>"),
        _ => dialect::answer(seen),
    }
}

fn stage() -> Stage {
    Stage::with(choose, |config| {
        let strict = |target: &str| Route::to(target).set("unsupported", "refuse");
        config
            .route("strict", strict("claude/m"))
            .route("strict-then-same", strict("claude/m").tier(&[("up/m", 1)]))
            .route(
                "falls-to-claude",
                Route::to("up/500").tier(&[("claude/m", 1)]),
            )
            .route(
                "falls-to-openai",
                Route::to("claude/500").tier(&[("up/m", 1)]),
            )
    })
}

/// A call of the other protocol's `model`, with its row.
fn cross(stage: &Stage, face: Face, model: &str, stream: bool) -> (Reply, Row) {
    let (reply, session) = stage.call(face, &other(face).direct(model), stream);
    let row = stage.lintel.row(&session);
    (reply, row)
}

/// The text of an answer in `face`'s dialect, whole or streamed.
fn text_of(face: Face, reply: &Reply, stream: bool) -> String {
    let texts = |json: &Value| -> String {
        let found = match (face, stream) {
            (Face::Openai, false) => &json["choices"][0]["message"]["content"],
            (Face::Openai, true) => &json["choices"][0]["delta"]["content"],
            (Face::Anthropic, false) => &json["content"][0]["text"],
            (Face::Anthropic, true) => &json["delta"]["text"],
        };
        found.as_str().unwrap_or_default().to_owned()
    };
    if !stream {
        return texts(&reply.json());
    }
    let body = reply.text();
    let data = body.lines().filter_map(|l| l.strip_prefix("data: "));
    let events = data.filter_map(|d| serde_json::from_str::<Value>(d).ok());
    events.map(|e| texts(&e)).collect()
}

#[test]
fn answers_come_in_the_clients_dialect_and_usage_is_the_providers() {
    let stage = stage();
    for face in FACES {
        for stream in [false, true] {
            let (reply, row) = cross(&stage, face, "m", stream);
            assert_eq!(reply.status, 200, "{face:?} {}", reply.text());
            let said = text_of(face, &reply, stream);
            assert!(
                said.starts_with('h') && said.len() > 3,
                "{face:?} {stream}: {said}"
            );
            let kind = reply.header("content-type").unwrap_or_default();
            assert_eq!(kind.starts_with("text/event-stream"), stream, "{kind}");
            if stream {
                assert!(reply.text().ends_with(face.terminal()), "{}", reply.text());
            }
            let (input, output) = Face::USAGE;
            assert_eq!(
                json!(row.meters()),
                json!({ "input": input, "output": output })
            );
            assert_eq!(
                (row.text("surface"), row.outcome()),
                (face.name(), "success")
            );
            assert_eq!(row.attempts()[0]["spoken"], other(face).name());
        }
    }
    let seen = stage.provider.seen();
    let ours = |s: &Seen| {
        s.head
            .get("x-api-key")
            .or(s.head.get("authorization"))
            .unwrap_or_default()
            .contains("lk_")
    };
    assert!(!seen.iter().any(|s| ours(s)), "the caller's key stays here");
    stage.balance(4);
}

#[test]
fn what_is_lost_is_named_and_a_strict_route_goes_elsewhere() {
    let stage = stage();
    let body = |model: &str| {
        format!(
            r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}],"seed":3,"logit_bias":{{"5":1}}}}"#
        )
    };
    let ask = |model: &str| {
        let session = stage.session();
        let request = Face::Openai
            .head(&stage.key.secret)
            .header("x-lintel-session", &session)
            .body(body(model));
        let reply = stage.connect().call(&request);
        let row = stage.lintel.row(&session);
        (reply, row)
    };
    let (dropped, row) = ask("claude/m");
    assert_eq!(dropped.status, 200, "{}", dropped.text());
    let named = dropped.header("x-lintel-dropped").unwrap();
    assert!(
        named.contains("$.seed") && named.contains("$.logit_bias"),
        "{named}"
    );
    let noted = json!(row.attempts()[0]["dropped"]).to_string();
    assert!(noted.contains("$.seed"), "{noted}");
    let sent = stage.provider.seen().last().unwrap().json();
    assert!(sent["max_tokens"].is_u64(), "{sent}");

    let (refused, row) = ask("strict");
    assert_eq!(refused.status, 400, "{}", refused.text());
    let fault = Face::Openai.error(&refused);
    assert_eq!(fault.code, "unsupported");
    assert!(fault.message.contains("$.seed"), "{}", fault.message);
    assert_eq!(
        row.classes(),
        ["unsupported"; 1],
        "it is tried once: {row:?}"
    );
    assert_eq!(row.cost(), 0);

    let (same, row) = ask("strict-then-same");
    assert_eq!(same.status, 200, "{}", same.text());
    assert_eq!(same.header("x-lintel-dropped"), None);
    assert_eq!(row.attempts().len(), 2);
    let last = stage.provider.seen().last().unwrap().json();
    assert_eq!(
        last["seed"], 3,
        "the second tier speaks the caller's protocol: {last}"
    );
    stage.balance(3);
}

#[test]
fn a_fallback_may_cross_protocols() {
    let stage = stage();
    for (face, route) in [
        (Face::Openai, "falls-to-claude"),
        (Face::Anthropic, "falls-to-openai"),
    ] {
        for stream in [false, true] {
            let (reply, _) = stage.call(face, route, stream);
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert!(text_of(face, &reply, stream).starts_with('h'));
            let degraded = reply.header("x-lintel-degraded").unwrap();
            assert!(
                degraded.starts_with("tier=2; cause=server_error"),
                "{degraded}"
            );
        }
    }
    stage.balance(4);
}

#[test]
fn errors_of_another_protocol_read_as_the_clients_own() {
    let stage = stage();
    for face in FACES {
        let (full, row) = cross(&stage, face, "529", false);
        let wanted = if face == Face::Anthropic { 529 } else { 503 };
        assert_eq!(full.status, wanted, "{face:?}");
        assert_eq!(row.status(), u64::from(wanted));
        let fault = face.error(&full);
        assert_eq!(
            (fault.kind.as_str(), fault.message.as_str()),
            ("overloaded_error", "full house")
        );
        let (long, row) = cross(&stage, face, "too-long", false);
        assert_eq!((long.status, row.outcome()), (400, "client_error"));
        let fault = face.error(&long);
        assert_eq!(fault.kind, "invalid_request_error");
        assert_eq!(fault.code, "context_length_exceeded", "{}", long.text());
        let (odd, row) = cross(&stage, face, "not-json", false);
        assert_eq!(odd.status, 502, "{}", odd.text());
        assert_eq!(face.error(&odd).code, "upstream_malformed");
        assert!(row.classes().contains(&"malformed"), "{row:?}");
    }
    stage.balance(6);
}

#[test]
fn a_stream_that_breaks_off_never_looks_clean() {
    let stage = stage();
    for face in FACES {
        for model in ["cut", "error-event"] {
            let (reply, row) = cross(&stage, face, model, true);
            assert_eq!(reply.status, 200);
            let text = reply.text();
            assert!(!text.contains(face.terminal()), "{face:?} {model}: {text}");
            let data = text
                .lines()
                .filter_map(|l| l.strip_prefix("data: "))
                .next_back();
            let last: Value = serde_json::from_str(data.unwrap()).unwrap();
            let _ = face.fault(&last);
            assert_eq!(row.outcome(), "provider_error", "{face:?} {model}");
        }
    }
    stage.balance(4);
}

#[test]
fn a_stream_is_a_stream_also_when_the_target_answers_whole() {
    let stage = stage();
    for face in FACES {
        let (reply, row) = cross(&stage, face, "whole", true);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply
                .header("content-type")
                .unwrap()
                .starts_with("text/event-stream")
        );
        assert!(text_of(face, &reply, true).starts_with('h'));
        assert!(reply.text().ends_with(face.terminal()));
        assert_eq!(row.outcome(), "success");
    }
    stage.balance(2);
}
