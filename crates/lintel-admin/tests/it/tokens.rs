//! Tokens and roles: who is let in, who may do what, and what is written down of who may not.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Bench, TOKEN};

const ROLES: [&str; 6] = ["owner", "admin", "operator", "finance", "auditor", "viewer"];

#[tokio::test(flavor = "current_thread")]
async fn a_token_lets_its_holder_in_until_it_is_over_or_revoked() {
    let bench = Bench::new();
    let body = json!({"name": "ci", "role": "viewer", "expires": "2h"});
    let (status, made) = bench.ask("POST", "/api/v1/tokens", Some(body)).await;
    assert_eq!(
        (status, &made["created_by"]),
        (201, &json!("admin")),
        "{made}"
    );
    let (secret, id) = (
        made["token"].as_str().unwrap(),
        made["id"].as_str().unwrap(),
    );
    let path = format!("/api/v1/tokens/{id}");
    let me = || bench.ask_as(secret, "GET", "/api/v1/tokens/me", None);

    let (status, who) = me().await;
    assert_eq!(
        (status, &who["name"], &who["id"]),
        (200, &json!("ci"), &json!(id))
    );
    assert_eq!(
        who["permissions"],
        json!(["own", "status.read", "usage.read", "tenants.read"])
    );
    let (_, listed) = bench.get("/api/v1/tokens").await;
    let audit = format!("{:?}", bench.control.audit(None, 10));
    assert!(!format!("{listed}{audit}").contains(secret), "shown once");
    assert_eq!(listed["data"][0]["state"], json!("active"));

    bench.clock.advance(Duration::from_secs(7_200));
    let (status, json) = me().await;
    assert_eq!((status, &json["code"]), (401, &json!("wrong_token")));
    assert!(
        json["detail"].as_str().unwrap().contains("time is over"),
        "{json}"
    );
    assert_eq!(bench.get(&path).await.1["state"], json!("expired"));

    for _ in 0..2 {
        let (status, json) = bench.ask("DELETE", &path, None).await;
        assert_eq!((status, &json["state"]), (200, &json!("revoked")));
    }
    assert!(me().await.1["detail"].as_str().unwrap().contains("revoked"));
    let revoked = bench
        .audit()
        .into_iter()
        .filter(|(_, action, _)| action == "token.revoke");
    assert_eq!(revoked.count(), 1);
    assert_eq!(
        bench
            .ask("DELETE", "/api/v1/tokens/bootstrap", None)
            .await
            .0,
        404
    );
}

