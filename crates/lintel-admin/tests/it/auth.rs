//! Who gets in.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::bench::{Bench, TOKEN, read};

fn with(authorization: Option<&str>, path: &str) -> Request<Body> {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn without_the_token_every_path_of_the_api_is_the_same_401() {
    let bench = Bench::new();
    for path in ["/api/v1/keys", "/api/v1/status", "/api/v1/no/such/path"] {
        let response = bench.send(with(None, path)).await;
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer realm=\"lintel admin\""
        );
        let (status, json) = read(response).await;
        assert_eq!(
            (status, json["code"].as_str()),
            (401, Some("missing_token")),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn guessing_is_slowed_down_before_the_guess_is_looked_at_and_time_heals() {
    let bench = Bench::new();
    let good = format!("Bearer {TOKEN}");
    for n in 0..10 {
        let (status, json) = read(
            bench
                .send(with(Some("Bearer wrong"), "/api/v1/status"))
                .await,
        )
        .await;
        assert_eq!(
            (status, json["code"].as_str()),
            (401, Some("wrong_token")),
            "guess {n}"
        );
    }
    let response = bench.send(with(Some(&good), "/api/v1/status")).await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(
        read(response).await.0,
        429,
        "even the right one: else a guesser would be told"
    );
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(
        read(bench.send(with(Some(&good), "/api/v1/status")).await)
            .await
            .0,
        200
    );
    let told = std::iter::from_fn(|| bench.lines.waiting_line()).count();
    assert_eq!(told, 10, "a line for each guess that was looked at");
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_without_a_token_is_no_guess() {
    let bench = Bench::new();
    for _ in 0..50 {
        assert_eq!(
            read(bench.send(with(None, "/api/v1/status")).await).await.0,
            401
        );
    }
    assert_eq!(bench.get("/api/v1/status").await.0, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn signs_of_life_need_no_token() {
    let bench = Bench::new();
    assert_eq!(
        read(bench.send(with(None, "/healthz")).await).await,
        (200, "ok\n".into())
    );
    assert_eq!(
        read(bench.send(with(None, "/readyz")).await).await,
        (200, "ready\n".into())
    );
    let response = bench.send(with(None, "/metrics")).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let (_, text) = read(response).await;
    assert!(text.as_str().unwrap().ends_with("# EOF\n"));
}

#[tokio::test(flavor = "current_thread")]
async fn not_ready_says_why() {
    let bench = Bench::new();
    {
        let mut status = bench.plane.status.lock().unwrap();
        status.ready = false;
        status.reason = Some("the journal can't be written".into());
    }
    assert_eq!(
        read(bench.send(with(None, "/readyz")).await).await,
        (503, "the journal can't be written\n".into())
    );
    assert_eq!(read(bench.send(with(None, "/healthz")).await).await.0, 200);
}
