//! What a key may ask for, and how a secret is changed without anybody noticing.

use serde_json::Value;

use crate::harness::client::Reply;
use crate::harness::script::Gate;
use crate::harness::{Act, FACES, Face, Request, Route, Script, Stage, dialect, until};

fn fault(face: Face, reply: &Reply) -> (u16, String) {
    (reply.status, face.error(reply).message)
}

#[test]
fn a_body_over_the_keys_cap_is_refused_before_it_is_read() {
    let stage = Stage::good();
    let key = stage.lintel.key(&["--direct", "--max-body", "1KB"]);
    for face in FACES {
        let fits = face.request(&key.secret, &face.direct("m"), false);
        assert_eq!(stage.connect().call(&fits).status, 200);
        let long = format!(
            "{}{}",
            " ".repeat(1_025),
            face.body(&face.direct("m"), false)
        );
        let reply = stage.connect().call(&face.head(&key.secret).body(&long));
        let (status, text) = fault(face, &reply);
        assert_eq!(status, 413);
        assert!(
            text.contains("1024 bytes") && text.contains("max_body"),
            "{text}"
        );
        // Declared and never sent: nobody waits for it.
        let mut client = stage.connect();
        let head = face.head(&key.secret).header("content-length", "1025");
        client.send(&head.bytes()).unwrap();
        assert_eq!(client.reply().status, 413);
        // Undeclared.
        let mut client = stage.connect();
        let head = face
            .head(&key.secret)
            .header("transfer-encoding", "chunked");
        client.send(&head.bytes()).unwrap();
        client
            .send(&crate::harness::http::chunk(long.as_bytes()))
            .unwrap();
        assert_eq!(client.reply().status, 413);
        // Another key has the gateway's cap.
        let reply = stage
            .connect()
            .call(&face.head(&stage.key.secret).body(&long));
        assert_eq!(reply.status, 200);
    }
    stage.idle();
}