#[tokio::test(flavor = "current_thread")]
async fn the_last_use_is_noted_once_a_minute() {
    let bench = Bench::new();
    let secret = bench.token("ci", "viewer", None).await;
    let (_, listed) = bench.get("/api/v1/tokens").await;
    let (path, tag) = (
        format!(
            "/api/v1/tokens/{}",
            listed["data"][0]["id"].as_str().unwrap()
        ),
        |json: &Value| json["last_used"].clone(),
    );
    assert_eq!(tag(&listed["data"][0]), Value::Null);
    let mut noted = Vec::new();
    for wait in [0, 59, 1] {
        bench.clock.advance(Duration::from_secs(wait));
        bench.ask_as(&secret, "GET", "/api/v1/status", None).await;
        // The note is written off the request's path: the store is asked until it is there, or was surely not made.
        for _ in 0..200 {
            tokio::task::yield_now().await;
            noted.push(tag(&bench.get(&path).await.1));
            if wait != 59 && noted.last() != noted.first() {
                break;
            }
        }
    }
    noted.retain(|each| !each.is_null());
    noted.dedup();
    assert_eq!(noted.len(), 2, "{noted:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_role_does_what_its_row_says_and_a_refusal_names_who_may() {
    let bench = Bench::new();
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push(bench.token(&format!("the-{role}"), role, None).await);
    }
    let key = || Some(json!({"tenant": "acme", "project": "p"}));
    let table = [
        ("GET", "status", [true; 6]),
        ("GET", "openapi.json", [true; 6]),
        ("GET", "usage?by=tenant", [true; 6]),
        (
            "GET",
            "usage?by=user",
            [true, true, true, true, true, false],
        ),
        ("GET", "keys", [true, true, true, true, true, false]),
        ("GET", "exchanges", [true, true, true, false, true, false]),
        ("GET", "audit", [true, true, false, false, true, false]),
        ("POST", "reload", [true, true, true, false, false, false]),
        (
            "DELETE",
            "keys/key_1",
            [true, true, false, false, false, false],
        ),
    ];
    for (method, path, may) in table {
        for ((token, role), may) in tokens.iter().zip(ROLES).zip(may) {
            let (status, json) = bench
                .ask_as(token, method, &format!("/api/v1/{path}"), None)
                .await;
            assert_eq!(status != 403, may, "{role} {method} {path}: {json}");
        }
    }
    let (status, json) = bench
        .ask_as(&tokens[5], "POST", "/api/v1/keys", key())
        .await;
    let detail = json["detail"].as_str().unwrap();
    assert_eq!((status, &json["code"]), (403, &json!("forbidden")));
    assert!(
        detail.contains("the-viewer")
            && detail.contains("keys.write")
            && detail.contains("owner, admin"),
        "{detail}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_makes_or_revokes_a_token_that_may_more() {
    let bench = Bench::new();
    let admin = bench.token("boss", "admin", None).await;
    bench.token("chief", "owner", None).await;
    let (_, owners) = bench.get("/api/v1/tokens?role=owner").await;
    let owner = format!(
        "/api/v1/tokens/{}",
        owners["data"][0]["id"].as_str().unwrap()
    );
    let new = |role: &str| Some(json!({"name": format!("new-{role}"), "role": role}));
    for role in ROLES {
        let (status, json) = bench
            .ask_as(&admin, "POST", "/api/v1/tokens", new(role))
            .await;
        assert_eq!(
            status,
            if role == "owner" { 403 } else { 201 },
            "{role}: {json}"
        );
    }
    assert_eq!(bench.ask_as(&admin, "DELETE", &owner, None).await.0, 403);
    assert_eq!(bench.get(&owner).await.1["state"], json!("active"));
    let denied = bench
        .audit()
        .into_iter()
        .filter(|(_, action, _)| action == "denied");
    let denied: Vec<_> = denied.map(|(actor, _, object)| (actor, object)).collect();
    assert_eq!(
        denied,
        ["createToken", "revokeToken"].map(|id| ("boss".to_owned(), id.to_owned()))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_change_is_audited_and_cannot_fill_the_audit() {
    let bench = Bench::new();
    let viewer = bench.token("looker", "viewer", None).await;
    let before = bench.audit().len();
    for n in 0..12 {
        let (status, json) = bench
            .ask_as(&viewer, "DELETE", "/api/v1/keys/key_1", None)
            .await;
        assert_eq!(status, if n < 10 { 403 } else { 429 }, "{n}: {json}");
        assert_eq!(
            bench.ask_as(&viewer, "GET", "/api/v1/keys", None).await.0,
            403,
            "reading is no change"
        );
    }
    assert_eq!(bench.audit().len(), before + 10);
    let (_, rows) = bench.get("/api/v1/audit?action=denied&limit=1").await;
    let row = &rows["data"][0];
    assert_eq!(
        (
            &row["actor"],
            &row["object"],
            &row["after"]["path"],
            &row["after"]["needs"],
            &row["before"]
        ),
        (
            &json!("looker"),
            &json!("revokeKey"),
            &json!("/api/v1/keys/key_1"),
            &json!("keys.write"),
            &Value::Null
        )
    );
    assert_eq!(
        bench.get("/api/v1/status").await.0,
        200,
        "others are not held up"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_name_is_given_once() {
    let bench = Bench::new();
    bench.token("ci", "viewer", None).await;
    for name in ["ci", "admin", "config"] {
        let body = json!({"name": name, "role": "viewer"});
        let (status, json) = bench.ask("POST", "/api/v1/tokens", Some(body)).await;
        assert_eq!(
            (status, &json["code"]),
            (409, &json!("already_exists")),
            "{name}"
        );
    }
    for body in [
        json!({"name": "x"}),
        json!({"name": "x", "role": "king"}),
        json!({"name": "a b", "role": "viewer"}),
        json!({"name": "x", "role": "viewer", "expires": "2020-01-01"}),
        json!({"name": "x", "role": "viewer", "colour": "red"}),
    ] {
        assert_eq!(
            bench
                .ask("POST", "/api/v1/tokens", Some(body.clone()))
                .await
                .0,
            400,
            "{body}"
        );
    }
    let nowhere = json!({"name": "x", "role": "viewer", "tenant": "none"});
    assert_eq!(
        bench.ask("POST", "/api/v1/tokens", Some(nowhere)).await.0,
        404
    );
    assert_eq!(
        bench
            .ask_as(TOKEN, "GET", "/api/v1/tokens/me", None)
            .await
            .1["id"],
        json!("bootstrap")
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_tenants_token_sees_and_changes_that_tenant_alone() {
    let bench = Bench::new();
    let mut keys = Vec::new();
    for tenant in ["acme", "zeta"] {
        let body = json!({"tenant": tenant, "project": "p"});
        let (_, made) = bench.ask("POST", "/api/v1/keys", Some(body)).await;
        keys.push(format!("/api/v1/keys/{}", made["id"].as_str().unwrap()));
    }
    let token = bench.token("acme-owner", "owner", Some("acme")).await;
    let ask = |method: &'static str, path: String, body: Option<Value>| {
        let (bench, token) = (&bench, &token);
        async move { bench.ask_as(token, method, &path, body).await }
    };
    let count = |json: &Value| json["data"].as_array().unwrap().len();
    for list in ["keys", "tenants", "tokens", "keys?tenant=acme"] {
        let (status, json) = ask("GET", format!("/api/v1/{list}"), None).await;
        assert_eq!((status, count(&json)), (200, 1), "{list}: {json}");
    }
    let (_, audit) = ask("GET", "/api/v1/audit".into(), None).await;
    assert!(
        count(&audit) > 0 && !audit.to_string().contains("zeta"),
        "{audit}"
    );
    // What is another's is told apart from what is nobody's by nothing.
    for path in [
        "keys?tenant=zeta",
        "keys?tenant=none",
        "usage?tenant=zeta",
        "usage?tenant=none",
        "exchanges?tenant=zeta",
        "audit?tenant=zeta",
        "tokens?tenant=zeta",
        "status",
    ] {
        assert_eq!(
            ask("GET", format!("/api/v1/{path}"), None).await.0,
            403,
            "{path}"
        );
    }
    let (theirs, none) = (
        keys[1].clone(),
        "/api/v1/keys/key_0000000000000000".to_owned(),
    );
    let text = |path: &str, json: Value| {
        json.to_string()
            .replace(path.rsplit('/').next().unwrap(), "ID")
    };
    for method in ["GET", "DELETE"] {
        let (there, gone) = (
            ask(method, theirs.clone(), None).await,
            ask(method, none.clone(), None).await,
        );
        assert_eq!(
            (there.0, text(&theirs, there.1)),
            (404, text(&none, gone.1)),
            "{method}"
        );
    }
    let rotate = format!("{theirs}/rotate");
    assert_eq!(ask("POST", rotate, Some(json!({}))).await.0, 404);
    let disable = Some(json!({"disabled": true}));
    assert_eq!(ask("PATCH", theirs.clone(), disable.clone()).await.0, 404);
    assert_eq!(bench.get(&theirs).await.1["state"], json!("active"));
    assert_eq!(ask("PATCH", keys[0].clone(), disable).await.0, 200);
    for (path, body) in [
        ("keys", json!({"tenant": "zeta", "project": "p"})),
        ("tenants", json!({"name": "new"})),
        (
            "tokens",
            json!({"name": "n", "role": "viewer", "tenant": "zeta"}),
        ),
    ] {
        assert_eq!(
            ask("POST", format!("/api/v1/{path}"), Some(body)).await.0,
            403,
            "{path}"
        );
    }
    assert_eq!(ask("POST", "/api/v1/reload".into(), None).await.0, 403);
    let (status, own) = ask(
        "POST",
        "/api/v1/tokens".into(),
        Some(json!({"name": "n", "role": "viewer"})),
    )
    .await;
    assert_eq!((status, &own["tenant"]), (201, &json!("acme")));
}
