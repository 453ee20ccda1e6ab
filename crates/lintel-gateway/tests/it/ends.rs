//! One test for every way in which a call can end. Each asserts exactly one settled row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lintel_gateway::Step;
use lintel_types::{FailureClass, Outcome, Phase};

use crate::plane::{Plane, load_with, read_until};

#[test]
fn success() {
    let plane = Plane::start(None);
    assert!(plane.call("sandbox", false).contains("200 OK"));
    assert!(plane.call("sandbox", true).contains("data: [DONE]"));
    for row in plane.rows(2) {
        assert_eq!(
            (row.outcome, row.status, row.attempts.len()),
            (Outcome::Success, 200, 1)
        );
        assert!(
            !row.attempts[0].estimated && row.cost.nanos() > 0,
            "{row:#?}"
        );
    }
}

#[test]
fn client_error() {
    let plane = Plane::start(None);
    assert!(plane.call("no-such-route", false).contains("404 Not Found"));
    let rows = plane.rows(1);
    assert_eq!(
        (rows[0].outcome, rows[0].attempts.len()),
        (Outcome::ClientError, 0)
    );
    assert_eq!(rows[0].code.as_deref(), Some("model_not_found"));
}

#[test]
fn provider_error() {
    let plane = Plane::start(None);
    assert!(
        plane
            .call("sandbox/sandbox-e500", false)
            .contains("500 Internal Server Error")
    );
    let rows = plane.rows(1);
    assert_eq!(
        (rows[0].outcome, rows[0].attempts.len()),
        (Outcome::ProviderError, 3)
    );
    assert_eq!(rows[0].code.as_deref(), Some("server_error"));
}

#[test]
fn a_request_that_the_provider_finds_wrong() {
    let plane = Plane::start(None);
    assert!(
        plane
            .call("sandbox/sandbox-e400", false)
            .contains("400 Bad Request")
    );
    let rows = plane.rows(1);
    assert_eq!(
        (rows[0].outcome, rows[0].status),
        (Outcome::ClientError, 400)
    );
    assert_eq!(rows[0].attempts[0].class, Some(FailureClass::BadRequest));
    assert_eq!(rows[0].cost.nanos(), 0, "a refusal costs nothing");
}

#[test]
fn the_provider_breaks_off_or_falls_silent_mid_stream() {
    let plane = Plane::start(None);
    let torn = plane.call("torn", true);
    assert!(
        torn.contains("upstream_truncated") && !torn.contains("[DONE]"),
        "{torn}"
    );
    let silent = plane.call("silent", true);
    assert!(
        silent.contains("upstream_timeout") && !silent.contains("[DONE]"),
        "{silent}"
    );
    let rows = plane.rows(2);
    let ends: Vec<_> = rows
        .iter()
        .map(|r| (r.outcome, r.attempts[0].class, r.attempts[0].phase))
        .collect();
    let mid = Some(Phase::MidStream);
    assert_eq!(
        ends,
        [
            (Outcome::ProviderError, Some(FailureClass::Truncated), mid),
            (Outcome::ProviderError, Some(FailureClass::TimeoutIdle), mid)
        ]
    );
    assert!(rows.iter().all(|r| r.attempts[0].estimated));
}

#[test]
fn hang_up_before_the_first_byte() {
    let provider = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = provider.local_addr().unwrap().port();
    let text = format!(
        "listen: 127.0.0.1:0\nproviders:\n  far: {{ protocol: openai, base_url: 'http://127.0.0.1:{port}/v1', api_key: '${{K}}' }}\nprices: {{ unknown_model: allow_unpriced }}\nroutes:\n  far: {{ attempts: 1, tiers: [ {{ targets: [ {{ provider: far, model: m }} ] }} ] }}\n"
    );
    let plane = Plane::with(load_with(&text, &[("K", "x")]), None);
    let connection = plane.send("far", false);
    // The client hangs up only once the provider has read the request.
    provider.set_nonblocking(true).unwrap();
    let accepted = std::cell::RefCell::new(None);
    wait(|| {
        *accepted.borrow_mut() = provider.accept().ok();
        accepted.borrow().is_some()
    });
    let (mut attempt, _) = accepted.into_inner().unwrap();
    attempt.set_nonblocking(false).unwrap();
    attempt
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    read_until(&mut attempt, "hello");
    drop(connection);
    let rows = plane.rows(1);
    assert_eq!(rows[0].outcome, Outcome::Cancelled);
    assert_eq!(rows[0].attempts[0].phase, Some(Phase::BeforeFirstByte));
    assert!(
        rows[0].attempts[0].estimated,
        "sent, so its input is booked"
    );
}

