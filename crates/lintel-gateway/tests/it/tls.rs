//! TLS to providers: whom a certificate has to convince, what is shown in turn, what is said when it goes wrong,
//! and what a reload changes.

use std::sync::{Arc, Mutex};

use lintel_config::Snapshot;
use rustls::{HandshakeKind, ServerConfig};

use crate::certificates::{Authority, Pair, server};
use crate::plane::{Plane, load_with};
use crate::server::{ANSWER, Server};

/// A configuration with one provider at `up`, which resolves to loopback.
fn configuration(up: &Server, tls: &str, env: &[(&str, &str)]) -> Snapshot {
    let text = format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: 'https://localhost:{}/v1', tls: {{ {tls} }} }}\nprices: {{ unknown_model: allow_unpriced }}\n",
        up.address.port()
    );
    load_with(&text, env)
}

fn plane(up: &Server, tls: &str, env: &[(&str, &str)]) -> Plane {
    Plane::with(configuration(up, tls, env), None)
}

fn secure(config: Arc<ServerConfig>) -> Server {
    Server::with(Some(config), |_, _| (200, ANSWER.to_owned()))
}

#[test]
fn the_authority_that_is_named_is_believed_and_no_other() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let up = secure(server(&ours.good("localhost"), None));
    let good = plane(&up, "ca: '${CA}'", &[("CA", &ours.pem())]);
    for _ in 0..2 {
        let answer = good.call("up/m", false);
        assert!(answer.contains("200 OK"), "{answer}");
    }
    assert_eq!(up.accepted(), 1, "the connection is used again");
    let both = format!("{}{}", theirs.pem(), ours.pem());
    let two = plane(&up, "ca: '${CA}'", &[("CA", &both)]);
    assert!(two.call("up/m", false).contains("200 OK"));
    let other = plane(&up, "ca: '${CA}'", &[("CA", &theirs.pem())]);
    refused(&other, "issued by nobody who is trusted");
    let machine = plane(&up, "", &[]);
    refused(&machine, "issued by nobody who is trusted");
}

/// The call fails as TLS does; the client is told nothing of certificates, the log `why`.
fn refused(plane: &Plane, why: &str) {
    let answer = plane.call("up/m", false);
    assert!(
        answer.contains(" 502 ") && answer.contains("upstream_tls"),
        "{answer}"
    );
    assert!(
        !answer.contains(why) && !answer.contains("localhost"),
        "{answer}"
    );
    let log = plane.log();
    let told = log.contains(r#""msg":"provider not reached","provider":"up","class":"tls""#);
    assert!(told && log.contains(why), "{log}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_named_in_the_log() {
    let ca = Authority::new("ours");
    let cases: [(Pair, &str); 3] = [
        (ca.issue("localhost", (2020, 2021)), "has expired"),
        (ca.issue("localhost", (2098, 2099)), "isn't valid yet"),
        (ca.good("elsewhere.example"), "for another host name"),
    ];
    for (shown, why) in cases {
        let up = secure(server(&shown, None));
        let plane = plane(&up, "ca: '${CA}'", &[("CA", &ca.pem())]);
        refused(&plane, why);
    }
    for (bytes, why) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "doesn't speak TLS",
        ),
        (b"", "ended the connection in the handshake"),
    ] {
        let plain = Server::raw(bytes);
        let plane = plane(&plain, "ca: '${CA}'", &[("CA", &ca.pem())]);
        refused(&plane, why);
    }
}

#[test]
fn a_client_certificate_is_shown_where_one_is_configured() {
    let (ca, clients) = (Authority::new("servers"), Authority::new("clients"));
    let up = secure(server(&ca.good("localhost"), Some(&clients)));
    let (ours, stranger) = (clients.good("lintel"), ca.good("lintel"));
    let with = |pair: &Pair| {
        plane(
            &up,
            "ca: '${CA}', cert: '${CERT}', key: '${KEY}'",
            &[("CA", &ca.pem()), ("CERT", &pair.cert), ("KEY", &pair.key)],
        )
    };
    let answer = with(&ours).call("up/m", false);
    assert!(answer.contains("200 OK"), "{answer}");
    let without = plane(&up, "ca: '${CA}'", &[("CA", &ca.pem())]);
    refused(&without, "asks for a client certificate");
    refused(&with(&stranger), "refused the client certificate");
}

#[test]
fn after_a_reload_nothing_goes_over_a_connection_of_before() {
    let (before, after) = (Authority::new("before"), Authority::new("after"));
    let up = secure(server(&before.good("localhost"), None));
    let first = configuration(&up, "ca: '${CA}'", &[("CA", &before.pem())]);
    let plane = Plane::with(first.clone(), None);
    assert!(plane.call("up/m", false).contains("200 OK"));
    let handle = plane.running.as_ref().unwrap().handle.clone();
    // The server's certificate is of an authority that isn't trusted any more.
    let second = configuration(&up, "ca: '${CA}'", &[("CA", &after.pem())]);
    assert_ne!(first.hash, second.hash);
    handle.apply(Arc::new(second));
    refused(&plane, "issued by nobody who is trusted");
    handle.apply(Arc::new(first));
    assert!(plane.call("up/m", false).contains("200 OK"));
}

#[test]
fn sessions_are_resumed() {
    let ca = Authority::new("ours");
    let kinds: Arc<Mutex<Vec<HandshakeKind>>> = Arc::default();
    let told = Arc::clone(&kinds);
    let up = Server::closing(server(&ca.good("localhost"), None), move |kind| {
        told.lock().unwrap().push(kind);
    });
    let plane = plane(&up, "ca: '${CA}'", &[("CA", &ca.pem())]);
    for _ in 0..3 {
        assert!(plane.call("up/m", false).contains("200 OK"));
    }
    assert_eq!(up.accepted(), 3);
    let kinds = kinds.lock().unwrap().clone();
    let resumed = kinds.iter().filter(|k| **k == HandshakeKind::Resumed);
    assert_eq!(
        (kinds[0], resumed.count()),
        (HandshakeKind::Full, 2),
        "{kinds:?}"
    );
}
