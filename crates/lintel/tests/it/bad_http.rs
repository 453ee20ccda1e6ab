//! Bytes that are no HTTP request, and requests that two parsers would read as two things.

use crate::harness::{Face, Stage};

/// Bytes that are no HTTP request, and the statuses that may answer them; 0 stands for closing without one.
const NOT_HTTP: &[(&str, &[u8], &[u16])] = &[
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[400, 0]),
    ("nonsense", b"\0\0\0\0\r\n\r\n", &[400, 0]),
    ("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 505, 0]),
    ("two lengths", b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", &[400, 0]),
    ("a negative length", b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", &[400, 0]),
    ("a bad chunk size", b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", &[400, 401, 0]),
    ("chunked, but not last", b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n", &[400, 401, 501, 0]),
    ("a header without a colon", b"GET /v1/models HTTP/1.1\r\nhost x\r\n\r\n", &[400, 0]),
    ("a space before the colon", b"GET /v1/models HTTP/1.1\r\nhost : x\r\n\r\n", &[400, 0]),
    ("a folded header", b"GET /v1/models HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", &[400, 401, 0]),
    ("an absolute target elsewhere", b"GET http://other.test/v1/models HTTP/1.1\r\nhost: x\r\n\r\n", &[400, 401, 404, 421]),
    ("CONNECT", b"CONNECT other.test:443 HTTP/1.1\r\nhost: other.test:443\r\n\r\n", &[400, 404, 405]),
];

#[test]
fn what_is_not_http() {
    let stage = Stage::good();
    for (name, bytes, allowed) in NOT_HTTP {
        let mut client = stage.connect();
        client.send(bytes).unwrap();
        let status = client.try_reply().map_or(0, |r| r.status);
        assert!(allowed.contains(&status), "{name}: {status}");
    }
    // Two requests smuggled as one: both lengths given, so that two parsers would see two things.
    let face = Face::Openai;
    let inner = stage
        .request(face, "up/smuggled", false, "smuggled")
        .bytes();
    let mut client = stage.connect();
    let outer = face
        .head(&stage.key.secret)
        .header("content-length", "5")
        .header("transfer-encoding", "chunked");
    client
        .send(&[outer.head_bytes(), b"0\r\n\r\n".to_vec(), inner].concat())
        .unwrap();
    let first = client.try_reply();
    assert!(
        first.as_ref().map_or(true, |r| r.status >= 400),
        "{first:?}"
    );
    assert!(
        client.try_reply().is_err(),
        "a connection with an ambiguous length is not used again"
    );
    assert!(stage.provider.for_model("smuggled").is_empty());
    stage.idle();
    stage.still_serves("m");
    stage.quiet();
}