#[test]
fn hang_up_mid_stream() {
    let plane = Plane::start(None);
    let mut connection = plane.send("slow", true);
    read_until(&mut connection, "\"content\":\"");
    drop(connection);
    let rows = plane.rows(1);
    assert_eq!(rows[0].outcome, Outcome::Cancelled);
    assert_eq!(rows[0].attempts[0].phase, Some(Phase::MidStream));
    assert!(rows[0].attempts[0].estimated);
}

#[test]
fn hang_up_on_a_route_that_drains_books_what_the_provider_reports() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&attempts);
    let probe = move |step: Step| {
        seen.fetch_add(usize::from(step == Step::Attempt), Ordering::SeqCst);
    };
    let plane = Plane::start(Some(Arc::new(probe)));
    let mut connection = plane.send("drained", true);
    read_until(&mut connection, "\"content\":\"");
    drop(connection);
    let unread = plane.send("drained", false);
    // From there to where the call goes on without its client nothing waits.
    wait(|| attempts.load(Ordering::SeqCst) == 2);
    drop(unread);
    for row in plane.rows(2) {
        assert_eq!(row.outcome, Outcome::Cancelled);
        let attempt = &row.attempts[0];
        assert!(
            !attempt.estimated && attempt.class.is_none(),
            "{attempt:#?}"
        );
    }
}

#[test]
fn a_panic_in_any_step_is_settled_and_answered() {
    let at = Arc::new(AtomicUsize::new(usize::MAX));
    let seen = Arc::clone(&at);
    let probe = move |step: Step| {
        let chosen = Step::ALL.get(seen.load(Ordering::SeqCst));
        assert!(chosen != Some(&step), "a step fails on purpose");
    };
    let plane = Plane::start(Some(Arc::new(probe)));
    let mut rows = 0;
    for (i, step) in Step::ALL.iter().enumerate() {
        at.store(i, Ordering::SeqCst);
        let answer = plane.call("sandbox", true);
        assert!(
            answer.contains("500 Internal Server Error"),
            "{step:?}: {answer}"
        );
        at.store(usize::MAX, Ordering::SeqCst);
        // Before admission there is no row; from then on there is exactly one.
        rows += usize::from(*step != Step::Admit);
        let last = plane.rows(rows).pop();
        assert!(
            last.is_none_or(|r| r.outcome == Outcome::Panicked),
            "{step:?}"
        );
        assert!(
            plane.call("sandbox", false).contains("200 OK"),
            "after {step:?}"
        );
        rows += 1;
    }
    plane.rows(rows);
}

#[test]
fn shutdown_cuts_streams_with_an_error_and_settles_them() {
    let mut plane = Plane::start(None);
    let mut stream = plane.send("slow", true);
    read_until(&mut stream, "\"content\":\"");
    let mut waiting = plane.send("late", false);
    wait(|| plane.running.as_ref().unwrap().handle.status().in_flight == 2);
    let running = plane.running.take().unwrap();
    running.drain(crate::plane::within(Duration::from_millis(50)), &|| false);
    let rest = read_until(&mut stream, "shutting_down");
    assert!(!rest.contains("[DONE]"), "{rest}");
    let refused = read_until(&mut waiting, "shutting_down");
    assert!(refused.contains("503 Service Unavailable"), "{refused}");
    for row in plane.rows(2) {
        assert_eq!(row.outcome, Outcome::Shutdown);
    }
}

#[test]
fn metrics_count_each_call_once() {
    let plane = Plane::start(None);
    plane.call("sandbox", false);
    plane.call("no-such-route", false);
    let late = plane.send("late", false);
    // A client that is gone before its request was taken up has made no call that anybody is known to pay for.
    wait(|| plane.running.as_ref().unwrap().handle.status().in_flight == 1);
    drop(late);
    plane.rows(3);
    let text = plane.metrics.encode();
    let total: u64 = text
        .lines()
        .filter(|l| l.starts_with("lintel_requests_total{"))
        .filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(total, 3, "{text}");
    assert!(text.contains("lintel_in_flight 0"), "{text}");
}

fn wait(until: impl Fn() -> bool) {
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while !until() {
        assert!(std::time::Instant::now() < patience, "waited too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}
