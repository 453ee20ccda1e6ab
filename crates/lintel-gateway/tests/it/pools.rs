//! Connections that are kept open: opened ahead of calls, used again, and closed when nothing wants them any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lintel_config::Snapshot;

use crate::plane::{Plane, load};
use crate::server::{ANSWER, Server};

fn configuration(up: &Server, pool: &str) -> Snapshot {
    load(&format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: 'http://{}/v1', pool: {{ {pool} }} }}\nprices: {{ unknown_model: allow_unpriced }}\n",
        up.address
    ))
}

/// Waits until the metrics hold all of `lines`.
#[track_caller]
fn until(plane: &Plane, lines: &[&str]) {
    let bound = Instant::now() + Duration::from_secs(20);
    loop {
        let shown = plane.metrics.encode();
        if lines
            .iter()
            .all(|line| shown.contains(&format!("{line}\n")))
        {
            return;
        }
        assert!(Instant::now() < bound, "no {lines:?} in:\n{shown}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn warm_connections_are_there_before_the_first_call_and_leave_with_their_provider() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let plane = Plane::with(configuration(&up, "warm: 2"), None);
    until(&plane, &[r#"lintel_upstream_connections{provider="up"} 2"#]);
    assert!(plane.call("up/m", false).contains("200 OK"));
    until(
        &plane,
        &[
            r#"lintel_upstream_connections_opened_total{provider="up"} 2"#,
            r#"lintel_upstream_connections_reused_total{provider="up"} 1"#,
            r#"lintel_upstream_connections{provider="up"} 2"#,
        ],
    );
    let handle = plane.running.as_ref().unwrap().handle.clone();
    handle.apply(Arc::new(configuration(&up, "warm: 3")));
    until(&plane, &[r#"lintel_upstream_connections{provider="up"} 3"#]);
    handle.apply(Arc::new(load(
        "listen: 127.0.0.1:0\nproviders: { box: { protocol: sandbox } }\n",
    )));
    until(&plane, &[r#"lintel_upstream_connections{provider="up"} 0"#]);
}

#[test]
fn a_provider_that_is_down_is_told_of_and_in_nobodys_way() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let snapshot = load(&format!(
        "listen: 127.0.0.1:0\nproviders:\n  down: {{ protocol: openai, base_url: 'http://127.0.0.1:1/v1', pool: {{ warm: 4 }} }}\n  up: {{ protocol: openai, base_url: 'http://{}/v1', pool: {{ warm: 1 }} }}\nprices: {{ unknown_model: allow_unpriced }}\n",
        up.address
    ));
    let plane = Plane::with(snapshot, None);
    assert!(plane.call("up/m", false).contains("200 OK"));
    // One round gives up at its first failure.
    until(
        &plane,
        &[r#"lintel_upstream_connections_failed_total{provider="down",class="connect"} 1"#],
    );
    assert!(
        plane
            .log()
            .contains(r#""provider":"down","class":"connect""#)
    );
}

#[test]
fn without_room_each_call_opens_its_own() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let plane = Plane::with(configuration(&up, "keep: 0"), None);
    for _ in 0..3 {
        assert!(plane.call("up/m", false).contains("200 OK"));
    }
    assert_eq!(up.accepted(), 3);
}
