//! The surfaces beside the conversations: embeddings, the older completions, counting tokens. Bytes, usage,
//! errors, and the count that Lintel makes by itself.

use serde_json::{Value, json};

use crate::harness::client::Reply;
use crate::harness::{Face, Request, Row, Script, Seen, Stage};

const EMBEDDINGS: &str = "/v1/embeddings";
const COMPLETIONS: &str = "/v1/completions";
const COUNT: &str = "/v1/messages/count_tokens";

/// Answers as hosts write them: spaces, odd numbers, members that nobody announced.
const VECTORS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[6.240930669504435e-7,-0.10]}], "model":"m","x_new":[1.50],"usage":{"prompt_tokens":12,"total_tokens":12}}"#;
const ONLY_TOTAL: &str = r#"{"data":[{"embedding":"AY+P","index":0}],"usage":{"total_tokens":3}}"#;
const TEXT: &str = r#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"text":"h\u00ebllo","index":0,"logprobs":null,"finish_reason":"length"}], "usage":{"prompt_tokens":14,"completion_tokens":16,"total_tokens":30}}"#;
const TEXT_EVENTS: &[&str] = &[
    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"text\":\"hel\",\"index\":0,\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"text\":\"lo\",\"index\":0,\"finish_reason\":\"length\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"usage\":{\"prompt_tokens\":14,\"completion_tokens\":16,\"total_tokens\":30},\"choices\":[]}\n\n",
    "data: [DONE]\n\n",
];
const COUNTED: &str = r#"{"input_tokens": 19}"#;

fn path_of(seen: &Seen) -> &str {
    seen.head.start.split(' ').nth(1).unwrap_or_default()
}

fn good(seen: &Seen) -> Script {
    let model = seen.model();
    match path_of(seen) {
        EMBEDDINGS if model == "total" => Script::json("200 OK", ONLY_TOTAL.as_bytes()),
        EMBEDDINGS => Script::json("200 OK", VECTORS.as_bytes()),
        COMPLETIONS if seen.stream() => Script::stream(TEXT_EVENTS),
        COMPLETIONS => Script::json("200 OK", TEXT.as_bytes()),
        path if path.starts_with(COUNT) => Script::json("200 OK", COUNTED.as_bytes()),
        other => panic!("the provider was asked for {other}"),
    }
}

/// Calls `path` with `body` and gives the answer with its row.
fn call(stage: &Stage, path: &str, body: &str) -> (Reply, Row) {
    let session = stage.session();
    let request = Request::new("POST", path)
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {}", stage.key.secret))
        .header("x-lintel-session", &session)
        .body(body);
    let reply = stage.connect().call(&request);
    let row = stage.lintel.row(&session);
    (reply, row)
}

fn meters(row: &Row) -> Value {
    json!(row.meters())
}

/// What the provider got last: where, and which bytes.
fn sent(stage: &Stage) -> (String, String) {
    let seen = stage.provider.seen();
    let last = seen.last().unwrap();
    (
        path_of(last).to_owned(),
        String::from_utf8_lossy(&last.body).into_owned(),
    )
}

#[test]
fn bytes_pass_both_ways_and_usage_is_booked() {
    let stage = Stage::new(good);
    let text = json!({ "input": 14, "output": 16 });
    let cases = [
        (
            EMBEDDINGS,
            "openai.embeddings",
            r#"{ "input" : ["h\u00eb"], "encoding_format":"float", "model" : "MODEL", "dimensions":2, "x_new":1.50}"#,
            "up/m",
            VECTORS,
            json!({ "input": 12 }),
            18_000,
        ),
        (
            EMBEDDINGS,
            "openai.embeddings",
            r#"{"input":[[1,2],[3]],"model":"MODEL"}"#,
            "up/total",
            ONLY_TOTAL,
            json!({ "input": 3 }),
            4_500,
        ),
        (
            COMPLETIONS,
            "openai.completions",
            r#"{"model":"MODEL","prompt":["a", [1,2]],"n":2, "best_of":3,"echo":true}"#,
            "up/m",
            TEXT,
            text,
            57_000,
        ),
        (
            "/v1/messages/count_tokens?beta=true&key=secret",
            "anthropic.count_tokens",
            r#"{"model":"MODEL", "messages":[{"role":"user","content":"hi"}],"x_new":1.50}"#,
            "claude/m",
            COUNTED,
            json!({}),
            0,
        ),
    ];
    for (path, surface, body, model, answer, used, cost) in &cases {
        let (reply, row) = call(&stage, path, &body.replace("MODEL", model));
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (200, *answer),
            "{path}"
        );
        let bare = model.split('/').nth(1).unwrap();
        let reached = path.replace("&key=secret", "");
        assert_eq!(sent(&stage), (reached, body.replace("MODEL", bare)));
        assert_eq!((row.text("surface"), row.outcome()), (*surface, "success"));
        let attempt = &row.attempts()[0];
        assert!(
            attempt["estimated"] != true && attempt["inconsistent"] != true,
            "{attempt}"
        );
        assert_eq!((&meters(&row), row.cost()), (used, *cost), "{}", row.0);
        assert_eq!(reply.header("x-lintel-emulated"), None);
    }
    stage.balance(cases.len());
}

