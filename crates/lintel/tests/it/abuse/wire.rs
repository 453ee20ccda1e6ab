//! What comes over a connection that no client library would send: smuggling shapes, pipelining, floods, slowness.
//! After each the gateway serves others as before.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use super::wire_rows::SHAPES;
use crate::harness::{Client, Door, Face, Metrics, Stage, dialect, until};

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It is closed: what stands behind is never read as a request.
    Closes,
    /// It takes the next request.
    Serves,
    /// Either: nothing stands behind.
    Either,
}

/// One shape of a request.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) bytes: &'static str,
    /// The statuses that may answer it; where it is closed, nothing may.
    pub(super) statuses: &'static [u16],
    pub(super) then: Then,
}

/// A model that no good request of this test names.
const SMUGGLED: &str = "smuggled";

impl Shape {
    fn bytes(&self, stage: &Stage) -> Vec<u8> {
        let body = Face::Openai.body("up/m", false);
        let inner = Face::Openai.request(&stage.key.secret, &format!("up/{SMUGGLED}"), false);
        let inner = String::from_utf8(inner.bytes()).unwrap();
        let text = self.bytes.replace("{key}", &stage.key.secret);
        let text = text
            .replace("{n}", &body.len().to_string())
            .replace("{hex}", &format!("{:x}", body.len()));
        text.replace("{body}", &body)
            .replace("{inner}", &inner)
            .into_bytes()
    }
}

/// Sends one shape; what is wrong, if anything.
fn try_shape(stage: &Stage, shape: &Shape) -> Option<String> {
    let mut client = stage.connect();
    client.patience(Duration::from_secs(20));
    let _ = client.send(&shape.bytes(stage));
    let status = client.try_reply().map_or(0, |r| r.status);
    let closes = shape.then == Then::Closes;
    if !(shape.statuses.contains(&status) || closes && status == 0) {
        return Some(format!(
            "{}: {status}, not {:?}",
            shape.name, shape.statuses
        ));
    }
    let next = Door::called("models").request(&stage.key.secret, "");
    match shape.then {
        Then::Closes if client.try_reply().is_ok() => {
            Some(format!("{}: its connection is used again", shape.name))
        }
        Then::Serves => {
            let _ = client.send(&next.bytes());
            let status = client.try_reply().map_or(0, |r| r.status);
            (status != 200).then(|| format!("{}: the next request gets {status}", shape.name))
        }
        Then::Closes | Then::Either => None,
    }
}

/// Every shape once; what is wrong.
pub(super) fn shapes(stage: &Stage) -> Vec<String> {
    SHAPES
        .iter()
        .filter_map(|shape| try_shape(stage, shape))
        .collect()
}

pub(super) fn stage() -> Stage {
    Stage::with(dialect::answer, |c| {
        c.limit("connections", "64")
            .limit("headers", "16KB")
            .limit("header_timeout", "1s")
            .limit("body_timeout", "1s")
            .limit("write_timeout", "1s")
    })
}

/// The table of the page.
pub(super) fn table() -> String {
    let mut out = String::from("| what comes | answer | the connection |\n|---|---|---|\n");
    for shape in SHAPES {
        let statuses: Vec<String> = shape.statuses.iter().map(u16::to_string).collect();
        let then = match shape.then {
            Then::Closes => "is closed",
            Then::Serves => "serves on",
            Then::Either => "is closed or serves on",
        };
        out.push_str(&format!(
            "| {} | {} | {then} |\n",
            shape.name,
            statuses.join(" or ")
        ));
    }
    out
}

