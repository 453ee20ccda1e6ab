//! A key that stops being good ends its calls in flight, wherever they stand, and nobody else's.

use std::time::Duration;

use crate::ends::{CONTENT, begun, broken, choose, settled};
use crate::harness::script::Gate;
use crate::harness::{Act, Client, Config, FACES, Face, Lintel, Request, Route, Stage, until};

/// What every dialect says in its own way.
const TOLD: &str = "revoked before the answer was whole";

fn stage() -> (Stage, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let more = |config: Config| {
        FACES.into_iter().fold(config, |config, face| {
            let route = Route::to(&face.direct("begun")).set("on_disconnect", "{ drain: 60s }");
            config.route(&format!("drained-{}", face.provider()), route)
        })
    };
    let stage = Stage::with(
        move |seen| match seen.model().as_str() {
            "flood" => {
                let face = crate::harness::dialect::face_of(seen);
                let event = face.events()[if face == Face::Openai { 2 } else { 3 }];
                let chunk = crate::harness::http::chunk(event.repeat(64).as_bytes());
                begun(face).then(Act::Repeat(chunk, 100_000))
            }
            _ => choose(seen, &held),
        },
        more,
    );
    (stage, gate)
}

fn begin(stage: &Stage, key: &str, face: Face, model: &str, session: &str) -> Client {
    let mut client = stage.connect();
    let request = face
        .request(key, model, true)
        .header("x-lintel-session", session);
    client.send(&request.bytes()).unwrap();
    client.head().unwrap();
    client.until(CONTENT).unwrap();
    client
}

#[test]
fn streams_end_with_an_error_event_and_others_go_on() {
    let (stage, gate) = stage();
    for face in FACES {
        let doomed = stage.lintel.key(&["--direct"]);
        let other = stage.session();
        let mut spared = begin(
            &stage,
            &stage.key.secret,
            face,
            &face.direct("gated"),
            &other,
        );
        for (turn, model) in [face.direct("begun"), format!("drained-{}", face.provider())]
            .iter()
            .enumerate()
        {
            let doomed = if turn == 0 {
                doomed.clone()
            } else {
                stage.lintel.key(&["--direct"])
            };
            let session = stage.session();
            let mut client = begin(&stage, &doomed.secret, face, model, &session);
            stage.lintel.cli(&["key", "revoke", &doomed.id]);
            let (rest, _) = client.rest();
            let fault = broken(face, &String::from_utf8_lossy(&rest));
            assert_eq!(fault.kind, "authentication_error");
            assert!(fault.message.contains(TOLD), "{fault:?}");
            if face == Face::Openai {
                assert_eq!(fault.code, "key_revoked");
            }
            let row = stage.lintel.row(&session);
            settled(&row, "revoked", &["cancelled"]);
            assert_eq!(
                (row.status(), row.text("code"), row.text("side")),
                (200, "key_revoked", "client")
            );
            assert!(
                row.meters().contains_key("output") && row.cost() > 0,
                "what was seen of the answer is booked: {}",
                row.0
            );
        }
        until("the provider to be let go", || {
            let seen = stage.provider.seen();
            let begun = seen.iter().filter(|s| s.model() == "begun");
            begun.into_iter().all(|s| s.hung_up())
        });
        gate.open();
        let (rest, _) = spared.rest();
        assert!(String::from_utf8_lossy(&rest).ends_with(face.terminal()));
        assert_eq!(stage.lintel.row(&other).outcome(), "success");
    }
    stage.balance(6);
}

#[test]
fn calls_that_wait_are_told_in_their_dialect() {
    let (stage, _) = stage();
    for (at, face) in FACES.into_iter().enumerate() {
        let doomed = stage.lintel.key(&["--direct"]);
        let session = stage.session();
        let mut client = stage.connect();
        let request = face
            .request(&doomed.secret, &face.direct("hold"), false)
            .header("x-lintel-session", &session);
        client.send(&request.bytes()).unwrap();
        let seen = stage.provider.wait_for("hold", at + 1);
        stage.lintel.cli(&["key", "disable", &doomed.id]);
        let reply = client.reply();
        let fault = face.error(&reply);
        assert_eq!(
            (reply.status, fault.kind.as_str()),
            (401, "authentication_error")
        );
        assert!(fault.message.contains("disabled"), "{fault:?}");
        until("the provider to be let go", || seen.hung_up());
        let row = stage.lintel.row(&session);
        settled(&row, "revoked", &["cancelled"]);
        assert_eq!(row.status(), 401);
        assert!(row.meters()["input"] > 0, "it was sent: {}", row.0);
        // A body that is still on its way is no way out either.
        stage.lintel.cli(&["key", "enable", &doomed.id]);
        let mut slow = stage.connect();
        let head = face.head(&doomed.secret).header("content-length", "1000");
        slow.send(&head.bytes()).unwrap();
        until("the call to be admitted", || {
            crate::harness::Metrics::of(&stage.lintel).in_flight() > 0.0
        });
        stage.lintel.cli(&["key", "revoke", &doomed.id]);
        assert_eq!(slow.reply().status, 401);
    }
    stage.idle();
    stage.quiet();
}