#[test]
fn a_stream_of_texts_is_metered_and_keeps_only_what_was_asked_for() {
    let stage = Stage::new(good);
    let whole = TEXT_EVENTS.concat();
    let without = whole.replace(TEXT_EVENTS[2], "");
    let asked = r#","stream_options":{"include_usage":true}"#;
    for (extra, expected) in [("", &without), (asked, &whole)] {
        let body = format!(r#"{{"model":"up/m","prompt":"a","stream":true{extra}}}"#);
        let (reply, row) = call(&stage, COMPLETIONS, &body);
        assert_eq!((reply.status, &reply.text()), (200, expected));
        let wanted = format!(r#"{{"model":"m","prompt":"a","stream":true{asked}}}"#);
        assert_eq!(sent(&stage).1, wanted);
        assert_eq!(meters(&row), json!({ "input": 14, "output": 16 }));
        assert_eq!(row.text("finish_reason"), "length");
    }
    stage.balance(2);
}

#[test]
fn errors_come_in_the_callers_dialect() {
    const REFUSED: &str = r#"{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
    let stage = Stage::new(|_| Script::json("404 Not Found", REFUSED.as_bytes()));
    let conversation = r#"{"model":"claude/m","messages":[]}"#;
    let mut rows = 0;
    for (path, face, body, status, code) in [
        (
            EMBEDDINGS,
            Face::Openai,
            r#"{"model":"up/m","input":"a"}"#,
            404,
            "model_not_found",
        ),
        (
            COMPLETIONS,
            Face::Openai,
            r#"{"model":"up/m","prompt":"a"}"#,
            404,
            "model_not_found",
        ),
        (COUNT, Face::Anthropic, conversation, 404, "model_not_found"),
        (
            EMBEDDINGS,
            Face::Openai,
            r#"{"model":"up/m"}"#,
            400,
            "invalid_field",
        ),
        (
            COMPLETIONS,
            Face::Openai,
            r#"{"model":"up/m","prompt":7}"#,
            400,
            "invalid_field",
        ),
        (
            COUNT,
            Face::Anthropic,
            r#"{"model":"up/m"}"#,
            400,
            "invalid_field",
        ),
        // A target of another protocol has no such operation, and no other word for it.
        (
            EMBEDDINGS,
            Face::Openai,
            r#"{"model":"claude/m","input":"a"}"#,
            400,
            "unsupported",
        ),
        (
            COMPLETIONS,
            Face::Openai,
            r#"{"model":"claude/m","prompt":"a"}"#,
            400,
            "unsupported",
        ),
    ] {
        let (reply, row) = call(&stage, path, body);
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text());
        assert_eq!(face.fault(&reply.json()).code, code, "{path} {body}");
        assert_eq!((row.cost(), meters(&row)), (0, json!({})));
        rows += 1;
    }
    stage.balance(rows);
}

#[test]
fn an_answer_without_vectors_is_none() {
    let stage = Stage::new(|_| Script::json("200 OK", br#"{"detail":"log in"}"#));
    let (reply, row) = call(&stage, EMBEDDINGS, r#"{"model":"up/m","input":"a"}"#);
    assert_eq!((reply.status, row.outcome()), (200, "provider_error"));
    assert_eq!(row.classes(), ["malformed"]);
    stage.balance(1);
}

#[test]
fn a_count_costs_nothing_even_when_it_is_cut() {
    let stage = Stage::new(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{\"input";
        Script::default().raw(head).then(crate::harness::Act::Close)
    });
    let (reply, row) = call(&stage, COUNT, r#"{"model":"claude/m","messages":[]}"#);
    assert!(reply.status >= 500, "{}", reply.text());
    assert!(!row.attempts().is_empty());
    for attempt in row.attempts() {
        assert!(attempt["estimated"] != true, "{attempt}");
    }
    assert_eq!((row.cost(), meters(&row)), (0, json!({})));
    stage.balance(1);
}

#[test]
fn where_no_target_counts_lintel_estimates() {
    let stage = Stage::new(|seen| panic!("no call was due: {}", seen.head.start));
    let check = |content: Value, tools: Option<Value>, tokens: u64| {
        let mut body =
            json!({ "model": "up/m", "messages": [{ "role": "user", "content": content }] });
        if let Some(tools) = tools {
            body["tools"] = tools;
        }
        let (reply, row) = call(&stage, COUNT, &body.to_string());
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(
            reply.text(),
            format!(r#"{{"input_tokens":{tokens}}}"#),
            "{body}"
        );
        assert_eq!(reply.header("x-lintel-emulated"), Some("input_tokens"));
        assert_eq!(reply.header("x-lintel-cost"), Some("0"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(
            (row.outcome(), row.status(), row.cost()),
            ("success", 200, 0)
        );
        assert_eq!(row.text("surface"), "anthropic.count_tokens");
        assert!(row.attempts().is_empty());
    };
    // 38 letters and two quotes, four to a token.
    check(json!("a".repeat(38)), None, 10);
    let image = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } });
    check(
        json!([{ "type": "text", "text": "aa" }, image]),
        None,
        1_601,
    );
    check(
        json!("aa"),
        Some(json!([{ "name": "f", "input_schema": {} }])),
        9,
    );
    assert!(stage.provider.seen().is_empty());
    stage.balance(3);
}

#[test]
fn the_sandbox_speaks_them_all() {
    let stage = Stage::with(good, |config| {
        config
            .provider("sandbox", "{ protocol: sandbox }")
            .provider("mute", "{ protocol: sandbox, sandbox: { speaks: openai } }")
    });
    let body = r#"{"model":"sandbox/sandbox","input":["hello there","x"],"dimensions":4}"#;
    let (reply, row) = call(&stage, EMBEDDINGS, body);
    assert_eq!(
        reply.json()["data"][1]["embedding"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(reply.json()["usage"]["total_tokens"], 4);
    assert_eq!(meters(&row), json!({ "input": 4 }));

    let body = r#"{"model":"sandbox/sandbox","prompt":"go on","max_tokens":50}"#;
    let (reply, row) = call(&stage, COMPLETIONS, body);
    assert_eq!(
        reply.json()["choices"][0]["text"],
        "The sandbox heard: go on"
    );
    assert_eq!(meters(&row), json!({ "input": 2, "output": 6 }));
    let body = r#"{"model":"sandbox/sandbox","prompt":"go on","max_tokens":50,"stream":true}"#;
    let (reply, row) = call(&stage, COMPLETIONS, body);
    assert!(reply.text().ends_with("data: [DONE]\n\n") && !reply.text().contains("usage\":{"));
    assert_eq!(meters(&row), json!({ "input": 2, "output": 6 }));

    let ask = |model: &str| {
        format!(
            r#"{{"model":"{model}","max_tokens":9,"system":"be kind","messages":[{{"role":"user","content":"hello"}}]}}"#
        )
    };
    let (counted, row) = call(&stage, COUNT, &ask("sandbox/sandbox"));
    assert_eq!((meters(&row), row.attempts().len()), (json!({}), 1));
    let (told, _) = call(&stage, "/v1/messages", &ask("sandbox/sandbox"));
    assert_eq!(
        counted.json()["input_tokens"],
        told.json()["usage"]["input_tokens"]
    );
    let (estimated, _) = call(&stage, COUNT, &ask("mute/sandbox"));
    assert_eq!(estimated.header("x-lintel-emulated"), Some("input_tokens"));
    stage.balance(6);
}
