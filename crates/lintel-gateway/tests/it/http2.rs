//! HTTP/2 without TLS, by a client that writes its own frames: what is served, bounded, cut and ended in order.

use std::net::SocketAddr;
use std::time::Duration;

use lintel_types::Outcome;

use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, Peer,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, head, line,
};
use crate::plane::{Plane, config, load, within};

/// Static table: `:status 200`.
const OK: u8 = 0x88;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

pub(crate) fn plane(limits: &str) -> (Plane, SocketAddr) {
    let snapshot = load(&config(&format!("limits: {{ {limits} }}\n")));
    let plane = Plane::with(snapshot, None);
    let address = plane.running.as_ref().unwrap().local_addr;
    (plane, address)
}

fn ends(stream: u32) -> impl Fn(&Frame) -> bool {
    move |frame| frame.stream == stream && frame.kind <= HEADERS && frame.flags & END_STREAM != 0
}

fn is_reset(stream: u32) -> impl Fn(&Frame) -> bool {
    move |frame| frame.stream == stream && frame.kind == RST_STREAM
}

fn status_of(frames: &[Frame], stream: u32) -> u8 {
    let head = frames
        .iter()
        .find(|f| f.kind == HEADERS && f.stream == stream);
    head.unwrap().payload[0]
}

pub(crate) fn counted(plane: &Plane, sample: &str) -> bool {
    plane.metrics.encode().contains(sample)
}

