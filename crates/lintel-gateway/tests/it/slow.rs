//! Clients that are slow or many, over HTTP/1.1: each is cut by the rule that says so, and not before.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lintel_types::Outcome;

use crate::plane::{KEY, Plane, config, load, read_until};

const PATIENCE: Duration = Duration::from_secs(20);

fn plane(limits: &str) -> (Plane, SocketAddr) {
    let plane = Plane::with(load(&config(&format!("limits: {{ {limits} }}\n"))), None);
    let address = plane.running.as_ref().unwrap().local_addr;
    (plane, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn models(connection: &mut TcpStream) {
    let head = format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n");
    connection.write_all(head.as_bytes()).unwrap();
    assert!(read_until(connection, "]}").starts_with("HTTP/1.1 200"));
}

/// How long the other side leaves the connection open.
fn closed_after(mut connection: TcpStream) -> Duration {
    let begun = Instant::now();
    assert_eq!(
        connection.read(&mut [0; 64]).unwrap_or(0),
        0,
        "it was answered"
    );
    begun.elapsed()
}

fn cut(plane: &Plane, rule: &str) -> bool {
    let sample = format!("lintel_connections_cut_total{{rule=\"{rule}\"}}");
    plane.metrics.encode().contains(&sample)
}

#[test]
fn a_first_head_has_its_time_from_the_accept() {
    let (plane, at) = plane("header_timeout: 300ms, idle_timeout: 1h");
    closed_after(connect(at));
    let mut dribbles = connect(at);
    let mut sent = 0;
    // A byte now and then is no head.
    while sent < 1_000 && dribbles.write_all(b"G").is_ok() {
        sent += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(sent < 1_000, "nobody hung up");
    assert!(cut(&plane, "header_timeout") && !cut(&plane, "idle"));
}

#[test]
fn between_calls_there_is_the_idle_time_and_then_the_heads_own() {
    let (plane, at) = plane("header_timeout: 300ms, idle_timeout: 1h");
    let mut connection = connect(at);
    models(&mut connection);
    // Longer than a head may take; it has not begun.
    std::thread::sleep(Duration::from_millis(600));
    models(&mut connection);
    connection.write_all(b"GET /v1/mod").unwrap();
    closed_after(connection);
    assert!(cut(&plane, "header_timeout"));
    drop(plane);
    let (plane, at) = self::plane("header_timeout: 20s, idle_timeout: 300ms");
    let mut connection = connect(at);
    models(&mut connection);
    closed_after(connection);
    assert!(cut(&plane, "idle"));
}

#[test]
fn a_call_may_take_longer_than_a_head_or_a_silence() {
    let (plane, at) = plane("header_timeout: 200ms, idle_timeout: 200ms");
    let mut slow = plane.send("slow", true);
    let mut all = String::new();
    slow.read_to_string(&mut all).unwrap();
    assert!(all.contains("data: [DONE]"), "{all}");
    let _ = at;
    assert_eq!(plane.rows(1)[0].outcome, Outcome::Success);
}

#[test]
fn one_address_has_its_share_of_the_connections() {
    let (plane, at) = plane("connections_per_address: 2");
    let mut held: Vec<TcpStream> = (0..2).map(|_| connect(at)).collect();
    held.iter_mut().for_each(models);
    closed_after(connect(at));
    assert!(
        plane
            .metrics
            .encode()
            .contains("lintel_shed_total{reason=\"connections_per_address\"} 1")
    );
    held.clear();
    let until = Instant::now() + PATIENCE;
    loop {
        let mut again = connect(at);
        let head = format!(
            "GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\r\n"
        );
        let _ = again.write_all(head.as_bytes());
        let mut answer = String::new();
        let _ = again.read_to_string(&mut answer);
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(Instant::now() < until, "its places were not given back");
    }
}

#[test]
fn a_go_ahead_is_given_to_a_call_that_will_be_read() {
    let (plane, at) = plane("body: 1KB");
    let head = |key: &str, length: usize, expect: &str| {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nexpect: {expect}\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let body = r#"{"model":"sandbox","messages":[{"role":"user","content":"hello"}]}"#;
    let mut good = connect(at);
    good.write_all(head(KEY, body.len(), "100-continue").as_bytes())
        .unwrap();
    assert_eq!(
        read_until(&mut good, "\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    good.write_all(body.as_bytes()).unwrap();
    assert!(read_until(&mut good, "\r\n\r\n").starts_with("HTTP/1.1 200"));
    // Refused before a byte of the body is asked for, and the connection ends: what would follow can't be told from a body.
    for (key, length, expect, status) in [
        (KEY, 10_000, "100-continue", "413"),
        ("lk_wrong", body.len(), "100-continue", "401"),
        (KEY, body.len(), "a-miracle", "417"),
    ] {
        let mut refused = connect(at);
        refused
            .write_all(head(key, length, expect).as_bytes())
            .unwrap();
        let mut answer = String::new();
        refused.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    plane.rows(3);
}

#[test]
fn ipv6_is_served_alone_and_beside_ipv4() {
    let text = config("").replace("127.0.0.1:0", "\"[::]:0\"");
    let plane = Plane::with(load(&text), None);
    let port = plane.running.as_ref().unwrap().local_addr.port();
    models(&mut connect(SocketAddr::from((
        std::net::Ipv6Addr::LOCALHOST,
        port,
    ))));
    let only_v6 = std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only");
    if only_v6.is_ok_and(|text| text.trim() == "0") {
        models(&mut connect(SocketAddr::from(([127, 0, 0, 1], port))));
    }
}
