//! Paths and methods: what the data listener serves, and that it serves nothing else.

use crate::harness::{Face, Request, Route, Stage, dialect};

/// The dialect in which a path is answered.
fn face_of_path(path: &str) -> Face {
    if path.starts_with("/v1/messages") {
        Face::Anthropic
    } else {
        Face::Openai
    }
}

#[test]
fn paths_and_methods() {
    let stage = Stage::good();
    let key = format!("Bearer {}", stage.key.secret);
    let ask = |method: &str, path: &str| {
        stage
            .connect()
            .call(&Request::new(method, path).header("authorization", &key))
    };
    for (method, path, status) in [
        ("GET", "/v1/chat/completions", 405),
        ("PUT", "/v1/messages", 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/metrics", 404),
        ("GET", "/healthz", 404),
        ("GET", "/api/v1/keys", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "//v1/chat/completions", 404),
        ("POST", "/v1/../v1/chat/completions", 404),
    ] {
        let reply = ask(method, path);
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        face_of_path(path).error(&reply);
        assert_eq!(reply.header("x-lintel-error-origin"), Some("client"));
        if status == 405 {
            assert!(reply.header("allow").is_some(), "{method} {path}");
        }
    }
    // A query string is no part of the path: some SDKs add one.
    let request = stage
        .request(Face::Anthropic, "claude/m", false, "query")
        .bytes();
    let request =
        String::from_utf8(request)
            .unwrap()
            .replacen("/v1/messages ", "/v1/messages?beta=true ", 1);
    let mut client = stage.connect();
    client.send(request.as_bytes()).unwrap();
    assert_eq!(client.reply().status, 200);
    stage.idle();
}

#[test]
fn geminis_callers_list_models_and_read_errors_in_their_form() {
    let stage = Stage::with(dialect::answer, |c| {
        c.route("one", Route::new().tier(&[("up/m", 1)]))
    });
    let key = &stage.key.secret;
    let ask = |path: &str, header: Option<(&str, &str)>| {
        let request = Request::new("GET", path);
        stage.connect().call(&match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        })
    };
    let in_query = format!("/v1beta/models?key={key}");
    let bearer = format!("Bearer {key}");
    for (path, header) in [
        (in_query.as_str(), None),
        ("/v1beta/models", Some(("authorization", bearer.as_str()))),
        ("/v1/models", Some(("x-goog-api-key", key.as_str()))),
    ] {
        let reply = ask(path, header);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let list = reply.json();
        let first = list["models"][0]["name"].as_str().unwrap();
        let one = ask(&format!("/v1beta/{first}"), Some(("x-goog-api-key", key)));
        assert_eq!(
            (one.status, one.json()["name"].as_str()),
            (200, Some(first))
        );
    }
    // A key in the query is one of Gemini's habits, and of nobody else's.
    assert_eq!(ask(&format!("/v1/models?key={key}"), None).status, 401);
    let refused = ask("/v1beta/models?key=lk_nobody", None);
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["code"]), (401, &401.into()));
    assert_eq!(error["status"], "UNAUTHENTICATED");
    assert_eq!(error["details"][0]["reason"], "invalid_api_key");
    let wrong = ask("/v1beta/models/m:generateContent", None);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    stage.idle();
}
