//! Tags and `If-Match`: a change is made to what was read, or not at all.

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN, read};

async fn send(
    bench: &Bench,
    method: &str,
    path: &str,
    tag: Option<&str>,
    body: Option<Value>,
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("authorization", format!("Bearer {TOKEN}"));
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
    bench.send(request.body(body).unwrap()).await
}

fn tag(response: &Response<Body>) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_is_made_to_what_was_read_or_not_at_all() {
    let bench = Bench::new();
    let key = json!({"tenant": "acme", "project": "search"});
    let made = send(&bench, "POST", "/api/v1/keys", None, Some(key)).await;
    let path = made.headers()["location"].to_str().unwrap().to_owned();
    let (first, disable) = (tag(&made), || Some(json!({"disabled": true})));
    assert_eq!(tag(&send(&bench, "GET", &path, None, None).await), first);

    let changed = send(&bench, "PATCH", &path, Some(&first), disable()).await;
    let second = tag(&changed);
    assert_eq!((changed.status().as_u16(), first == second), (200, false));

    for stale in [first.as_str(), "\"nonsense\"", "W/\"x\", \"y\""] {
        let refused = send(&bench, "DELETE", &path, Some(stale), None).await;
        let (status, json) = read(refused).await;
        assert_eq!(
            (status, &json["code"]),
            (412, &json!("etag_mismatch")),
            "{stale}"
        );
        assert!(json["detail"].as_str().unwrap().contains(&second), "{json}");
    }
    assert_eq!(bench.get(&path).await.1["state"], json!("disabled"));
    let many = format!("{first}, {second}");
    assert_eq!(
        send(&bench, "DELETE", &path, Some(&many), None)
            .await
            .status(),
        200
    );
    assert_eq!(
        send(&bench, "DELETE", &path, Some("*"), None)
            .await
            .status(),
        200
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_tag_of_what_is_not_there_or_is_no_object_is_refused() {
    let bench = Bench::new();
    let path = "/api/v1/keys/key_0000000000000000";
    assert_eq!(
        send(&bench, "DELETE", path, Some("*"), None).await.status(),
        404
    );
    let refused = send(&bench, "POST", "/api/v1/reload", Some("\"a\""), None).await;
    assert_eq!(read(refused).await.1["code"], json!("invalid_request"));
}
