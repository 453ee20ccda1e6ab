//! How the API refuses what it does not understand.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::bench::{Bench, TOKEN, read};

#[tokio::test(flavor = "current_thread")]
async fn unknown_paths_and_methods_are_problems_inside_and_outside_the_api() {
    let bench = Bench::new();
    for path in [
        "/api/v1/nope",
        "/nope",
        "/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/keys/a/b",
    ] {
        let (status, json) = bench.get(path).await;
        assert_eq!(
            (status, json["code"].as_str()),
            (404, Some("not_found")),
            "{path}: {json}"
        );
    }
    for (method, path, allow) in [
        ("PUT", "/api/v1/keys", "GET,HEAD,POST"),
        ("POST", "/api/v1/usage", "GET,HEAD"),
        ("DELETE", "/metrics", "GET,HEAD"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {TOKEN}"));
        let response = bench.send(request.body(Body::empty()).unwrap()).await;
        let mut allowed: Vec<_> = response.headers()["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let (status, json) = read(response).await;
        assert_eq!(
            (status, json["code"].as_str()),
            (405, Some("method_not_allowed")),
            "{method} {path}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_parameter_nobody_reads_is_refused_on_every_path() {
    let bench = Bench::new();
    for path in [
        "/api/v1/keys",
        "/api/v1/keys/key_1",
        "/api/v1/tenants",
        "/api/v1/usage",
        "/api/v1/exchanges",
        "/api/v1/exchanges/ex_1",
        "/api/v1/status",
    ] {
        let (status, json) = bench.get(&format!("{path}?surprise=1")).await;
        assert_eq!(
            (status, json["code"].as_str()),
            (400, Some("invalid_request")),
            "{path}"
        );
        assert!(
            json["detail"].as_str().unwrap().contains("surprise"),
            "{path}: {json}"
        );
    }
    for (method, path) in [("POST", "/api/v1/reload"), ("DELETE", "/api/v1/keys/key_1")] {
        assert_eq!(
            bench
                .ask(method, &format!("{path}?surprise=1"), None)
                .await
                .0,
            400,
            "{method} {path}"
        );
        assert_eq!(
            bench.ask(method, path, Some(json!({}))).await.0,
            400,
            "{method} {path} with a body"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn bad_values_name_the_parameter() {
    let bench = Bench::new();
    for (query, word) in [
        ("exchanges?limit=0", "limit"),
        ("exchanges?limit=1001", "1000"),
        ("exchanges?limit=many", "limit"),
        ("exchanges?since=gestern", "since"),
        ("exchanges?after=ex_1", "after"),
        ("exchanges?outcome=succes", "outcome"),
        ("usage?by=colour", "colour"),
        ("usage?until=2026-02-30", "until"),
        ("keys?state=lost", "lost"),
        ("keys?after=key_0", "key_0"),
    ] {
        let (status, json) = bench.get(&format!("/api/v1/{query}")).await;
        assert_eq!(status, 400, "{query}: {json}");
        assert!(
            json["detail"].as_str().unwrap().contains(word),
            "{query}: {json}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn status_tells_what_is_in_force() {
    let bench = Bench::new();
    let (status, json) = bench.get("/api/v1/status").await;
    assert_eq!(status, 200);
    assert_eq!(
        (
            &json["ready"],
            &json["in_flight"],
            &json["journal"]["healthy"]
        ),
        (&json!(true), &json!(3), &json!(true))
    );
    assert_eq!(json["projection"]["log"]["lag"], 0);
    assert!(json["config"].is_string());
}

#[tokio::test(flavor = "current_thread")]
async fn a_fault_of_the_store_is_told_to_the_log_and_not_to_the_caller() {
    let bench = Bench::new();
    std::fs::remove_file(bench.dir.join("log.sqlite")).unwrap();
    let (status, json) = bench.get("/api/v1/exchanges").await;
    assert_eq!((status, &json["code"]), (500, &json!("store_failed")));
    assert!(!json.to_string().contains("log.sqlite"), "{json}");
    let line = String::from_utf8(bench.lines.waiting_line().unwrap()).unwrap();
    assert!(
        line.contains("log.sqlite") && line.contains("\"error\""),
        "{line}"
    );
}
