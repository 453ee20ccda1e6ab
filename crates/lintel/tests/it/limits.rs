//! Caps on what clients may send and hold at once: each refusal is told, counted once, and passes.

use std::time::Duration;

use crate::harness::script::Gate;
use crate::harness::{Act, Client, FACES, Face, Row, Script, Seen, Stage, dialect, until};

#[test]
fn a_body_over_the_cap() {
    let stage = Stage::with(dialect::answer, |c| c.limit("body", "64KB"));
    for face in FACES {
        let padded = |total: usize| {
            let body = face.body(&face.direct("m"), false);
            format!("{}{}", body, " ".repeat(total - body.len()))
        };
        // Exactly the cap is fine; a byte more is not.
        let request = |bytes: usize| {
            face.head(&stage.key.secret)
                .header("x-lintel-session", &stage.session())
                .body(padded(bytes))
        };
        assert_eq!(stage.connect().call(&request(64 * 1024)).status, 200);
        let reply = stage.connect().call(&request(64 * 1024 + 1));
        assert_eq!(
            (reply.status, face.error(&reply).code.as_str()),
            (413, "request_too_large"),
            "{}",
            reply.text()
        );
        // Announced: refused before a byte of it is sent.
        let mut client = stage.connect();
        let huge = face
            .head(&stage.key.secret)
            .header("content-length", "9999999999999")
            .header("expect", "100-continue");
        client.send(&huge.head_bytes()).unwrap();
        assert_eq!(client.reply().status, 413);
        // Not announced: refused when it has come too far.
        let mut client = stage.connect();
        client
            .send(
                &face
                    .head(&stage.key.secret)
                    .header("transfer-encoding", "chunked")
                    .head_bytes(),
            )
            .unwrap();
        let piece = crate::harness::http::chunk(&[b' '; 16 * 1024]);
        for _ in 0..5 {
            client.send(&piece).unwrap();
        }
        let reply = client.reply();
        assert_eq!(
            (reply.status, face.error(&reply).code.as_str()),
            (413, "request_too_large")
        );
    }
    let rows: Vec<Row> = stage.balance(8);
    assert_eq!(
        rows.iter()
            .filter(|r| r.text("code") == "request_too_large")
            .count(),
        6
    );
    stage.still_serves("m");
}

#[test]
fn heads_without_end() {
    let stage = Stage::with(dialect::answer, |c| {
        c.limit("headers", "16KB").limit("header_timeout", "300ms")
    });
    let line = format!("x-filler: {}\r\n", "f".repeat(1000));
    // Too many bytes of headers: refused, whatever is still to come.
    let mut client = stage.connect();
    let _ = client.send(
        format!(
            "POST /v1/messages HTTP/1.1\r\nhost: x\r\n{}",
            line.repeat(64)
        )
        .as_bytes(),
    );
    let status = client.try_reply().map_or(0, |r| r.status);
    assert!([400, 431, 0].contains(&status), "{status}");
    // One header of the size of a novel.
    let mut client = stage.connect();
    let _ = client.send(
        format!(
            "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {}",
            "k".repeat(1 << 20)
        )
        .as_bytes(),
    );
    let status = client.try_reply().map_or(0, |r| r.status);
    assert!([400, 431, 0].contains(&status), "{status}");
    // A head that never ends in time.
    let mut client = stage.connect();
    client
        .send(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n")
        .unwrap();
    let status = client.try_reply().map_or(0, |r| r.status);
    assert!([400, 408, 0].contains(&status), "{status}");
    stage.idle();
    stage.still_serves("m");
}

#[test]
fn a_body_that_never_comes() {
    let stage = Stage::with(dialect::answer, |c| c.limit("body_timeout", "300ms"));
    for face in FACES {
        let session = stage.session();
        let bytes = stage
            .request(face, &face.direct("m"), false, &session)
            .bytes();
        let mut client = stage.connect();
        client.send(&bytes[..bytes.len() - 1]).unwrap();
        let reply = client.reply();
        assert_eq!(reply.status, 408, "{}", reply.text());
        face.error(&reply);
        assert_eq!(stage.lintel.row(&session).outcome(), "client_error");
    }
    stage.balance(2);
}

#[test]
fn more_connections_than_allowed() {
    let stage = Stage::with(dialect::answer, |c| c.limit("connections", "8"));
    let mut idle: Vec<Client> = (0..8).map(|_| stage.connect()).collect();
    for client in &mut idle {
        assert_eq!(
            client
                .call(&stage.request(Face::Openai, "up/m", false, &stage.session()))
                .status,
            200
        );
    }
    // One more is refused or has to wait; when one goes, one can come.
    let mut extra = stage.connect();
    let request = stage.request(Face::Openai, "up/m", false, &stage.session());
    let _ = extra.send(&request.bytes());
    extra.patience(Duration::from_millis(300));
    let refused = extra.try_reply();
    assert!(
        refused.as_ref().map_or(true, |r| r.status == 503),
        "{refused:?}"
    );
    drop(extra);
    idle.clear();
    until("room for a connection again", || {
        let mut client = stage.connect();
        let _ = client.send(&stage.request(Face::Openai, "up/m", false, "late").bytes());
        client.try_reply().is_ok_and(|r| r.status == 200)
    });
    stage.idle();
}

#[test]
fn more_calls_than_allowed() {
    let gate = Gate::default();
    let held = gate.clone();
    let choose = move |seen: &Seen| {
        let answer = dialect::answer(seen);
        Script([vec![Act::Gate(held.clone())], answer.0].concat())
    };
    let stage = Stage::with(choose, |c| c.limit("in_flight", "2"));
    let mut running = Vec::new();
    for n in 1..=2 {
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(Face::Openai, "up/m", false, &stage.session())
                    .bytes(),
            )
            .unwrap();
        stage.provider.wait_for("m", n);
        running.push(client);
    }
    for face in FACES {
        let (reply, _) = stage.call(face, &face.direct("m"), true);
        face.error(&reply);
        assert_eq!(
            (
                reply.status,
                reply.header("x-lintel-error-origin"),
                reply.header("x-should-retry")
            ),
            (503, Some("gateway"), Some("true"))
        );
        assert!(reply.header("retry-after").is_some());
    }
    gate.open();
    assert!(running.iter_mut().all(|c| c.reply().status == 200));
    stage.balance_with(2, 2);
}