/// Another client is served as if nothing were.
fn serves(stage: &Stage) {
    let reply = stage
        .connect()
        .call(&Door::called("chat").request(&stage.key.secret, "up/m"));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn no_shape_smuggles_a_request() {
    let stage = stage();
    let wrong = shapes(&stage);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let smuggled = |s: &std::sync::Arc<crate::harness::Seen>| s.model() == SMUGGLED;
    assert!(
        !stage.provider.seen().iter().any(smuggled),
        "a request that nobody asked to be served was served"
    );
    serves(&stage);
    stage.idle();
    stage.quiet();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let stage = stage();
    let good = |session: &str| stage.request(Face::Openai, "up/m", false, session).bytes();
    let bad = Door::called("chat")
        .request(&stage.key.secret, "up/m")
        .body("{")
        .bytes();
    let unkeyed = Door::called("chat").request("lk_nobody", "up/m").bytes();
    let long = Face::Openai.body("up/m", false) + &" ".repeat(300_000);
    let unread = Door::called("chat")
        .request("lk_nobody", "up/m")
        .body(long)
        .bytes();
    // Queued, behind an error, and behind a body that nobody will read.
    let queue: [(&[u8], u16); 6] = [
        (&good("a"), 200),
        (&bad, 400),
        (&good("b"), 200),
        (&unkeyed, 401),
        (&good("c"), 200),
        (&unread, 401),
    ];
    let mut client = stage.connect();
    let _ = client.send(
        &queue
            .iter()
            .flat_map(|(bytes, _)| bytes.iter().copied())
            .collect::<Vec<u8>>(),
    );
    for (at, (_, status)) in queue.iter().enumerate() {
        let reply = client.reply();
        assert_eq!(reply.status, *status, "{at}: {}", reply.text());
    }
    // What an unread body's connection does next is its own affair: it answers the right thing or closes.
    let _ = client.send(&good("d"));
    if let Ok(reply) = client.try_reply() {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    serves(&stage);
    stage.idle();
}

#[test]
fn slow_clients_are_cut_and_others_served() {
    let stage = stage();
    let request = stage.request(Face::Openai, "up/m", false, "slow").bytes();
    let head = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let mut slow: Vec<Client> = Vec::new();
    // Heads that trickle, bodies that trickle, and connections that say nothing.
    for kind in 0..30 {
        let mut client = stage.connect();
        let sent = [0, head / 2, head + 3][kind % 3];
        let _ = client.send(&request[..sent]);
        slow.push(client);
    }
    serves(&stage);
    until("every slow client to be cut", || {
        // One byte now and then is not enough to stay.
        for client in &mut slow {
            let _ = client.send(b"x");
        }
        std::thread::sleep(Duration::from_millis(200));
        serves(&stage);
        Metrics::of(&stage.lintel).sum("lintel_connections", &[]) <= 1.0
    });
    stage.idle();
    serves(&stage);
}

#[test]
fn a_flood_of_connections_leaves_room_when_it_ebbs() {
    let stage = stage();
    let mut flood: Vec<TcpStream> = (0..200)
        .filter_map(|_| TcpStream::connect(stage.lintel.addr).ok())
        .collect();
    for stream in &mut flood {
        let _ = stream.write_all(b"GET /v1/models HTTP/1.1\r\nhost:");
    }
    until("the cap to hold", || {
        Metrics::of(&stage.lintel).sum("lintel_shed_total", &[("reason", "connections")]) > 0.0
    });
    let open = Metrics::of(&stage.lintel).sum("lintel_connections", &[]);
    assert!(open <= 64.0, "{open} connections");
    drop(flood);
    until("room again", || {
        let mut client = stage.connect();
        let _ = client.send(
            &Door::called("models")
                .request(&stage.key.secret, "")
                .bytes(),
        );
        client.try_reply().is_ok_and(|r| r.status == 200)
    });
    until("the flood to be gone", || {
        Metrics::of(&stage.lintel).sum("lintel_connections", &[]) == 0.0
    });
}

#[test]
fn floods_of_headers_are_refused() {
    let stage = stage();
    let flood = |line: &str, times: usize| {
        let head = format!(
            "GET /v1/models HTTP/1.1\r\nhost: x\r\n{}\r\n",
            line.repeat(times)
        );
        let mut client = stage.connect();
        let _ = client.send(head.as_bytes());
        client.try_reply().map_or(0, |r| r.status)
    };
    for (line, times) in [
        ("x-a: b\r\n", 101),
        ("x-a: b\r\n", 100_000),
        ("a:\r\n", 500),
        (&format!("x-a: {}\r\n", "b".repeat(1_000)), 90),
        (&format!("{}: x\r\n", "n".repeat(70_000)), 1),
        (&format!("x-a: {}\r\n", "b".repeat(1 << 20)), 1),
    ] {
        let status = flood(line, times);
        assert!(
            [431, 400, 0].contains(&status),
            "{times} times {} bytes: {status}",
            line.len()
        );
        serves(&stage);
    }
    let long = format!("/v1/models?{}", "q".repeat(100_000));
    let mut client = stage.connect();
    let _ = client.send(
        Door::called("models")
            .request(&stage.key.secret, "")
            .target(&long)
            .bytes()
            .as_slice(),
    );
    let status = client.try_reply().map_or(0, |r| r.status);
    assert!([414, 431, 400, 0].contains(&status), "{status}");
    stage.idle();
    serves(&stage);
}
