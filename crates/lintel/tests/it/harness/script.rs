//! What the provider does with one request: exact bytes, waits, and every bad way to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::http::chunk;

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Waits, watching for a hang-up.
    Wait(Duration),
    /// Waits until the gate opens, the peer hangs up, or the test is over.
    Gate(Gate),
    /// Waits until the peer hangs up.
    Hold,
    /// Writes these bytes again and again until the peer hangs up, at most this many times.
    Repeat(Vec<u8>, usize),
    /// Closes the connection.
    Close,
    /// Closes the connection with a reset.
    Reset,
}

/// Something the test opens when it wants the provider to go on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Lets the provider go on.
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it may go on.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The steps of one answer. A script that doesn't close leaves the connection open for the next request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(pub(crate) Vec<Act>);

impl Script {
    /// A whole answer with a length.
    pub(crate) fn reply(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Script {
        let mut out = head(status, headers);
        out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(body);
        Script(vec![Act::Send(out)])
    }

    /// A JSON answer.
    pub(crate) fn json(status: &str, body: &[u8]) -> Script {
        Script::reply(status, &[("content-type", "application/json")], body)
    }

    /// The head of a stream; the rest is up to what follows.
    pub(crate) fn stream_head() -> Script {
        Script::chunked("200 OK", &[("content-type", "text/event-stream")])
    }

    /// The head of a chunked answer.
    pub(crate) fn chunked(status: &str, headers: &[(&str, &str)]) -> Script {
        let mut out = head(status, headers);
        out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        Script(vec![Act::Send(out)])
    }

    /// A whole stream, one chunk a piece.
    pub(crate) fn stream<P: AsRef<[u8]>>(pieces: &[P]) -> Script {
        pieces
            .iter()
            .fold(Script::stream_head(), |s, p| s.chunk(p.as_ref()))
            .end()
    }

    /// Then `act`.
    pub(crate) fn then(mut self, act: Act) -> Script {
        self.0.push(act);
        self
    }

    /// Then one chunk.
    pub(crate) fn chunk(self, data: &[u8]) -> Script {
        self.then(Act::Send(chunk(data)))
    }

    /// Then the last chunk.
    pub(crate) fn end(self) -> Script {
        self.then(Act::Send(b"0\r\n\r\n".to_vec()))
    }

    /// Then these bytes as they are.
    pub(crate) fn raw(self, bytes: &[u8]) -> Script {
        self.then(Act::Send(bytes.to_vec()))
    }
}

fn head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.into_bytes()
}
