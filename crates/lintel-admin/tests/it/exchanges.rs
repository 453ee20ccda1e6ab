//! What happened, read back: the request log and the sums over the ledger.

use std::time::Duration;

use lintel_types::{Clock, Dispatched, ExchangeId, Settled};
use serde_json::{Value, json};

use crate::bench::Bench;

/// Journals one call that began `seconds` after the clock's start.
fn call(bench: &Bench, seconds: u64, tenant: &str, change: &Value) -> ExchangeId {
    let at = bench.clock.wall().plus(Duration::from_secs(seconds));
    let exchange = ExchangeId::floor_at(at);
    let who = json!({"tenant": tenant, "project": "search", "key": "key_1"});
    let dispatched = json!({
        "exchange": exchange, "attempt": 1, "at": at, "node": 0, "leg": "primary", "surface": "openai.chat",
        "route": "chat", "provider": "openai", "model": "m", "who": who, "estimated_input": 1, "price": null, "estimated_cost": "0.1", "config": "c",
    });
    let line = |meter: &str, quantity: u64, cost: &str| json!({"meter": meter, "quantity": quantity, "cost": cost});
    let attempt = json!({
        "ordinal": 1, "leg": "primary", "tier": 1, "provider": "openai", "model": "m", "status": 200, "reason": "tier 1", "start_us": 1,
        "duration_us": 2, "lines": [line("input", 10, "0.1"), line("output", 5, "0.2")], "cost": "0.3",
    });
    let mut settled = json!({
        "exchange": exchange, "exchange_kind": "call", "sequence": 1, "started": at, "node": 0, "who": who, "surface": dispatched["surface"], "route": "chat",
        "stream": false, "outcome": "success", "status": 200, "attempts": [attempt], "cost": "0.3", "duration_us": 3, "overhead_us": 1,
        "request_bytes": 1, "response_bytes": 1, "config": "c",
    });
    settled
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    let mut permit = bench.journal.permit().unwrap();
    permit
        .dispatched(&serde_json::from_value::<Dispatched>(dispatched).unwrap())
        .unwrap();
    let _ = permit.settle(serde_json::from_value::<Settled>(settled).unwrap());
    exchange
}

fn ids(json: &Value) -> Vec<&str> {
    json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["exchange"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn the_log_is_newest_first_filtered_and_paged() {
    let bench = Bench::new();
    let made: Vec<String> = (0..5)
        .map(|n| call(&bench, n, if n == 3 { "zeta" } else { "acme" }, &json!({})).to_string())
        .collect();
    call(
        &bench,
        9,
        "acme",
        &json!({"outcome": "provider_error", "status": 502}),
    );
    bench.projection.flush();
    let (status, all) = bench.get("/api/v1/exchanges?outcome=success").await;
    assert_eq!(
        (status, ids(&all)),
        (200, made.iter().rev().map(String::as_str).collect())
    );
    for (query, count) in [
        ("tenant=zeta", 1),
        ("route=chat", 6),
        ("route=other", 0),
        ("outcome=provider_error", 1),
        ("outcome=orphaned", 0),
    ] {
        assert_eq!(
            ids(&bench.get(&format!("/api/v1/exchanges?{query}")).await.1).len(),
            count,
            "{query}"
        );
    }
    let (_, first) = bench.get("/api/v1/exchanges?outcome=success&limit=3").await;
    let (_, second) = bench
        .get(&format!(
            "/api/v1/exchanges?outcome=success&limit=3&after={}",
            first["next"].as_str().unwrap()
        ))
        .await;
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&all));
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_may_hold_a_thousand_and_knows_of_the_next() {
    let bench = Bench::new();
    for n in 0..1_001 {
        call(&bench, n, "acme", &json!({}));
    }
    bench.projection.flush();
    let (_, page) = bench.get("/api/v1/exchanges?limit=1000").await;
    assert_eq!(ids(&page).len(), 1_000);
    let (_, rest) = bench
        .get(&format!(
            "/api/v1/exchanges?limit=1000&after={}",
            page["next"].as_str().unwrap()
        ))
        .await;
    assert_eq!((ids(&rest).len(), &rest["next"]), (1, &Value::Null));
}

#[tokio::test(flavor = "current_thread")]
async fn one_exchange_is_found_by_its_id_and_by_its_callers() {
    let bench = Bench::new();
    let plain = call(&bench, 1, "acme", &json!({}));
    let named = call(
        &bench,
        2,
        "acme",
        &json!({"client_request_id": "order-7/ä"}),
    );
    bench.projection.flush();
    for (name, want) in [
        (plain.to_string(), plain),
        ("order-7%2F%C3%A4".into(), named),
    ] {
        let (status, json) = bench.get(&format!("/api/v1/exchanges/{name}")).await;
        assert_eq!(
            (status, json["exchange"].as_str()),
            (200, Some(want.to_string().as_str())),
            "{name}"
        );
        assert_eq!(
            (&json["attempts"][0]["model"], &json["cost"]),
            (&json!("m"), &json!("0.3"))
        );
        assert!(json["started"].as_str().unwrap().ends_with('Z'));
    }
    for name in ["ex_00000000000000000000000000", "nobody"] {
        let (status, json) = bench.get(&format!("/api/v1/exchanges/{name}")).await;
        assert_eq!(
            (status, &json["code"]),
            (404, &json!("not_found")),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn usage_is_summed_by_what_was_asked() {
    let bench = Bench::new();
    for (seconds, tenant) in [(1, "acme"), (2, "acme"), (3, "zeta")] {
        call(&bench, seconds, tenant, &json!({}));
    }
    bench.projection.flush();
    let (status, json) = bench.get("/api/v1/usage?by=tenant,model,tenant").await;
    assert_eq!((status, &json["by"]), (200, &json!(["tenant", "model"])));
    assert_eq!(
        json["data"][0],
        json!({"tenant": "acme", "model": "m", "requests": 2, "attempts": 2, "orphans": 0, "estimated": 0, "meters": {"input": 20, "output": 10}, "cost": "0.6"})
    );
    assert_eq!(json["data"][1]["tenant"], "zeta");
    let (_, json) = bench.get("/api/v1/usage?tenant=acme").await;
    assert_eq!(
        (
            json["data"].as_array().unwrap().len(),
            &json["data"][0]["requests"]
        ),
        (1, &json!(2))
    );
    bench.clock.advance(Duration::from_secs(3_600));
    let (_, json) = bench.get("/api/v1/usage?by=tenant&since=3598s").await;
    assert_eq!(
        json["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["requests"].as_u64().unwrap())
            .sum::<u64>(),
        2
    );
}