#[test]
fn a_client_that_does_not_read_is_cut_too() {
    let (stage, _) = stage();
    for (at, face) in FACES.into_iter().enumerate() {
        let doomed = stage.lintel.key(&["--direct"]);
        let session = stage.session();
        let mut client = Client::narrow(stage.lintel.addr, 4_096);
        let request = face
            .request(&doomed.secret, &face.direct("flood"), true)
            .header("x-lintel-session", &session);
        client.send(&request.bytes()).unwrap();
        let seen = stage.provider.wait_for("flood", at + 1);
        let mut last = 0;
        until("the provider to be held", || {
            std::thread::sleep(Duration::from_millis(200));
            std::mem::replace(&mut last, seen.sent()) == seen.sent() && seen.sent() > 0
        });
        stage.lintel.cli(&["key", "revoke", &doomed.id]);
        until("the provider to be let go", || seen.hung_up());
        let row = stage.lintel.row(&session);
        settled(&row, "revoked", &["cancelled"]);
        drop(client);
    }
    stage.balance(2);
}

#[test]
fn a_key_that_expires_ends_its_calls_at_its_time() {
    let (stage, _) = stage();
    let face = Face::Openai;
    let short = stage.lintel.key(&["--direct", "--expires", "2s"]);
    let session = stage.session();
    let mut client = begin(&stage, &short.secret, face, "up/begun", &session);
    let (rest, _) = client.rest();
    let fault = broken(face, &String::from_utf8_lossy(&rest));
    assert_eq!(fault.code, "key_revoked");
    assert!(fault.message.contains("expired"), "{fault:?}");
    settled(&stage.lintel.row(&session), "revoked", &["cancelled"]);
    stage.balance(1);
}

#[test]
fn every_surface_says_it() {
    let config = Config::default().provider("box", "{ protocol: sandbox }");
    let lintel = Lintel::start(&config);
    let model = "box/sandbox-n3000-i20";
    let chat = format!(
        r#"{{"model":"{model}","stream":true,"max_tokens":9000,"messages":[{{"role":"user","content":"hi"}}]}}"#
    );
    let cases = [
        ("/v1/chat/completions".to_owned(), chat.clone()),
        ("/v1/messages".into(), chat),
        (
            "/v1/completions".into(),
            format!(r#"{{"model":"{model}","stream":true,"prompt":"hi"}}"#),
        ),
        (
            "/v1/responses".into(),
            format!(r#"{{"model":"{model}","stream":true,"input":"hi"}}"#),
        ),
        (
            format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#.into(),
        ),
        (
            format!("/model/{}/converse-stream", model.replace('/', "%2F")),
            r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#.into(),
        ),
    ];
    for (path, body) in cases {
        let doomed = lintel.key(&["--direct"]);
        let request = Request::new("POST", &path)
            .header("content-type", "application/json")
            .header("authorization", &format!("Bearer {}", doomed.secret))
            .body(body);
        let mut client = lintel.connect();
        client.send(&request.bytes()).unwrap();
        let head = client.head().unwrap();
        assert!(head.start.contains(" 200 "), "{path}: {}", head.start);
        client.piece().unwrap();
        lintel.cli(&["key", "revoke", &doomed.id]);
        let (rest, ended) = client.rest();
        let text = String::from_utf8_lossy(&rest);
        assert!(text.contains(TOLD), "{path}: {text}");
        assert!(
            ended.is_ok(),
            "{path}: the body ends as its framing promises"
        );
    }
    until("six rows", || lintel.rows().len() == 6);
    for row in lintel.rows() {
        assert_eq!(
            (row.outcome(), row.text("code")),
            ("revoked", "key_revoked")
        );
    }
}

#[test]
fn under_load_every_call_of_the_key_ends_and_no_other() {
    const EACH: usize = 30;
    let (stage, gate) = stage();
    let doomed = stage.lintel.key(&["--direct"]);
    let open = |key: &str, model: &str| -> Vec<(Face, Client)> {
        let one = |at: usize| {
            let face = FACES[at % 2];
            let client = begin(&stage, key, face, &face.direct(model), &stage.session());
            (face, client)
        };
        (0..EACH).map(one).collect()
    };
    let mut cut = open(&doomed.secret, "begun");
    let mut kept = open(&stage.key.secret, "gated");
    stage.lintel.cli(&["key", "revoke", &doomed.id]);
    for (face, client) in &mut cut {
        let (rest, _) = client.rest();
        broken(*face, &String::from_utf8_lossy(&rest));
    }
    gate.open();
    for (face, client) in &mut kept {
        let (rest, _) = client.rest();
        let text = String::from_utf8_lossy(&rest).into_owned();
        assert!(text.ends_with(face.terminal()), "{text}");
    }
    let rows = stage.balance(2 * EACH);
    let count = |outcome: &str| rows.iter().filter(|r| r.outcome() == outcome).count();
    assert_eq!((count("revoked"), count("success")), (EACH, EACH));
}
