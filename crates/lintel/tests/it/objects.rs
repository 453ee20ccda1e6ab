//! Objects that a provider keeps: reachable for the tenant that made them, for nobody else, also after a crash.

use crate::harness::client::{Reply, Request};
use crate::harness::{Config, Lintel, Provider, Route, Script, Seen, Stage, eventually};

const MADE: &str = "resp_of_acme";

/// A Responses host that keeps what it answers.
fn keeps(_: &Seen) -> Script {
    let answer = format!(
        r#"{{"id":"{MADE}","object":"response","status":"completed","store":true,"model":"m","output":[{{"type":"message","id":"msg_1","role":"assistant","content":[{{"type":"output_text","text":"hi"}}]}}],"usage":{{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}}"#
    );
    Script::json("200 OK", answer.as_bytes())
}

fn ask(lintel: &Lintel, key: &str, path: &str, body: &str) -> Reply {
    let request = Request::new("POST", path)
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {key}"))
        .body(body);
    lintel.connect().call(&request)
}

fn first(lintel: &Lintel, key: &str) -> Reply {
    let body = r#"{"model":"up/m","input":"hello"}"#;
    ask(lintel, key, "/v1/responses", body)
}

fn next(lintel: &Lintel, key: &str, id: &str) -> Reply {
    let body = format!(r#"{{"model":"up/m","input":"and?","previous_response_id":"{id}"}}"#);
    ask(lintel, key, "/v1/responses", &body)
}

fn refused(reply: &Reply, path: &str) {
    assert_eq!(reply.status, 404, "{}", reply.text());
    let error = reply.json()["error"].clone();
    assert_eq!(error["code"], "object_not_found");
    assert!(error["message"].as_str().unwrap().contains(path), "{error}");
}

#[test]
fn an_id_works_for_its_own_tenant_and_does_not_exist_for_another() {
    let stage = Stage::new(keeps);
    let evil = stage.lintel.key_of("evil", &["--direct"]);
    let mine = &stage.key.secret;
    refused(&next(&stage.lintel, mine, MADE), "$.previous_response_id");
    assert_eq!(first(&stage.lintel, mine).status, 200);
    assert_eq!(next(&stage.lintel, mine, MADE).status, 200);
    // Another tenant's id and one that nobody has read alike.
    let theirs = next(&stage.lintel, &evil.secret, MADE);
    let nobodys = next(&stage.lintel, &evil.secret, "resp_of_nobody");
    refused(&theirs, "$.previous_response_id");
    assert_eq!(theirs.json(), nobodys.json());
    // Keys written with escapes are the same keys.
    let escaped = format!(r#"{{"model":"up/m","input":"x","previous\u005fresponse_id":"{MADE}"}}"#);
    refused(
        &ask(&stage.lintel, &evil.secret, "/v1/responses", &escaped),
        "$.previous_response_id",
    );
    let seen = stage.provider.for_model("m").len();
    assert_eq!(seen, 2, "what is refused is not sent");
    stage.balance(6);
}

fn about(lintel: &Lintel, key: &str, method: &str, path: &str) -> Reply {
    let request = Request::new(method, path).header("authorization", &format!("Bearer {key}"));
    lintel.connect().call(&request)
}

#[test]
fn a_stored_response_is_read_cancelled_and_deleted_by_its_owner_alone_and_for_free() {
    let stage = Stage::new(keeps);
    let evil = stage.lintel.key_of("evil", &["--direct"]);
    let mine = &stage.key.secret;
    assert_eq!(first(&stage.lintel, mine).status, 200);
    let it = format!("/v1/responses/{MADE}");
    let asked = [
        ("GET", it.clone()),
        ("GET", format!("{it}/input_items?limit=2&key=x")),
        ("POST", format!("{it}/cancel")),
        ("DELETE", it.clone()),
    ];
    for (method, path) in &asked {
        let theirs = about(&stage.lintel, &evil.secret, method, path);
        refused(&theirs, "/v1/responses/{id}");
        let reply = about(&stage.lintel, mine, method, path);
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
        assert_eq!(reply.json()["id"], MADE);
    }
    let seen = stage.provider.seen();
    let seen: Vec<&str> = seen.iter().map(|s| s.head.start.as_str()).collect();
    let line = |(method, path): &(&str, String)| {
        format!("{method} {} HTTP/1.1", path.replace("&key=x", ""))
    };
    let wanted: Vec<String> = std::iter::once(&("POST", "/v1/responses".to_owned()))
        .chain(&asked)
        .map(line)
        .collect();
    assert_eq!(
        seen, wanted,
        "each once, to its own place, and a query only of its own"
    );
    let there = about(&stage.lintel, mine, "GET", "/v1/responses/..%2Ffiles");
    assert_eq!(there.status, 404);
    assert_eq!(about(&stage.lintel, mine, "PUT", &it).status, 405);
    let rows = stage.balance_with(9, 2);
    let booked = rows.iter().filter(|r| !r.meters().is_empty()).count();
    assert_eq!(booked, 1, "only the call of the model is booked");
}

#[test]
fn what_needs_stored_state_is_left_for_the_target_that_has_it() {
    let stage = Stage::with(keeps, |config| {
        config.route("mixed", Route::to("claude/m").tier(&[("up/m", 1)]))
    });
    let mine = &stage.key.secret;
    assert_eq!(first(&stage.lintel, mine).status, 200);
    let body = format!(r#"{{"model":"mixed","input":"and?","previous_response_id":"{MADE}"}}"#);
    let reply = ask(&stage.lintel, mine, "/v1/responses", &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-lintel-attempts"), Some("2"));
    // Without such a target the reason is told.
    let body = body.replace("mixed", "claude/m");
    let reply = ask(&stage.lintel, mine, "/v1/responses", &body);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["error"]["code"], "unsupported");
    assert_eq!(
        stage.provider.for_model("m").len(),
        2,
        "nothing went to the other target"
    );
    stage.balance(3);
}

#[test]
fn the_row_outlives_the_process() {
    let provider = Provider::start(keeps);
    let config = Config::of(&provider);
    let mut lintel = Lintel::start(&config);
    let key = lintel.key(&["--direct"]);
    let evil = lintel.key_of("evil", &["--direct"]);
    assert_eq!(first(&lintel, &key.secret).status, 200);
    lintel.kill();
    let again = Lintel::start_in(lintel.dir.clone(), &config);
    eventually("the row is found", || {
        (next(&again, &key.secret, MADE).status == 200).then_some(())
    });
    refused(&next(&again, &evil.secret, MADE), "$.previous_response_id");
}

#[test]
fn files_and_containers_need_a_row_too_unless_the_account_is_shared() {
    let provider = Provider::start(crate::harness::dialect::answer);
    let url = format!("http://127.0.0.1:{}", provider.addr.port());
    let shared = format!("{{ protocol: anthropic, base_url: \"{url}\", objects: shared }}");
    let lintel = Lintel::start(&Config::of(&provider).provider("open", &shared));
    let key = lintel.key(&["--direct"]);
    let body = |model: &str| {
        format!(
            r#"{{"model":"{model}","max_tokens":9,"container":"c_1","messages":[{{"role":"user","content":[{{"type":"document","source":{{"type":"file","file_id":"f_1"}}}}]}}]}}"#
        )
    };
    let owned = ask(&lintel, &key.secret, "/v1/messages", &body("claude/m"));
    assert_eq!(owned.status, 404, "{}", owned.text());
    assert_eq!(owned.json()["error"]["code"], "object_not_found");
    let open = ask(&lintel, &key.secret, "/v1/messages", &body("open/m"));
    assert_eq!(open.status, 200, "{}", open.text());
}
