//! The client goes away: while it sends, while it waits, while it reads.

use crate::ends::{CONTENT, route, settled, stage};
use crate::harness::{FACES, Face, Metrics, until};

#[test]
fn a_hang_up_while_waiting_cancels_upstream() {
    let (stage, _) = stage(&["hold"], &[]);
    for (at, face) in FACES.into_iter().enumerate() {
        for (turn, stream) in [false, true].into_iter().enumerate() {
            let session = stage.session();
            let mut client = stage.connect();
            client
                .send(
                    &stage
                        .request(face, &route(face, "hold"), stream, &session)
                        .bytes(),
                )
                .unwrap();
            let seen = stage.provider.wait_for("hold", at * 2 + turn + 1);
            if stream {
                client.hang_up()
            } else {
                client.reset()
            }
            until("the provider's connection to be closed", || seen.hung_up());
            let row = stage.lintel.row(&session);
            settled(&row, "cancelled", &["cancelled"]);
            assert_eq!(
                (row.status(), &row.attempts()[0]["phase"]),
                (0, &"before_first_byte".into())
            );
            assert_eq!(
                row.attempts()[0]["estimated"],
                true,
                "the provider's numbers never came"
            );
            assert!(row.meters()["input"] > 0);
        }
    }
    stage.balance(4);
}

#[test]
fn a_hang_up_mid_stream_cancels_upstream() {
    let (stage, _) = stage(&["begun"], &[]);
    for (at, face) in FACES.into_iter().enumerate() {
        let session = stage.session();
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(face, &route(face, "begun"), true, &session)
                    .bytes(),
            )
            .unwrap();
        client.head().unwrap();
        client.until(CONTENT).unwrap();
        let seen = stage.provider.wait_for("begun", at + 1);
        assert!(!seen.hung_up());
        client.hang_up();
        until("the provider's connection to be closed", || seen.hung_up());
        let row = stage.lintel.row(&session);
        settled(&row, "cancelled", &["cancelled"]);
        assert_eq!(
            (
                row.status(),
                &row.attempts()[0]["phase"],
                &row.attempts()[0]["estimated"]
            ),
            (200, &"mid_stream".into(), &true.into())
        );
        assert!(
            row.meters().contains_key("output"),
            "what was seen of the answer is booked: {}",
            row.0
        );
    }
    stage.balance(2);
}

#[test]
fn a_drained_stream_is_read_to_its_end_and_booked_exactly() {
    let (stage, gate) = stage(&["gated"], &[("on_disconnect", "{ drain: 20s }")]);
    let mut calls = Vec::new();
    for (at, face) in FACES.into_iter().enumerate() {
        let session = stage.session();
        let mut client = stage.connect();
        client
            .send(
                &stage
                    .request(face, &route(face, "gated"), true, &session)
                    .bytes(),
            )
            .unwrap();
        client.head().unwrap();
        client.until(CONTENT).unwrap();
        client.hang_up();
        calls.push((session, stage.provider.wait_for("gated", at + 1)));
    }
    // The hang-ups have been noticed when other calls, later ones, are through.
    stage.still_serves("m");
    assert!(
        calls
            .iter()
            .all(|(_, seen)| !seen.hung_up() && !seen.done())
    );
    gate.open();
    for (session, seen) in &calls {
        until("the answer to be read to its end", || seen.done());
        let row = stage.lintel.row(session);
        assert_eq!(
            (row.outcome(), row.meters().values().sum::<u64>()),
            ("cancelled", Face::USAGE.0 + Face::USAGE.1),
            "{}",
            row.0
        );
        assert!(row.attempts()[0]["estimated"] != true);
        assert!(!seen.hung_up());
    }
    stage.balance(2 + 4);
}

#[test]
fn a_drained_plain_answer_is_booked_exactly() {
    let (stage, gate) = stage(&["gated-plain"], &[("on_disconnect", "{ drain: 20s }")]);
    let mut calls = Vec::new();
    for (at, face) in FACES.into_iter().enumerate() {
        let session = stage.session();
        let mut client = stage.connect();
        let request = stage.request(face, &route(face, "gated-plain"), false, &session);
        client.send(&request.bytes()).unwrap();
        let seen = stage.provider.wait_for("gated-plain", at + 1);
        client.hang_up();
        calls.push((session, seen));
    }
    stage.still_serves("m");
    assert!(
        calls
            .iter()
            .all(|(_, seen)| !seen.hung_up() && !seen.done())
    );
    gate.open();
    for (session, _) in &calls {
        let row = stage.lintel.row(session);
        let tokens: u64 = row.meters().values().sum();
        assert_eq!(
            (row.outcome(), tokens),
            ("cancelled", Face::USAGE.0 + Face::USAGE.1),
            "{}",
            row.0
        );
        assert!(row.attempts()[0]["estimated"] != true);
    }
    stage.balance(2 + 4);
}

#[test]
fn a_drain_has_a_bound() {
    let (stage, _) = stage(&["begun"], &[("on_disconnect", "{ drain: 200ms }")]);
    let session = stage.session();
    let mut client = stage.connect();
    client
        .send(
            &stage
                .request(Face::Openai, "up-begun", true, &session)
                .bytes(),
        )
        .unwrap();
    client.head().unwrap();
    client.until(CONTENT).unwrap();
    client.hang_up();
    let seen = stage.provider.wait_for("begun", 1);
    until("the provider's connection to be closed", || seen.hung_up());
    settled(&stage.lintel.row(&session), "cancelled", &["cancelled"]);
    stage.balance(1);
}

#[test]
fn a_hang_up_while_sending_the_body_dispatches_nothing() {
    let (stage, _) = stage(&[], &[]);
    let mut sessions = Vec::new();
    for face in FACES {
        for reset in [false, true] {
            let session = stage.session();
            let mut client = stage.connect();
            let bytes = stage
                .request(face, &face.direct("m"), false, &session)
                .bytes();
            client.send(&bytes[..bytes.len() - 10]).unwrap();
            until("the call to be in flight", || {
                Metrics::of(&stage.lintel).in_flight() == 1.0
            });
            if reset {
                client.reset()
            } else {
                client.hang_up()
            }
            stage.idle();
            sessions.push(session);
        }
    }
    for session in sessions {
        let row = stage.lintel.row(&session);
        // A half-closed connection could still read the refusal; a reset one is just gone.
        let fits = row.outcome() == "cancelled" || row.text("code") == "incomplete_body";
        assert!(fits && row.attempts().is_empty(), "{}", row.0);
    }
    stage.balance(4);
    assert!(stage.provider.seen().is_empty());
}
