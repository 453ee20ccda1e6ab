//! Back-pressure: memory stays bounded whatever clients and providers send.

use std::time::Duration;

use crate::harness::http::chunk;
use crate::harness::{
    Act, Client, FACES, Face, Metrics, Route, Script, Seen, Stage, dialect, until,
};

/// How much memory one slow stream may cost: socket buffers are the kernel's, not the process's.
const SLOW_READER: u64 = 8 << 20;
/// Bytes that may lie in socket buffers between provider and client, both hops.
const IN_BUFFERS: u64 = 24 << 20;

fn long_event(face: Face, bytes: usize) -> Vec<u8> {
    let event = face.events()[if face == Face::Openai { 2 } else { 3 }];
    event.replacen("hel", &"x".repeat(bytes), 1).into_bytes()
}

/// Endless content for the model `flood`, a good answer for any other.
fn flood_or_answer(seen: &Seen) -> Script {
    if seen.model() != "flood" {
        return dialect::answer(seen);
    }
    let face = dialect::face_of(seen);
    let begun = if face == Face::Openai { 1 } else { 3 };
    let begun = face.events()[..begun]
        .iter()
        .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()));
    begun.then(Act::Repeat(chunk(&long_event(face, 32 * 1024)), 100_000))
}

#[test]
fn a_client_that_does_not_read_stops_the_provider() {
    let stage = Stage::new(flood_or_answer);
    stage.still_serves("m");
    for (at, face) in FACES.into_iter().enumerate() {
        let before = stage.lintel.resident();
        let session = stage.session();
        let mut client = Client::narrow(stage.lintel.addr, 4096);
        client
            .send(
                &stage
                    .request(face, &face.direct("flood"), true, &session)
                    .bytes(),
            )
            .unwrap();
        client.head().unwrap();
        let seen = stage.provider.wait_for("flood", at + 1);
        let mut last = 0;
        until("the provider to be held", || {
            std::thread::sleep(Duration::from_millis(200));
            std::mem::replace(&mut last, seen.sent()) == seen.sent() && seen.sent() > 0
        });
        let held = seen.sent();
        assert!(
            held < IN_BUFFERS,
            "{face:?}: {held} bytes were taken from the provider for a client that reads nothing"
        );
        let grown = stage.lintel.resident().saturating_sub(before);
        assert!(
            grown < SLOW_READER,
            "{face:?}: memory grew by {grown} bytes"
        );
        // Read on, and the provider is let on.
        let mut read = 0;
        while read < 2 * held {
            read += client.piece().unwrap().expect("the stream goes on").len() as u64;
        }
        until("the provider to go on", || seen.sent() > held);
        let grown = stage.lintel.resident().saturating_sub(before);
        assert!(
            grown < SLOW_READER,
            "{face:?}: memory grew by {grown} bytes"
        );
        client.hang_up();
        until("the provider's connection to be closed", || seen.hung_up());
        assert_eq!(stage.lintel.row(&session).outcome(), "cancelled");
    }
    stage.balance(4 + 2);
}

#[test]
fn a_client_that_never_reads_is_ended_by_the_deadline() {
    let stage = Stage::with(flood_or_answer, |c| {
        FACES.into_iter().fold(c, |c, f| {
            c.route(
                f.provider(),
                Route::to(&f.direct("flood")).set("deadline", "1s"),
            )
        })
    });
    for (at, face) in FACES.into_iter().enumerate() {
        let session = stage.session();
        let mut client = Client::narrow(stage.lintel.addr, 4096);
        client
            .send(&stage.request(face, face.provider(), true, &session).bytes())
            .unwrap();
        let seen = stage.provider.wait_for("flood", at + 1);
        until("the provider to be let go", || seen.hung_up());
        let row = stage.lintel.row(&session);
        assert_ne!(row.outcome(), "success", "{}", row.0);
    }
    stage.balance(2);
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    const UNREAD: usize = 48;
    let large = String::from_utf8_lossy(Face::Openai.answer()).into_owned();
    let large = large.replacen("llo", &"llo ".repeat(2 << 20), 1);
    let choose = move |_: &Seen| Script::json("200 OK", large.as_bytes());
    let stage = Stage::with(choose, |c| {
        c.limit("in_flight_bytes", "8MB").limit("body", "4MB")
    });
    let before = stage.lintel.resident();
    let clients: Vec<Client> = (0..UNREAD)
        .map(|_| {
            let mut client = Client::narrow(stage.lintel.addr, 4096);
            client
                .send(
                    &stage
                        .request(Face::Openai, "up/m", false, &stage.session())
                        .bytes(),
                )
                .unwrap();
            client
        })
        .collect();
    // 384 MB of answers that nobody takes. Held until their memory stands still.
    let mut last = 0;
    until("memory to stand still", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = stage.lintel.resident();
        let step = now.abs_diff(std::mem::replace(&mut last, now));
        !stage.provider.seen().is_empty() && step < 1 << 20
    });
    let grown = last.saturating_sub(before);
    assert!(
        grown < 96 << 20,
        "{UNREAD} unread answers of 8 MB hold {} MB",
        grown >> 20
    );
    drop(clients);
    stage.idle();
}

