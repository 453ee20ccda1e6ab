//! The process is told to stop: calls finish within the bound, and what is cut is settled as cut.

use crate::ends::{CONTENT, broken, choose};
use crate::harness::script::Gate;
use crate::harness::{Client, Config, FACES, Face, Lintel, Request, Stage, dialect, until};

#[test]
fn a_shutdown_settles_what_it_cuts() {
    let gate = Gate::default();
    let held = gate.clone();
    let mut stage = Stage::with(
        move |seen| choose(seen, &held),
        |config| config.limit("drain", "300ms"),
    );
    let mut clients = Vec::new();
    for face in FACES {
        let session = stage.session();
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(face, &face.direct("begun"), true, &session)
                    .bytes(),
            )
            .unwrap();
        client.head().unwrap();
        client.until(CONTENT).unwrap();
        clients.push((face, session, client));
    }
    let waiting = stage.session();
    let mut client = stage.connect();
    client
        .send(
            &stage
                .request(Face::Openai, "up/hold", false, &waiting)
                .bytes(),
        )
        .unwrap();
    stage.provider.wait_for("hold", 1);
    stage.lintel.stop();
    for (face, _, client) in &mut clients {
        let (rest, _) = client.rest();
        broken(*face, &String::from_utf8_lossy(&rest));
    }
    assert_eq!(
        client.reply().status,
        503,
        "a call that was waiting is told to come again"
    );
    until("every connection to be closed", || {
        stage.provider.seen().iter().all(|s| s.hung_up())
    });

    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    let rows = again.rows();
    assert_eq!(rows.len(), 3, "{rows:#?}");
    for session in clients.iter().map(|(_, s, _)| s).chain([&waiting]) {
        assert_eq!(again.row(session).outcome(), "shutdown");
    }
    stage.quiet();
}

#[test]
fn a_shutdown_lets_calls_finish_within_its_bound() {
    let gate = Gate::default();
    let held = gate.clone();
    let mut stage = Stage::with(
        move |seen| choose(seen, &held),
        |config| config.limit("drain", "20s"),
    );
    let mut client = stage.connect();
    client
        .send(
            &stage
                .request(Face::Openai, "up/gated", true, "kept")
                .bytes(),
        )
        .unwrap();
    client.head().unwrap();
    let mut text = client.until(CONTENT).unwrap();
    stage.lintel.signal("TERM");
    until("the drain to be seen", || {
        stage.lintel.ask("GET", "/readyz").status == 503
    });
    gate.open();
    text.extend(client.rest().0);
    assert_eq!(String::from_utf8_lossy(&text), Face::Openai.client_stream());
    assert!(stage.lintel.ended().success());
    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    assert_eq!(again.row("kept").outcome(), "success");
}

#[test]
fn readiness_drops_before_calls_are_refused() {
    let mut stage = Stage::with(dialect::answer, |config| config.limit("drain_delay", "60s"));
    let mut kept = stage.connect();
    let call = |client: &mut crate::harness::Client, session: &str| {
        client.call(&stage.request(Face::Openai, "up/m", false, session))
    };
    let before = call(&mut kept, "before");
    assert_eq!((before.status, before.header("connection")), (200, None));
    stage.lintel.signal("TERM");
    until("the drain to be seen", || {
        stage.lintel.ask("GET", "/readyz").status == 503
    });
    for (client, session) in [(&mut kept, "kept"), (&mut stage.connect(), "new")] {
        let reply = call(client, session);
        assert_eq!(reply.status, 200, "{session}: {}", reply.text());
        assert_eq!(reply.header("connection"), Some("close"), "{session}");
        assert!(
            client.rest().0.is_empty(),
            "{session}: closed after its answer"
        );
    }
    // A second signal ends the waiting.
    stage.lintel.signal("TERM");
    assert!(stage.lintel.ended().success());
    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    assert_eq!(again.rows().len(), 3);
}

/// Surfaces whose streams are translated: a request, what begins its stream, what would end it well, and the reason that a
/// program reads in one that was cut. Bedrock's exceptions have a type and a text, and no place for a code.
const TRANSLATED: [[&str; 5]; 3] = [
    [
        "/v1/responses",
        r#"{"model":"claude/begun","stream":true,"input":"hello"}"#,
        "response.created",
        "response.completed",
        "shutting_down",
    ],
    [
        "/v1beta/models/claude/begun:streamGenerateContent?alt=sse",
        r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#,
        "candidates",
        "finishReason",
        "shutting_down",
    ],
    [
        "/model/claude%2Fbegun/converse-stream",
        r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#,
        "messageStart",
        "messageStop",
        "serviceUnavailableException",
    ],
];

#[test]
fn a_shutdown_cuts_translated_streams_in_their_own_dialect() {
    let gate = Gate::default();
    let mut stage = Stage::with(
        move |seen| choose(seen, &gate),
        |config| config.limit("drain", "300ms"),
    );
    let key = format!("Bearer {}", stage.key.secret);
    let begin = |[path, body, begins, ..]: [&str; 5]| -> Client {
        let request = Request::new("POST", path)
            .header("content-type", "application/json")
            .header("authorization", &key)
            .header("x-lintel-session", path)
            .body(body);
        let mut client = stage.connect();
        client.send(&request.bytes()).unwrap();
        let head = client.head().unwrap();
        assert!(head.start.contains(" 200 "), "{path}: {}", head.start);
        client.until(begins.as_bytes()).unwrap();
        client
    };
    let clients: Vec<Client> = TRANSLATED.into_iter().map(begin).collect();
    let mut kept = stage.connect();
    stage.lintel.stop();
    for ([path, _, _, whole, reason], mut client) in TRANSLATED.into_iter().zip(clients) {
        let (rest, _) = client.rest();
        let text = String::from_utf8_lossy(&rest);
        assert!(!text.contains(whole), "{path} must not look whole: {text}");
        assert!(text.contains(reason), "{path} says why: {text}");
    }
    let late = kept.send(&Request::new("GET", "/v1/models").bytes());
    assert!(late.is_err() || kept.try_reply().is_err(), "it is gone");
    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    for [path, ..] in TRANSLATED {
        assert_eq!(again.row(path).outcome(), "shutdown", "{path}");
    }
}
