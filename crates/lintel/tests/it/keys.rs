//! Keys: who may call, what they may call, and how soon a word against them counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{FACES, Face, Request, Route, Stage, dialect, until};

fn two_routes() -> Stage {
    Stage::with(dialect::answer, |c| {
        FACES.into_iter().fold(c, |c, f| {
            c.route(&format!("open-{}", f.provider()), Route::to(&f.direct("m")))
                .route(
                    &format!("closed-{}", f.provider()),
                    Route::to(&f.direct("m")),
                )
        })
    })
}

#[test]
fn what_is_no_key() {
    let stage = Stage::good();
    let right = &stage.key.secret;
    let changed = format!(
        "{}{}",
        &right[..right.len() - 1],
        if right.ends_with('A') { 'B' } else { 'A' }
    );
    let wrong = [
        String::new(),
        "lk_".into(),
        format!("lk_{}", "A".repeat(43)),
        changed,
        format!("{right}A"),
        right[..right.len() - 1].to_owned(),
        right.to_uppercase(),
        format!("lk_{}", "k".repeat(8_000)),
        "Basic dXNlcjpwYXNz".into(),
        stage.key.id.clone(),
    ];
    for face in FACES {
        for key in &wrong {
            let reply = stage
                .connect()
                .call(&face.request(key, &face.direct("m"), false));
            assert_eq!(reply.status, 401, "{face:?} {key:?}: {}", reply.text());
            let fault = face.error(&reply);
            assert_eq!(fault.kind, "authentication_error");
            assert!(
                key.len() < 8 || !reply.text().contains(key.as_str()),
                "a key is not repeated"
            );
        }
        let bytes = [b"POST ", face.path().as_bytes(), b" HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\ncontent-length: 2\r\n\r\n{}"].concat();
        let mut client = stage.connect();
        client.send(&bytes).unwrap();
        assert!([400, 401].contains(&client.reply().status));
    }
    assert!(stage.provider.seen().is_empty());
    stage.idle();
    stage.still_serves("m");
    stage.quiet();
}

#[test]
fn a_key_that_has_expired() {
    let stage = Stage::good();
    let short = stage.lintel.key(&["--direct", "--expires", "1s"]);
    let long = stage.lintel.key(&["--direct", "--expires", "30d"]);
    for face in FACES {
        until("the key to expire", || {
            stage
                .connect()
                .call(&face.request(&short.secret, &face.direct("m"), false))
                .status
                == 401
        });
        let reply = stage
            .connect()
            .call(&face.request(&short.secret, &face.direct("m"), false));
        assert_eq!(face.error(&reply).code, "expired_key", "{}", reply.text());
        assert_eq!(
            stage
                .connect()
                .call(&face.request(&long.secret, &face.direct("m"), false))
                .status,
            200
        );
    }
}

#[test]
fn a_disabled_key_is_out_of_force_until_it_is_enabled() {
    let stage = Stage::good();
    let key = stage.lintel.key(&["--direct"]);
    for face in FACES {
        let call = || {
            let request = face.request(&key.secret, &face.direct("m"), false);
            stage.connect().call(&request)
        };
        assert_eq!(call().status, 200);
        stage.lintel.cli(&["key", "disable", &key.id]);
        let reply = call();
        assert_eq!(face.error(&reply).code, "disabled_key", "{}", reply.text());
        stage.lintel.cli(&["key", "enable", &key.id]);
        assert_eq!(call().status, 200);
    }
}

#[test]
fn a_revoked_key_is_out_within_a_second_while_calls_run() {
    let stage = Stage::good();
    let doomed = stage.lintel.key(&["--direct"]);
    let stop = AtomicBool::new(false);
    let (last_good, revoked_at) = std::thread::scope(|scope| {
        let callers: Vec<_> = FACES
            .into_iter()
            .map(|face| {
                let (stage, doomed, stop) = (&stage, &doomed, &stop);
                scope.spawn(move || {
                    let mut client = stage.connect();
                    let (mut last, mut calls) = (Instant::now(), 0);
                    while !stop.load(Ordering::SeqCst) {
                        let sent = Instant::now();
                        match client
                            .call(&face.request(&doomed.secret, &face.direct("m"), false))
                            .status
                        {
                            200 => (last, calls) = (sent, calls + 1),
                            401 => break,
                            other => panic!("{other}"),
                        }
                    }
                    assert!(calls > 0);
                    last
                })
            })
            .collect();
        until("calls to run", || stage.provider.seen().len() > 20);
        stage.lintel.cli(&["key", "revoke", &doomed.id]);
        let revoked_at = Instant::now();
        until("callers to be turned away", || {
            callers
                .iter()
                .all(std::thread::ScopedJoinHandle::is_finished)
        });
        stop.store(true, Ordering::SeqCst);
        (
            callers
                .into_iter()
                .map(|c| c.join().unwrap())
                .max()
                .unwrap(),
            revoked_at,
        )
    });
    let late = last_good.saturating_duration_since(revoked_at);
    assert!(
        late < Duration::from_secs(1),
        "a call was accepted {late:?} after the revocation"
    );
    let reply = stage
        .connect()
        .call(&Face::Openai.request(&doomed.secret, "up/m", false));
    assert_eq!(
        (reply.status, Face::Openai.error(&reply).code.as_str()),
        (401, "revoked_key"),
        "{}",
        reply.text()
    );
    stage.still_serves("m");
    // The list says so, and holds no secret.
    let list = stage.lintel.cli(&["key", "list", "--json"]);
    assert!(
        list.contains(&doomed.id) && !list.contains(&doomed.secret),
        "{list}"
    );
    assert!(
        !stage
            .lintel
            .try_cli(&["key", "revoke", "key_0000000000000000"])
            .status
            .success(),
        "an unknown key can't be revoked"
    );
}

