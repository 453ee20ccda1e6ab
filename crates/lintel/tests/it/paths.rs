//! Paths and methods: what the data listener serves, and that it serves nothing else.

use crate::harness::{Face, Request, Stage};

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