#[test]
fn calls_share_a_connection_that_began_with_the_preface() {
    let (plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    peer.call(1, "slow", true);
    peer.call(3, "sandbox", false);
    let frames = peer.until(ends(3));
    assert_eq!(status_of(&frames, 3), OK);
    let whole = peer.until(ends(1));
    let text: Vec<u8> = frames
        .iter()
        .chain(&whole)
        .filter(|f| f.stream == 1 && f.kind == DATA)
        .flat_map(|f| f.payload.clone())
        .collect();
    assert!(
        String::from_utf8(text)
            .unwrap()
            .ends_with("data: [DONE]\n\n")
    );
    // One that speaks HTTP/1.1 is served beside it.
    assert!(plane.call("sandbox", false).starts_with("HTTP/1.1 200"));
    assert!(
        plane
            .rows(3)
            .iter()
            .all(|row| row.outcome == Outcome::Success)
    );
}

#[test]
fn a_preface_in_pieces_is_one() {
    use std::io::Write as _;
    let (_plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::silent(at);
    for piece in [&b"P"[..], b"RI * HT", b"TP/2.0\r\n\r\nSM\r\n", b"\r\n"] {
        peer.stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    peer.send(SETTINGS, 0, 0, &[]).unwrap();
    peer.call(1, "sandbox", false);
    assert_eq!(status_of(&peer.until(ends(1)), 1), OK);
}

#[test]
fn more_streams_than_allowed_are_refused_unseen() {
    let (plane, at) = plane("h2_streams: 2");
    let mut peer = Peer::connect(at, &[]);
    let told = peer.until(|f| f.kind == SETTINGS && f.flags == 0);
    let settings = &told.last().unwrap().payload;
    assert!(
        settings.windows(6).any(|s| s == [0, 3, 0, 0, 0, 2]),
        "{settings:?}"
    );
    for stream in [1, 3, 5] {
        peer.call(stream, "late", false);
    }
    let frames = peer.until(is_reset(5));
    assert_eq!(frames.last().unwrap().code(), REFUSED_STREAM);
    drop(peer);
    assert!(
        plane
            .rows(2)
            .iter()
            .all(|row| row.outcome == Outcome::Cancelled)
    );
}

#[test]
fn a_stream_whose_client_opens_no_window_is_cut_alone() {
    let (plane, at) = plane("write_timeout: 300ms");
    let mut peer = Peer::connect(at, &[(INITIAL_WINDOW_SIZE, 0)]);
    peer.call(1, "sandbox", false);
    let cut = peer.until(is_reset(1));
    assert_eq!(cut.last().unwrap().code(), CANCEL);
    assert!(!cut.iter().any(|f| f.kind == DATA), "{cut:?}");
    // The connection is well: a call that is read comes through.
    peer.call(3, "sandbox", false);
    peer.window(3, 1 << 20);
    peer.until(ends(3));
    assert!(counted(
        &plane,
        "lintel_connections_cut_total{rule=\"write_timeout\"} 1"
    ));
    plane.rows(2);
}

#[test]
fn a_stream_that_is_read_in_drops_is_not_cut() {
    let (plane, at) = plane("write_timeout: 400ms");
    let mut peer = Peer::connect(at, &[(INITIAL_WINDOW_SIZE, 0)]);
    peer.call(1, "slow", true);
    // Slower altogether than the limit, but never stuck for so long.
    let mut read = 0;
    let ended = ends(1);
    loop {
        peer.window(1, 2_000);
        let frames = peer.until(|f| f.stream == 1 && (f.kind == DATA || f.kind == RST_STREAM));
        let last = frames.last().unwrap();
        assert_eq!(last.kind, DATA, "cut after {read} bytes");
        read += last.payload.len();
        if ended(last) {
            break;
        }
    }
    assert_eq!(plane.rows(1)[0].outcome, Outcome::Success);
}

#[test]
fn a_client_that_calls_off_what_it_calls_is_hung_up_on() {
    let (plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    let mut sent = 0;
    for stream in (1..200_000).step_by(2) {
        let bytes = [
            frame(HEADERS, END_HEADERS, stream, &head()),
            frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()),
        ]
        .concat();
        if std::io::Write::write_all(&mut peer.stream, &bytes).is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < 99_999, "nobody hung up");
    peer.frames();
    let status = plane.running.as_ref().unwrap().handle.status();
    assert!(status.ready, "{status:?}");
    assert!(plane.call("sandbox", false).starts_with("HTTP/1.1 200"));
}

#[test]
fn calls_that_are_called_off_one_by_one_are_counted_too() {
    let (plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    let mut alive = true;
    for stream in (1..2_000).step_by(2) {
        // Each is under way when it is called off: no backlog that a library would see.
        peer.call(stream, "slow", true);
        let Some(_) =
            std::iter::from_fn(|| peer.next()).find(|f| f.kind == DATA && f.stream == stream)
        else {
            alive = false;
            break;
        };
        let gone = [
            frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()),
            frame(WINDOW_UPDATE, 0, 0, &4_096_u32.to_be_bytes()),
        ]
        .concat();
        if std::io::Write::write_all(&mut peer.stream, &gone).is_err() {
            alive = false;
            break;
        }
    }
    assert!(!alive, "nobody hung up");
    assert!(counted(
        &plane,
        "lintel_connections_cut_total{rule=\"resets\"} 1"
    ));
}

#[test]
fn a_head_without_end_is_not_kept() {
    let (_plane, at) = plane("headers: 16KB");
    let mut peer = Peer::connect(at, &[]);
    let filler: Vec<u8> = (0..8)
        .flat_map(|_| line("x-filler", &"f".repeat(1_000)))
        .collect();
    peer.send(HEADERS, 0, 1, &head()).unwrap();
    let mut taken = 0;
    while taken < 10_000 && peer.send(CONTINUATION, 0, 1, &filler).is_ok() {
        taken += 1;
    }
    assert!(taken < 10_000, "80 MB of headers were taken");
    peer.frames();
}

#[test]
fn a_head_over_the_cap_is_refused_and_the_connection_stays() {
    let (_plane, at) = plane("headers: 16KB");
    let mut peer = Peer::connect(at, &[]);
    // One frame's worth of bytes, and more than the cap as the protocol counts: 32 for each line on top.
    let mut large = head();
    large.extend((0..15).flat_map(|_| line("x-filler", &"f".repeat(1_000))));
    large.extend(line("x-last", &"f".repeat(900)));
    peer.send(HEADERS, END_HEADERS | END_STREAM, 1, &large)
        .unwrap();
    assert_ne!(status_of(&peer.until(ends(1)), 1), OK);
    peer.call(3, "sandbox", false);
    assert_eq!(status_of(&peer.until(ends(3)), 3), OK);
}

#[test]
fn more_headers_than_a_head_may_have_are_refused() {
    let (_plane, at) = plane("headers: 64KB");
    let mut peer = Peer::connect(at, &[]);
    let mut many = head();
    many.extend((0..100).flat_map(|n| line(&format!("x-{n}"), "1")));
    peer.send(HEADERS, END_HEADERS | END_STREAM, 1, &many)
        .unwrap();
    assert_ne!(status_of(&peer.until(ends(1)), 1), OK);
    peer.call(3, "sandbox", false);
    assert_eq!(status_of(&peer.until(ends(3)), 3), OK);
}

#[test]
fn a_connection_without_calls_is_told_goodbye_and_closed() {
    let (plane, at) = plane("header_timeout: 300ms, idle_timeout: 300ms, write_timeout: 300ms");
    // Half a preface, a preface without a call, and a silence after a call.
    let mut half = Peer::silent(at);
    std::io::Write::write_all(&mut half.stream, b"PRI * HT").unwrap();
    assert!(half.frames().iter().all(|f| f.kind == SETTINGS));
    let mut none = Peer::connect(at, &[]);
    assert!(
        none.frames()
            .iter()
            .any(|f| f.kind == GOAWAY && f.code() == 0)
    );
    let mut one = Peer::connect(at, &[]);
    one.call(1, "sandbox", false);
    one.until(ends(1));
    assert!(
        one.frames()
            .iter()
            .any(|f| f.kind == GOAWAY && f.code() == 0)
    );
    assert!(counted(
        &plane,
        "lintel_connections_cut_total{rule=\"idle\"} "
    ));
}

#[test]
fn a_drain_says_goodbye_and_lets_streams_finish() {
    let (mut plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    peer.call(1, "slow", true);
    peer.until(|f| f.stream == 1 && f.kind == DATA);
    let running = plane.running.take().unwrap();
    let draining =
        std::thread::spawn(move || running.drain(within(Duration::from_secs(20)), &|| false));
    let frames = peer.until(|f| f.kind == GOAWAY);
    assert!(!frames.iter().any(ends(1)), "the goodbye came first");
    peer.until(ends(1));
    draining.join().unwrap();
    assert_eq!(plane.rows(1)[0].outcome, Outcome::Success);
}

#[test]
fn a_cut_ends_streams_with_an_error_event() {
    let (mut plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    peer.call(1, "slow", true);
    peer.until(|f| f.stream == 1 && f.kind == DATA);
    let running = plane.running.take().unwrap();
    running.drain(within(Duration::ZERO), &|| true);
    let text: Vec<u8> = peer
        .frames()
        .into_iter()
        .filter(|f| f.kind == DATA)
        .flat_map(|f| f.payload)
        .collect();
    assert!(String::from_utf8_lossy(&text).contains("shutting_down"));
    assert_eq!(plane.rows(1)[0].outcome, Outcome::Shutdown);
}
