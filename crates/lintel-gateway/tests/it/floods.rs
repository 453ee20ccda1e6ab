//! HTTP/2 floods: frames that cost their sender nothing and want something of the receiver. Others are served meanwhile,
//! and who doesn't read the answers is hung up on.

use std::io::Write as _;

use crate::frames::{
    ACK, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, Peer, SETTINGS, WINDOW_UPDATE, frame,
    head, line,
};
use crate::http2::{counted, plane};

const ENHANCE_YOUR_CALM: u32 = 11;

/// Sends `flood` again and again and reads nothing, until the connection breaks off. Returns whether it did.
fn breaks_off(peer: &mut Peer, flood: &[u8], most: usize) -> bool {
    let many = flood.repeat((64 * 1024 / flood.len()).max(1));
    let mut sent = 0;
    while sent < most {
        if peer.stream.write_all(&many).is_err() {
            return true;
        }
        sent += many.len();
    }
    false
}

#[test]
fn who_wants_answers_and_reads_none_is_hung_up_on() {
    let floods = [
        ("pings", frame(PING, 0, 0, &[7; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
    ];
    for (name, flood) in floods {
        let (plane, at) = plane("write_timeout: 300ms");
        let mut peer = Peer::connect(at, &[]);
        let most = 256 << 20;
        assert!(breaks_off(&mut peer, &flood, most), "{name} were all taken");
        assert!(
            counted(
                &plane,
                "lintel_connections_cut_total{rule=\"write_timeout\"} 1"
            ),
            "{name}"
        );
        assert!(plane.call("sandbox", false).starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn others_are_served_beside_floods_whose_answers_are_read() {
    let (plane, at) = plane("h2_streams: 100");
    let mut peer = Peer::connect(at, &[]);
    let mut reader = Peer {
        stream: peer.stream.try_clone().unwrap(),
    };
    let reading = std::thread::spawn(move || reader.frames().len());
    let mixed = [
        frame(PING, 0, 0, &[7; 8]),
        frame(PING, ACK, 0, &[9; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(0xfa, 0, 0, b"a kind that nobody knows"),
        frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
    ]
    .concat()
    .repeat(50);
    for _ in 0..40 {
        for _ in 0..20 {
            // Hung up on is as good an answer.
            let _ = peer.stream.write_all(&mixed);
        }
        assert!(plane.call("sandbox", false).starts_with("HTTP/1.1 200"));
    }
    let _ = peer.stream.shutdown(std::net::Shutdown::Both);
    reading.join().unwrap();
    plane.rows(40);
}

#[test]
fn a_head_that_unpacks_to_megabytes_ends_its_connection() {
    let (plane, at) = plane("headers: 16KB");
    let mut peer = Peer::connect(at, &[]);
    // One header into the table that both sides keep, then a byte for each repetition of it:
    // <https://www.rfc-editor.org/rfc/rfc7541#section-6.1>.
    let mut kept = line("x-kept", &"k".repeat(3_000));
    kept[0] = 0x40;
    let mut bomb = head();
    bomb.extend(kept);
    bomb.extend([0x80 | 62; 10_000]);
    peer.send(HEADERS, END_HEADERS | END_STREAM, 1, &bomb)
        .unwrap();
    let frames = peer.frames();
    let last = frames.iter().rfind(|f| f.kind == GOAWAY).unwrap();
    assert_eq!(last.code(), ENHANCE_YOUR_CALM);
    assert!(!frames.iter().any(|f| f.kind == HEADERS), "{frames:?}");
    assert!(plane.call("sandbox", false).starts_with("HTTP/1.1 200"));
}