#[test]
fn a_key_is_served_by_its_models_alone() {
    let stage = Stage::with(dialect::answer, |c| {
        c.route(
            "mixed",
            Route::new().tier(&[("up/big", 1)]).tier(&[("up/small", 1)]),
        )
        .route("big", Route::to("up/big"))
    });
    let key = stage.lintel.key(&["--direct", "--model", "*/small*"]);
    let face = Face::Openai;
    let call = |model: &str| {
        stage
            .connect()
            .call(&face.request(&key.secret, model, false))
    };
    assert_eq!(call("mixed").status, 200);
    assert_eq!(call("up/small-2").status, 200);
    assert!(
        stage
            .provider
            .seen()
            .iter()
            .all(|s| s.model().starts_with("small"))
    );
    for model in ["big", "up/big"] {
        let reply = call(model);
        assert_eq!(
            (reply.status, face.error(&reply).code.as_str()),
            (403, "model_not_allowed")
        );
    }
    let list = Request::new("GET", "/v1/models")
        .header("authorization", &format!("Bearer {}", key.secret));
    let names = stage.connect().call(&list).json();
    let names: Vec<&str> = names["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["mixed"]);
}

#[test]
fn priorities_are_capped_recorded_and_give_way_in_order() {
    let gate = Gate::default();
    let held = gate.clone();
    let choose = move |seen: &crate::harness::Seen| match seen.model().as_str() {
        "held" => Script([vec![Act::Gate(held.clone())], dialect::answer(seen).0].concat()),
        _ => dialect::answer(seen),
    };
    // Of 40: all for critical, 38 for normal, 30 for batch.
    let stage = Stage::with(choose, |c| c.limit("in_flight", "40"));
    let face = Face::Openai;
    let high = stage.lintel.key(&["--direct", "--priority", "critical"]);
    let low = stage.lintel.key(&["--direct", "--priority", "batch"]);
    let ask = |key: &str, priority: Option<&str>, model: &str, session: &str| {
        let request = face
            .request(key, model, false)
            .header("x-lintel-session", session);
        priority.map_or(request.clone(), |p| request.header("x-lintel-priority", p))
    };
    let mut waiting = Vec::new();
    let mut hold = |n: usize, key: &str, priority: Option<&str>| {
        for _ in 0..n {
            let mut client = stage.connect();
            client
                .send(&ask(key, priority, "up/held", "held").bytes())
                .unwrap();
            waiting.push(client);
        }
        let all = waiting.len();
        until("the calls to be under way", || {
            stage.provider.seen().len() == all
        });
    };
    let refused = |key: &str, priority: Option<&str>| {
        let reply = stage.connect().call(&ask(key, priority, "up/m", "refused"));
        assert_eq!(
            (reply.status, face.error(&reply).code.as_str()),
            (503, "overloaded")
        );
        assert!(reply.header("retry-after").is_some());
    };
    hold(30, &low.secret, None);
    refused(&low.secret, None);
    // A key of batch calls can't talk itself up, and one of normal ones neither.
    refused(&low.secret, Some("critical"));
    refused(&stage.key.secret, Some("batch"));
    hold(8, &stage.key.secret, None);
    refused(&stage.key.secret, Some("critical"));
    hold(2, &high.secret, Some("critical"));
    refused(&high.secret, Some("critical"));
    gate.open();
    waiting
        .iter_mut()
        .for_each(|c| assert_eq!(c.reply().status, 200));
    for (key, priority, session, recorded) in [
        (&high, Some("critical"), "a", Value::from("critical")),
        (&high, None, "b", Value::Null),
        (&stage.key, Some("critical"), "c", Value::Null),
        (&stage.key, Some("batch"), "d", Value::from("batch")),
        (&low, Some("normal"), "e", Value::from("batch")),
    ] {
        let reply = stage
            .connect()
            .call(&ask(&key.secret, priority, "up/m", session));
        assert_eq!(reply.status, 200);
        assert_eq!(
            stage.lintel.row(session).0["priority"],
            recorded,
            "{session}"
        );
    }
    let reply = stage
        .connect()
        .call(&ask(&high.secret, Some("urgent"), "up/m", "x"));
    assert_eq!(face.error(&reply).code, "invalid_header");
}

#[test]
fn a_key_has_so_many_calls_under_way_and_sets_so_many_headers() {
    let stage = Stage::new(|seen| match seen.model().as_str() {
        "hold" => Script(vec![Act::Hold]),
        _ => dialect::answer(seen),
    });
    let face = Face::Openai;
    let args = [
        "--direct",
        "--max-in-flight",
        "1",
        "--header",
        "user",
        "--feature",
        "own",
    ];
    let key = stage.lintel.key(&args);
    let call = |name: &str, value: &str| {
        let request = face.request(&key.secret, "up/m", false).header(name, value);
        stage.connect().call(&request)
    };
    let mut held = stage.connect();
    held.send(&face.request(&key.secret, "up/hold", false).bytes())
        .unwrap();
    stage.provider.wait_for("hold", 1);
    let reply = call("x-lintel-user", "u");
    assert_eq!(
        (reply.status, face.error(&reply).code.as_str()),
        (429, "too_many_in_flight")
    );
    held.hang_up();
    until("the slot to be given back", || {
        call("x-lintel-user", "u").status == 200
    });
    until("the feature to be booked", || {
        let usage: Value =
            serde_json::from_str(&stage.lintel.cli(&["usage", "--by", "feature", "--json"]))
                .unwrap();
        usage.to_string().contains("\"own\"")
    });
    let reply = call("x-lintel-feature", "other");
    let (status, text) = fault(face, &reply);
    assert_eq!(status, 403);
    assert!(text.contains("x-lintel-feature"), "{text}");
    // The cap is lifted for the next call.
    stage.lintel.cli(&[
        "key",
        "update",
        &key.id,
        "--header",
        "none",
        "--max-in-flight",
        "none",
    ]);
    assert_eq!(call("x-lintel-feature", "other").status, 200);
}

#[test]
fn a_rotated_key_has_two_secrets_and_one_ledger() {
    let stage = Stage::good();
    let face = Face::Openai;
    let old = stage
        .lintel
        .key(&["--direct", "--owner", "search@acme.example"]);
    let status = |secret: &str| {
        let request = face.request(secret, "up/m", false);
        let reply = stage.connect().call(&request);
        (
            reply.status,
            if reply.status == 200 {
                String::new()
            } else {
                face.error(&reply).code
            },
        )
    };
    let rotate = |overlap: &str| -> Value {
        let said = stage
            .lintel
            .cli(&["key", "rotate", &old.id, "--overlap", overlap, "--json"]);
        serde_json::from_str(&said).unwrap()
    };
    assert_eq!(status(&old.secret).0, 200);
    let new = rotate("1h");
    let secret = new["key"].as_str().unwrap().to_owned();
    assert_eq!(new["id"], old.id.as_str());
    assert_eq!((status(&old.secret).0, status(&secret).0), (200, 200));
    // Without an overlap: the old ones are out at once.
    let last = rotate("0s")["key"].as_str().unwrap().to_owned();
    assert_eq!(status(&last).0, 200);
    for gone in [&old.secret, &secret] {
        assert_eq!(status(gone), (401, "expired_key".to_owned()));
    }
    // One key in the ledger, whatever its secrets; and it is known when each was used.
    let rows = until_rows(&stage, 4);
    assert!(rows.iter().all(|r| r.0["who"]["key"] == old.id.as_str()));
    let shown = stage.lintel.cli(&["key", "show", &old.id, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let secrets = shown["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|s| s["last_used"].is_string()) && shown["last_used"].is_string());
    assert_eq!(shown["owner"], "search@acme.example");
    let idle = |since: &str| {
        stage
            .lintel
            .cli(&["key", "list", "--unused-since", since, "--json"])
    };
    assert!(!idle("1h").contains(&old.id), "it was used just now");
    let text = stage.lintel.cli(&["key", "show", &old.id]);
    assert!(text.contains("SECRET") && !text.contains(&last), "{text}");
}

fn until_rows(stage: &Stage, n: usize) -> Vec<crate::harness::Row> {
    until("the rows", || stage.lintel.rows().len() >= n);
    stage.lintel.rows()
}