#[test]
fn many_large_bodies_at_once_are_refused_not_stored() {
    let (budget, body) = (8usize << 20, 3usize << 20);
    let stage = Stage::with(dialect::answer, |c| {
        c.limit("in_flight_bytes", "8MB").limit("body", "4MB")
    });
    stage.still_serves("m");
    let before = stage.lintel.resident();
    let face = Face::Openai;
    let text = face.body("up/m", false);
    let text = format!("{text}{}", " ".repeat(body - text.len()));
    let mut running = Vec::new();
    let mut refused = 0;
    for _ in 0..24 {
        let mut client = stage.connect();
        let request = face
            .head(&stage.key.secret)
            .header("content-length", &body.to_string())
            .header("expect", "100-continue");
        client
            .send(
                &request
                    .header("x-lintel-session", &stage.session())
                    .head_bytes(),
            )
            .unwrap();
        let head = client.head().unwrap();
        if head.start.contains(" 100 ") {
            client.send(&text.as_bytes()[..body - 1]).unwrap();
            running.push(client);
            continue;
        }
        assert!(head.start.contains(" 503 "), "{head:?}");
        assert_eq!(
            (
                head.get("x-lintel-error-origin"),
                head.get("x-should-retry")
            ),
            (Some("gateway"), Some("true"))
        );
        assert!(head.has("retry-after"));
        refused += 1;
    }
    assert_eq!(
        (running.len(), refused),
        (budget / body, 24 - budget / body)
    );
    let now = Metrics::of(&stage.lintel);
    assert!(
        now.in_flight_bytes() > 0.0 && now.in_flight_bytes() <= budget as f64,
        "{}",
        now.in_flight_bytes()
    );
    let grown = stage.lintel.resident().saturating_sub(before);
    assert!(grown < 2 * budget as u64, "memory grew by {grown} bytes");
    for client in &mut running {
        client.send(b" ").unwrap();
        assert_eq!(client.reply().status, 200);
    }
    assert!(
        stage
            .provider
            .seen()
            .iter()
            .filter(|s| s.body.len() > 1 << 20)
            .count()
            == budget / body
    );
    stage.balance(4 + 24);
}

/// Clients that send 3 MB each without saying so before: 288 MB in all.
const CLIENTS: usize = 96;

#[test]
fn large_bodies_of_unknown_length_are_bounded_too() {
    let budget = 8u64 << 20;
    // A buffer of unknown length grows by doubling, and is held twice while it moves; a connection has its own.
    let bound = 4 * budget + CLIENTS as u64 * (512 << 10);
    let stage = Stage::with(dialect::answer, |c| {
        c.limit("in_flight_bytes", "8MB").limit("body", "4MB")
    });
    stage.still_serves("m");
    let before = stage.lintel.resident();
    std::thread::scope(|scope| {
        for at in 0..CLIENTS {
            let stage = &stage;
            scope.spawn(move || {
                let face = FACES[at % 2];
                let mut client = stage.connect();
                client.patience(Duration::from_secs(3));
                let _ = client.send(
                    &face
                        .head(&stage.key.secret)
                        .header("transfer-encoding", "chunked")
                        .head_bytes(),
                );
                let piece = chunk(&[b' '; 64 * 1024]);
                // 3 MB that never end; a refusal may come, and the connection with it go, at any moment.
                let _ = (0..48).try_for_each(|_| client.send(&piece));
                let now = Metrics::of(&stage.lintel).in_flight_bytes();
                assert!(now <= budget as f64, "{now} bytes held");
                let grown = stage.lintel.resident().saturating_sub(before);
                assert!(grown < bound, "memory grew by {grown} bytes");
            });
        }
    });
    stage.idle();
    stage.still_serves("m");
    stage.balance(4 + CLIENTS + 4);
}

#[test]
fn a_large_answer_passes_whole() {
    let large = |face: Face| {
        let answer = String::from_utf8_lossy(face.answer()).into_owned();
        answer.replacen("llo", &"llo ".repeat(1 << 20), 1)
    };
    let stage =
        Stage::new(move |seen| Script::json("200 OK", large(dialect::face_of(seen)).as_bytes()));
    for face in FACES {
        let (reply, session) = stage.call(face, &face.direct("m"), false);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.body == large(face).as_bytes(),
            "{} bytes of {}",
            reply.body.len(),
            large(face).len()
        );
        assert_eq!(
            stage.lintel.row(&session).0["response_bytes"],
            reply.body.len()
        );
    }
    stage.balance(2);
}
