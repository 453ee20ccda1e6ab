//! The process is told to stop: calls finish within the bound, and what is cut is settled as cut.

use crate::ends::{CONTENT, broken, choose};
use crate::harness::script::Gate;
use crate::harness::{Config, FACES, Face, Lintel, Stage, dialect, until};

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
