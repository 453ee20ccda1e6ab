//! What is no proper HTTP, row by row: shapes by which two parsers would see two requests, and attacks on a connection.

use super::wire::{Shape, Then};

const fn row(
    name: &'static str,
    bytes: &'static str,
    statuses: &'static [u16],
    then: Then,
) -> Shape {
    Shape {
        name,
        bytes,
        statuses,
        then,
    }
}

/// A request that must not be answered as one, and its connection is not used again.
const fn refused(name: &'static str, bytes: &'static str) -> Shape {
    row(name, bytes, &[400], Then::Closes)
}

/// Every shape. `{key}` is a good key, `{inner}` a good request that nobody asked to be served, `{body}` a good body
/// and `{n}` its length.
pub(super) const SHAPES: &[Shape] = &[
    refused(
        "a length and chunks",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    refused(
        "chunks and a length",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{inner}",
    ),
    refused(
        "two lengths",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n{inner}",
    ),
    refused(
        "two lengths in a list",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: 0, 5\r\n\r\n{inner}",
    ),
    refused(
        "a length with a plus",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: +5\r\n\r\nhello{inner}",
    ),
    refused(
        "a negative length",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{inner}",
    ),
    refused(
        "a length in hexadecimal",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0x5\r\n\r\nhello{inner}",
    ),
    refused(
        "a length that no number holds",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n{inner}",
    ),
    refused(
        "an empty length",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length:\r\n\r\n{inner}",
    ),
    refused(
        "`transfer-encoding: xchunked`",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    refused(
        "`transfer-encoding: chunked, identity`",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}",
    ),
    refused(
        "`transfer-encoding: gzip`",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: gzip\r\n\r\n{inner}",
    ),
    refused(
        "chunks in HTTP/1.0",
        "POST /v1/chat/completions HTTP/1.0\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    refused(
        "a space before a colon",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\nhello{inner}",
    ),
    refused(
        "a header without a colon",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nbroken\r\n\r\n{inner}",
    ),
    refused(
        "a folded header",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: b\r\n c\r\n\r\n{inner}",
    ),
    refused(
        "a header that begins with a space",
        "GET /v1/models HTTP/1.1\r\n host: x\r\n\r\n{inner}",
    ),
    refused(
        "a NUL in a header's value",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: b\0c\r\n\r\n{inner}",
    ),
    refused(
        "a bare CR in a header's value",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: b\rc: d\r\n\r\n{inner}",
    ),
    refused(
        "a header's name with a NUL",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nx\0a: b\r\n\r\n{inner}",
    ),
    refused("HTTP/0.9", "GET /v1/models\r\n\r\n{inner}"),
    refused(
        "HTTP/1.2",
        "GET /v1/models HTTP/1.2\r\nhost: x\r\n\r\n{inner}",
    ),
    refused(
        "HTTP/3.0",
        "GET /v1/models HTTP/3.0\r\nhost: x\r\n\r\n{inner}",
    ),
    refused(
        "two spaces in the request line",
        "GET  /v1/models HTTP/1.1\r\nhost: x\r\n\r\n{inner}",
    ),
    refused(
        "a space in the path",
        "GET /v1/mo dels HTTP/1.1\r\nhost: x\r\n\r\n{inner}",
    ),
    refused(
        "a method with a space in it",
        "GE T /v1/models HTTP/1.1\r\nhost: x\r\n\r\n{inner}",
    ),
    refused(
        "TLS to a plain port",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{3}\u{3}\r\n\r\n",
    ),
    refused("nonsense", "\0\0\0\0\r\n\r\n"),
    row(
        "a chunk size that overflows",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{inner}",
        &[400],
        Then::Closes,
    ),
    row(
        "a chunk size that is none",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{inner}",
        &[400],
        Then::Closes,
    ),
    row(
        "a negative chunk size",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n{inner}",
        &[400],
        Then::Closes,
    ),
    row(
        "a chunk longer than its size",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{body}\r\n0\r\n\r\n{inner}",
        &[400],
        Then::Closes,
    ),
    row(
        "an upgrade to h2c",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: {n}\r\n\r\n{body}",
        &[200],
        Then::Serves,
    ),
    row(
        "an upgrade to a WebSocket",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: {n}\r\n\r\n{body}",
        &[200],
        Then::Serves,
    ),
    row(
        "CONNECT",
        "CONNECT other.test:443 HTTP/1.1\r\nhost: other.test:443\r\n\r\n",
        &[404],
        Then::Either,
    ),
    row(
        "TRACE",
        "TRACE /v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n",
        &[405],
        Then::Either,
    ),
    row(
        "an absolute target of another host",
        "GET http://other.test/v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n",
        &[200],
        Then::Serves,
    ),
    row(
        "a `host` that comes twice",
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nhost: y\r\nx-api-key: {key}\r\n\r\n",
        &[200, 400],
        Then::Either,
    ),
    row(
        "no `host`",
        "GET /v1/models HTTP/1.1\r\nx-api-key: {key}\r\n\r\n",
        &[200, 400],
        Then::Either,
    ),
    row(
        "HTTP/1.0 that stays",
        "GET /v1/models HTTP/1.0\r\nx-api-key: {key}\r\nconnection: keep-alive\r\n\r\n",
        &[200],
        Then::Serves,
    ),
    row(
        "HTTP/1.0 that goes",
        "GET /v1/models HTTP/1.0\r\nx-api-key: {key}\r\n\r\n",
        &[200],
        Then::Closes,
    ),
    row(
        "line feeds alone",
        "GET /v1/models HTTP/1.1\nhost: x\nx-api-key: {key}\n\n",
        &[200, 400],
        Then::Either,
    ),
    row(
        "a chunk extension and trailers",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{hex};a=\"b\"\r\n{body}\r\n0\r\nx-api-key: other\r\n\r\n",
        &[200],
        Then::Serves,
    ),
    row(
        "`Transfer-Encoding: CHUNKED`",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\ntransfer-encoding: CHUNKED\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
        &[200],
        Then::Serves,
    ),
    row(
        "empty lines before a request",
        "\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n",
        &[200, 400],
        Then::Either,
    ),
];
