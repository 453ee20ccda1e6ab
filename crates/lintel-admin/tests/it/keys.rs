//! Keys and tenants: made, listed, revoked, audited, and in force when the answer is there.

use std::sync::Arc;
use std::time::Duration;

use lintel_admin::mint;
use lintel_config::{DeclaredProject, DeclaredTenant};
use lintel_gateway::Standing;
use serde_json::{Value, json};

use crate::bench::{Bench, fault};

async fn create(bench: &Bench, body: Value) -> Value {
    let (status, json) = bench.ask("POST", "/api/v1/keys", Some(body)).await;
    assert_eq!(status, 201, "{json}");
    json
}

fn ids(json: &Value) -> Vec<&str> {
    json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["id"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_new_key_is_in_force_and_its_secret_is_told_once() {
    let bench = Bench::new();
    let made = create(&bench, json!({"tenant": "acme", "project": "search", "name": "ci", "direct": true, "routes": ["chat"], "expires": "30d"})).await;
    let (secret, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!(id, mint::id(&mint::hash(secret)));
    {
        let keys = bench.plane.keys.lock().unwrap();
        assert_eq!(
            (keys.len(), keys[0].hash, keys[0].standing),
            (1, mint::hash(secret), Standing::Active)
        );
        let principal = &keys[0].principal;
        assert_eq!(
            (&*principal.tenant, &*principal.project, principal.direct),
            ("acme", "search", true)
        );
        assert!(principal.routes.allows("chat") && !principal.routes.allows("other"));
    }
    let (status, shown) = bench.get(&format!("/api/v1/keys/{id}")).await;
    assert_eq!(
        (status, &shown["state"], &shown["name"], &shown["key"]),
        (200, &json!("active"), &json!("ci"), &Value::Null)
    );
    let (_, listed) = bench.get("/api/v1/keys").await;
    assert!(
        !listed.to_string().contains(secret)
            && !format!("{:?}", bench.control.audit(None, 10)).contains(secret)
    );
    let actions: Vec<_> = bench
        .audit()
        .into_iter()
        .map(|(actor, action, _)| (actor, action))
        .collect();
    assert_eq!(
        actions,
        ["tenant.create", "project.create", "key.create"]
            .map(|action| ("admin".to_owned(), action.to_owned()))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_revoked_key_is_out_of_force_and_revoking_again_changes_nothing() {
    let bench = Bench::new();
    let id = create(&bench, json!({"tenant": "acme", "project": "search"})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..2 {
        let (status, json) = bench
            .ask("DELETE", &format!("/api/v1/keys/{id}"), None)
            .await;
        assert_eq!((status, &json["state"]), (200, &json!("revoked")));
        assert!(
            bench
                .plane
                .keys
                .lock()
                .unwrap()
                .iter()
                .all(|key| key.standing == Standing::Revoked)
        );
    }
    assert_eq!(
        bench
            .audit()
            .iter()
            .filter(|(_, action, _)| action == "key.revoke")
            .count(),
        1
    );
    let (status, json) = bench
        .ask("DELETE", "/api/v1/keys/key_0000000000000000", None)
        .await;
    assert_eq!((status, &json["code"]), (404, &json!("not_found")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_disabled_key_is_out_of_force_until_it_is_enabled() {
    let bench = Bench::new();
    let made = create(&bench, json!({"tenant": "acme", "project": "search"})).await;
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    for (disabled, state) in [
        (true, "disabled"),
        (true, "disabled"),
        (false, "active"),
        (false, "active"),
    ] {
        let (status, json) = bench
            .ask("PATCH", &path, Some(json!({ "disabled": disabled })))
            .await;
        assert_eq!((status, &json["state"]), (200, &json!(state)));
        let standing = bench.plane.keys.lock().unwrap()[0].standing;
        assert_eq!(standing == Standing::Disabled, disabled);
        assert_eq!(bench.get(&path).await.1["state"], json!(state));
    }
    let changes: Vec<_> = bench
        .audit()
        .into_iter()
        .filter(|(_, action, _)| action != "key.create" && action.starts_with("key."))
        .map(|(actor, action, _)| (actor, action))
        .collect();
    assert_eq!(
        changes,
        ["key.disable", "key.enable"].map(|action| ("admin".to_owned(), action.to_owned()))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_of_a_key_that_makes_no_sense_is_refused_and_changes_nothing() {
    let bench = Bench::new();
    let made = create(&bench, json!({"tenant": "acme", "project": "search"})).await;
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    for body in [
        json!({"disabled": "yes"}),
        json!({"disabled": null}),
        json!({"disabled": true, "tenant": "other"}),
        json!({"max_body": "1MB"}),
        json!({"priority": "urgent"}),
        json!({"headers": ["cookie"]}),
    ] {
        let (status, json) = bench.ask("PATCH", &path, Some(body.clone())).await;
        assert_eq!(
            (status, &json["code"]),
            (400, &json!("invalid_request")),
            "{body}"
        );
    }
    assert_eq!(bench.get(&path).await.1["state"], json!("active"));
    let disable = || Some(json!({"disabled": true}));
    let (status, json) = bench
        .ask("PATCH", "/api/v1/keys/key_0000000000000000", disable())
        .await;
    assert_eq!((status, &json["code"]), (404, &json!("not_found")));
    bench.ask("DELETE", &path, None).await;
    for body in [disable(), Some(json!({"disabled": false}))] {
        let (status, json) = bench.ask("PATCH", &path, body).await;
        assert_eq!((status, &json["code"]), (409, &json!("revoked_key")));
        assert_eq!(bench.get(&path).await.1["state"], json!("revoked"));
        let standing = bench.plane.keys.lock().unwrap()[0].standing;
        assert_eq!(standing, Standing::Revoked);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn keys_are_listed_by_owner_and_state_page_by_page() {
    let bench = Bench::new();
    for (tenant, project, expires) in [
        ("acme", "a", None),
        ("acme", "b", Some("1h")),
        ("zeta", "a", None),
    ] {
        bench.clock.advance(Duration::from_secs(1));
        create(
            &bench,
            json!({"tenant": tenant, "project": project, "expires": expires}),
        )
        .await;
    }
    bench.clock.advance(Duration::from_secs(7_200));
    let (_, all) = bench.get("/api/v1/keys").await;
    assert_eq!((ids(&all).len(), &all["next"]), (3, &Value::Null));
    for (query, count) in [
        ("tenant=acme", 2),
        ("project=a", 2),
        ("tenant=acme&project=a", 1),
        ("state=expired", 1),
        ("state=active", 2),
        ("state=revoked", 0),
    ] {
        assert_eq!(
            ids(&bench.get(&format!("/api/v1/keys?{query}")).await.1).len(),
            count,
            "{query}"
        );
    }
    let (_, first) = bench.get("/api/v1/keys?limit=2").await;
    let (_, second) = bench
        .get(&format!(
            "/api/v1/keys?limit=2&after={}",
            first["next"].as_str().unwrap()
        ))
        .await;
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&all));
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_that_makes_no_sense_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    for body in [
        json!({}),
        json!({"tenant": "acme"}),
        json!({"tenant": "a b", "project": "p"}),
        json!({"tenant": "", "project": "p"}),
        json!({"tenant": "acme", "project": "p", "colour": "red"}),
        json!({"tenant": "acme", "project": "p", "expires": "2020-01-01"}),
        json!({"tenant": "acme", "project": "p", "expires": "soon"}),
        json!({"tenant": "acme", "project": "p", "routes": "chat"}),
    ] {
        let (status, json) = bench.ask("POST", "/api/v1/keys", Some(body.clone())).await;
        assert_eq!(status, 400, "{body}: {json}");
    }
    assert!(bench.audit().is_empty() && bench.plane.keys.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_may_name_no_route_that_its_project_may_not() {
    let bench = Bench::new();
    let mut snapshot = (**bench.plane.snapshot.lock().unwrap()).clone();
    let project = DeclaredProject {
        name: "search".into(),
        routes: Some(vec!["chat".into()]),
    };
    snapshot.tenants = vec![DeclaredTenant {
        name: "acme".into(),
        projects: vec![project],
    }];
    *bench.plane.snapshot.lock().unwrap() = Arc::new(snapshot);
    create(&bench, json!({"tenant": "acme", "project": "search"})).await;
    create(
        &bench,
        json!({"tenant": "acme", "project": "search", "routes": ["fast"]}),
    )
    .await;
    create(&bench, json!({"tenant": "acme", "project": "other"})).await;
    let keys = bench.plane.keys.lock().unwrap();
    let mut seen: Vec<_> = keys
        .iter()
        .map(|key| {
            (
                key.principal.routes.allows("chat"),
                key.principal.routes.allows("fast"),
            )
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [(false, false), (true, false), (true, true)]);
}

#[tokio::test(flavor = "current_thread")]
async fn tenants_are_made_once_and_listed_with_their_projects() {
    let bench = Bench::new();
    assert_eq!(
        bench
            .ask("POST", "/api/v1/tenants", Some(json!({"name": "zeta"})))
            .await
            .0,
        201
    );
    let (status, json) = bench
        .ask("POST", "/api/v1/tenants", Some(json!({"name": "zeta"})))
        .await;
    assert_eq!((status, &json["code"]), (409, &json!("already_exists")));
    create(&bench, json!({"tenant": "acme", "project": "search"})).await;
    let (_, json) = bench.get("/api/v1/tenants").await;
    let listed: Vec<_> = json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["name"].clone(), t["projects"].clone()))
        .collect();
    assert_eq!(
        listed,
        [
            (json!("acme"), json!(["search"])),
            (json!("zeta"), json!([]))
        ]
    );
}

#[test]
fn a_fault_is_shown_with_its_place() {
    assert_eq!(
        json!(fault(7)),
        json!({"path": "routes.chat", "origin": "lintel.yaml", "line": 7, "column": 1, "message": "unknown key"})
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_key_may_do_is_changed_field_by_field_and_in_force_at_once() {
    let bench = Bench::new();
    let caps = json!({"tenant": "acme", "project": "search", "owner": "search@acme.example", "max_body": 1000,
        "models": ["openai/*"], "priority": "critical", "headers": ["user"], "feature": "web", "max_in_flight": 2});
    let made = create(&bench, caps).await;
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    let principal = || bench.plane.keys.lock().unwrap()[0].principal.clone();
    assert_eq!(principal().caps.max_body, Some(1_000));
    assert!(
        principal().caps.allow_target("openai", "x") && !principal().caps.allow_target("a", "x")
    );
    let change = json!({"max_body": null, "owner": "ads", "models": ["a/*"], "expires": "1h", "direct": true});
    let (status, json) = bench.ask("PATCH", &path, Some(change)).await;
    assert_eq!(
        (status, &json["max_body"], &json["owner"]),
        (200, &json!(null), &json!("ads"))
    );
    assert_eq!(
        (&json["priority"], &json["headers"]),
        (&json!("critical"), &json!(["user"]))
    );
    assert!(principal().caps.allow_target("a", "x") && principal().direct);
    assert_eq!(
        (principal().caps.max_body, principal().expires.is_some()),
        (None, true)
    );
    // The same again is nothing new.
    let audited = bench.audit().len();
    let again = json!({"owner": "ads", "models": ["a/*"]});
    assert_eq!(bench.ask("PATCH", &path, Some(again)).await.0, 200);
    assert_eq!(bench.audit().len(), audited);
    for (body, word) in [
        (json!({"max_body": 0}), "max_body"),
        (json!({"models": ["gpt"]}), "model"),
        (json!({"expires": "2020-01-01"}), "expiry"),
    ] {
        let (status, json) = bench.ask("PATCH", &path, Some(body)).await;
        assert_eq!(
            (status, &json["code"]),
            (400, &json!("invalid_value")),
            "{json}"
        );
        assert!(json["detail"].as_str().unwrap().starts_with(word), "{json}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_rotated_key_has_two_secrets_for_a_while_and_one_id() {
    let bench = Bench::new();
    let made = create(&bench, json!({"tenant": "acme", "project": "search"})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/keys/{id}/rotate");
    let (status, json) = bench
        .ask("POST", &path, Some(json!({"overlap": "1h"})))
        .await;
    assert_eq!((status, &json["id"]), (201, &json!(id)));
    assert_ne!(json["key"], made["key"]);
    let secrets = json["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 2);
    let begins = |text: &serde_json::Value, with: &serde_json::Value| {
        text.as_str().unwrap().starts_with(with.as_str().unwrap())
    };
    assert!(begins(&json["key"], &secrets[0]["prefix"]) && secrets[0]["expires"].is_null());
    assert!(begins(&made["key"], &secrets[1]["prefix"]) && !secrets[1]["expires"].is_null());
    let keys = bench.plane.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|k| *k.principal.key == *id));
    assert_eq!(keys.iter().filter(|k| k.ends.is_some()).count(), 1);
    let shown = bench.get(&format!("/api/v1/keys/{id}")).await.1.to_string();
    assert!(!shown.contains(json["key"].as_str().unwrap()));
    for bad in [json!({"overlap": "2026-01-01"}), json!({"overlap": "1y"})] {
        assert_eq!(bench.ask("POST", &path, Some(bad)).await.0, 400);
    }
    bench
        .ask("DELETE", &format!("/api/v1/keys/{id}"), None)
        .await;
    let (status, json) = bench.ask("POST", &path, Some(json!({}))).await;
    assert_eq!((status, &json["code"]), (409, &json!("revoked_key")));
}