fn models(stage: &Stage, key: &str) -> Vec<String> {
    let reply = stage
        .connect()
        .call(&Request::new("GET", "/v1/models").header("authorization", &format!("Bearer {key}")));
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/json")),
        "{}",
        reply.text()
    );
    let json = reply.json();
    let mut names: Vec<String> = json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_key_calls_and_sees_only_its_routes() {
    let stage = two_routes();
    let narrow = stage
        .lintel
        .key(&["--route", "open-up", "--route", "open-claude"]);
    let wide = stage.lintel.key(&[]);
    for face in FACES {
        let call = |key: &str, model: &str| stage.connect().call(&face.request(key, model, false));
        let (open, closed) = (
            format!("open-{}", face.provider()),
            format!("closed-{}", face.provider()),
        );
        assert_eq!(call(&narrow.secret, &open).status, 200);
        assert_eq!(call(&wide.secret, &closed).status, 200);
        // A closed route, a direct name and a name that doesn't exist look alike: existence is not told.
        let replies = [
            call(&narrow.secret, &closed),
            call(&narrow.secret, &face.direct("m")),
            call(&narrow.secret, "no-such-route"),
        ];
        let faults: Vec<_> = replies.iter().map(|r| (r.status, face.error(r))).collect();
        for (status, fault) in &faults {
            assert_eq!(
                (*status, &fault.kind, &fault.code),
                (faults[0].0, &faults[0].1.kind, &faults[0].1.code),
                "{faults:?}"
            );
            assert_eq!(*status, 403);
        }
    }
    assert_eq!(models(&stage, &narrow.secret), ["open-claude", "open-up"]);
    assert_eq!(
        models(&stage, &wide.secret),
        ["closed-claude", "closed-up", "open-claude", "open-up"]
    );
    assert!(
        !models(&stage, &narrow.secret)
            .iter()
            .any(|m| m.contains('/'))
    );
    // One model: there for whom it is, 404 for others.
    let one = |key: &str, id: &str| {
        stage.connect().call(
            &Request::new("GET", &format!("/v1/models/{id}"))
                .header("authorization", &format!("Bearer {key}")),
        )
    };
    let found = one(&narrow.secret, "open-up");
    assert_eq!(
        (found.status, &found.json()["id"], &found.json()["object"]),
        (200, &Value::from("open-up"), &Value::from("model"))
    );
    for id in ["closed-up", "no-such-route", "up/m", "", "%2e%2e"] {
        assert_eq!(one(&narrow.secret, id).status, 404, "{id}");
    }
    assert_eq!(
        stage
            .connect()
            .call(&Request::new("GET", "/v1/models"))
            .status,
        401
    );
    stage.idle();
}

#[test]
fn names_of_targets_are_told_only_to_keys_that_may_know() {
    let stage = Stage::with(
        |seen| {
            if seen.model() == "first" {
                crate::harness::Script::json("500 Internal Server Error", b"{}")
            } else {
                dialect::answer(seen)
            }
        },
        |c| {
            c.route(
                "two",
                Route::new()
                    .tier(&[("up/first", 1)])
                    .tier(&[("up/second", 1)]),
            )
        },
    );
    let knows = stage.lintel.key(&["--expose-targets"]);
    let told = stage
        .connect()
        .call(&Face::Openai.request(&knows.secret, "two", false));
    assert!(
        told.header("x-lintel-degraded").unwrap().contains("second"),
        "{:?}",
        told.head.headers
    );
    let (untold, _) = stage.call(Face::Openai, "two", false);
    assert!(
        !format!("{:?}", untold.head).contains("second"),
        "{:?}",
        untold.head.headers
    );
}

#[test]
fn the_admin_listener_wants_its_token() {
    let stage = Stage::good();
    let ask = |token: Option<&str>, method: &str, path: &str| {
        let request = Request::new(method, path);
        let request = token.map_or(request.clone(), |t| {
            request.header("authorization", &format!("Bearer {t}"))
        });
        crate::harness::Client::connect(stage.lintel.admin).call(&request)
    };
    for path in [
        "/api/v1/keys",
        "/api/v1/tenants",
        "/api/v1/usage",
        "/api/v1/exchanges",
        "/api/v1/status",
    ] {
        // Few wrong ones: whoever guesses is slowed down.
        let wrong = if path.ends_with("keys") {
            stage.key.secret.as_str()
        } else {
            "wrong"
        };
        for token in [None, Some(wrong)] {
            let reply = ask(token, "GET", path);
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (401, Some("application/problem+json")),
                "{path}: {}",
                reply.text()
            );
        }
        assert_eq!(stage.lintel.ask("GET", path).status, 200, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask(None, "GET", path).status, 200, "{path}");
    }
    assert_eq!(
        ask(None, "POST", "/v1/chat/completions").status,
        404,
        "the admin listener serves no model"
    );
    // A tenant's row is found by its id, and another id isn't.
    let (reply, session) = stage.call(Face::Openai, "up/m", false);
    stage.lintel.row(&session);
    let id = reply.header("x-request-id").unwrap();
    let row = stage.lintel.ask("GET", &format!("/api/v1/exchanges/{id}"));
    assert_eq!(
        (row.status, row.text().contains(id)),
        (200, true),
        "{}",
        row.text()
    );
    assert_eq!(
        stage
            .lintel
            .ask("GET", "/api/v1/exchanges/ex_00000000000000000000000000")
            .status,
        404
    );
}
