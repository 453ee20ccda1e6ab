//! Calls that come twice with one `Idempotency-Key`.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN, read};

async fn post(bench: &Bench, path: &str, key: &str, body: &Value) -> Response<Body> {
    let request = Request::post(format!("/api/v1/{path}"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    bench
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test(flavor = "current_thread")]
async fn a_repeated_call_is_answered_as_it_was_and_makes_nothing() {
    let bench = Bench::new();
    let acme = json!({"name": "acme"});
    let first = post(&bench, "tenants", "k1", &acme).await;
    let again = post(&bench, "tenants", "k1", &acme).await;
    for name in ["etag", "location"] {
        assert_eq!(first.headers()[name], again.headers()[name]);
    }
    assert!(!first.headers().contains_key("idempotency-replayed"));
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(read(first).await, read(again).await);
    assert_eq!(bench.audit().len(), 1);

    let (status, json) = read(post(&bench, "tenants", "k1", &json!({"name": "zeta"})).await).await;
    assert_eq!(
        (status, &json["code"]),
        (422, &json!("idempotency_mismatch"))
    );
    let (status, json) = read(post(&bench, "tenants", "k2", &acme).await).await;
    assert_eq!(
        (status, &json["code"]),
        (409, &json!("already_exists")),
        "another call"
    );
    bench.clock.advance(Duration::from_secs(24 * 3_600));
    let (status, json) = read(post(&bench, "tenants", "k1", &acme).await).await;
    assert_eq!(
        (status, &json["code"]),
        (409, &json!("already_exists")),
        "forgotten"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_secret_is_not_shown_twice_and_its_key_is_not_made_twice() {
    let bench = Bench::new();
    let key = json!({"tenant": "acme", "project": "p"});
    let (_, made) = read(post(&bench, "keys", "k1", &key).await).await;
    let (status, json) = read(post(&bench, "keys", "k1", &key).await).await;
    assert_eq!((status, &json["code"]), (409, &json!("already_created")));
    assert!(
        json["detail"]
            .as_str()
            .unwrap()
            .contains(made["id"].as_str().unwrap()),
        "{json}"
    );
    assert!(!json.to_string().contains(made["key"].as_str().unwrap()));
    assert_eq!(
        bench.get("/api/v1/keys").await.1["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let stored = std::fs::read(bench.dir.join("control.sqlite-wal")).unwrap_or_default();
    let secret = made["key"].as_str().unwrap().as_bytes();
    assert!(
        !stored.windows(secret.len()).any(|part| part == secret),
        "the secret lies in the store"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_call_may_be_made_again_and_one_that_broke_off_may_not() {
    let bench = Bench::new();
    let wrong = json!({"name": "a b"});
    for _ in 0..2 {
        let (status, _) = read(post(&bench, "tenants", "k1", &wrong).await).await;
        assert_eq!(status, 400);
    }
    let (status, _) = read(post(&bench, "tenants", "k1", &json!({"name": "acme"})).await).await;
    assert_eq!(status, 201, "nothing was made under this key before");

    let begun = lintel_store::ReplayKey {
        actor: "admin".into(),
        operation: "createTenant".into(),
        key: "k2".into(),
        digest: digest("/tenants", &json!({"name": "zeta"})),
    };
    assert_eq!(
        bench.control.replay(&begun).unwrap(),
        lintel_store::Replay::New
    );
    let (status, json) = read(post(&bench, "tenants", "k2", &json!({"name": "zeta"})).await).await;
    assert_eq!((status, &json["code"]), (409, &json!("outcome_unknown")));
    for bad in ["", "with space", &"x".repeat(256)] {
        let (status, _) = read(post(&bench, "tenants", bad, &wrong).await).await;
        assert_eq!(status, 400, "{bad:?}");
    }
}

/// As the API computes it: of the target under `/api/v1` and the body, each with its length before it.
fn digest(target: &str, body: &Value) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let body = body.to_string();
    let mut digest = Sha256::new();
    for part in [target.as_bytes(), body.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[tokio::test(flavor = "current_thread")]
async fn a_rotation_that_comes_twice_is_told_by_its_key_and_not_by_its_tag() {
    let bench = Bench::new();
    let key = json!({"tenant": "acme", "project": "p"});
    let made = post(&bench, "keys", "k1", &key).await;
    let tag = made.headers()["etag"].clone();
    let (_, made) = read(made).await;
    let path = format!("/api/v1/keys/{}/rotate", made["id"].as_str().unwrap());
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = Request::post(&path)
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .header("if-match", &tag)
            .header("idempotency-key", "r1");
        let request = request.body(Body::from("{}")).unwrap();
        answers.push(read(bench.send(request).await).await);
    }
    assert!(answers[0].0 < 300, "{:?}", answers[0]);
    assert_eq!(
        (answers[1].0, &answers[1].1["code"]),
        (409, &json!("already_created"))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_makes_nothing_to_be_repeated_says_that_it_reads_no_key() {
    let bench = Bench::new();
    let refused = post(&bench, "apply", "k1", &json!({"tenants": {}})).await;
    let (status, json) = read(refused).await;
    assert_eq!((status, &json["code"]), (400, &json!("invalid_request")));
}
