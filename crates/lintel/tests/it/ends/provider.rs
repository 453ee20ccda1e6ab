//! The provider goes away, or falls silent, or takes longer than anybody waits.

use std::sync::Arc;

use crate::ends::{CONTENT, broken, route, settled, stage};
use crate::harness::{FACES, Face, Seen, until};

#[test]
fn an_upstream_that_breaks_off_ends_the_stream_with_an_error() {
    for model in ["torn", "reset", "ends-early"] {
        let (stage, gate) = stage(&[model], &[]);
        for face in FACES {
            let session = stage.session();
            let mut client = stage.connect();
            client
                .send(
                    &stage
                        .request(face, &route(face, model), true, &session)
                        .bytes(),
                )
                .unwrap();
            client.head().unwrap();
            let mut text = client.until(CONTENT).unwrap();
            gate.open();
            let (rest, ended) = client.rest();
            text.extend(rest);
            let text = String::from_utf8_lossy(&text).into_owned();
            let fault = broken(face, &text);
            assert!(
                !fault.message.is_empty() && ended.is_ok(),
                "the client's stream ends in order: {ended:?}"
            );
            assert!(
                !text.contains("{\"half\":"),
                "no piece of a torn event reaches the client: {text}"
            );
            let row = stage.lintel.row(&session);
            settled(&row, "provider_error", &["truncated"]);
            assert_eq!(
                (&row.attempts()[0]["phase"], &row.attempts()[0]["estimated"]),
                (&"mid_stream".into(), &true.into())
            );
        }
        stage.balance(2);
        assert_eq!(
            stage.provider.seen().len(),
            2,
            "no second attempt after the first byte"
        );
    }
}

#[test]
fn silence_is_ended_by_its_timeout() {
    let (stage, _) = stage(
        &["hold", "begun"],
        &[("first_token", "250ms"), ("idle", "250ms")],
    );
    let mut all: Vec<Arc<Seen>> = Vec::new();
    for face in FACES {
        for stream in [false, true] {
            let (reply, session) = stage.call(face, &route(face, "hold"), stream);
            assert_eq!(reply.status, 504, "{}", reply.text());
            assert_eq!(reply.header("x-lintel-error-origin"), Some("provider"));
            face.error(&reply);
            settled(
                &stage.lintel.row(&session),
                "provider_error",
                &["timeout.first_token"],
            );
        }
        let (reply, session) = stage.call(face, &route(face, "begun"), true);
        assert_eq!(reply.status, 200);
        broken(face, &reply.text());
        settled(
            &stage.lintel.row(&session),
            "provider_error",
            &["timeout.idle"],
        );
    }
    all.extend(stage.provider.seen());
    until("every connection to be closed", || {
        all.iter().all(|s| s.hung_up())
    });
    stage.balance(6);
}

#[test]
fn the_deadline_ends_everything() {
    let (stage, _) = stage(&["hold", "begun"], &[("deadline", "300ms")]);
    for face in FACES {
        let (reply, session) = stage.call(face, &route(face, "hold"), false);
        assert_eq!(reply.status, 504, "{}", reply.text());
        let fault = face.error(&reply);
        assert!(fault.code.contains("deadline"), "{}", reply.text());
        settled(
            &stage.lintel.row(&session),
            "provider_error",
            &["timeout.total"],
        );
        let (reply, session) = stage.call(face, &route(face, "begun"), true);
        broken(face, &reply.text());
        settled(
            &stage.lintel.row(&session),
            "provider_error",
            &["timeout.total"],
        );
    }
    // A client may ask for less than the route allows.
    let request = stage
        .request(Face::Openai, "up/hold", false, "asked")
        .header("x-lintel-deadline", "200ms");
    assert_eq!(stage.connect().call(&request).status, 504);
    settled(
        &stage.lintel.row("asked"),
        "provider_error",
        &["timeout.total"],
    );
    stage.balance(5);
}
