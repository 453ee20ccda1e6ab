//! A client that sends exact bytes and can be as slow, rude or patient as a test needs.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::http::{Framing, Head, Wire, find};

/// A request, as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    start: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without headers but `host`.
    pub(crate) fn new(method: &str, path: &str) -> Request {
        Request {
            start: format!("{method} {path} HTTP/1.1"),
            headers: vec![("host".into(), "lintel.test".into())],
            body: Vec::new(),
        }
    }

    /// With a header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the header `name`.
    pub(crate) fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    /// With this body and its length.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Request {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.without("content-length")
            .header("content-length", &length)
    }

    /// With `members` added to the query.
    pub(crate) fn query(mut self, members: &str) -> Request {
        let (path, version) = self.start.rsplit_once(' ').unwrap();
        let mark = if path.contains('?') { '&' } else { '?' };
        self.start = format!("{path}{mark}{members} {version}");
        self
    }

    /// With another method.
    pub(crate) fn method(mut self, method: &str) -> Request {
        let (_, rest) = self.start.split_once(' ').unwrap();
        self.start = format!("{method} {rest}");
        self
    }

    /// With another target.
    pub(crate) fn target(mut self, target: &str) -> Request {
        let method = self.start.split(' ').next().unwrap();
        self.start = format!("{method} {target} HTTP/1.1");
        self
    }

    /// Whether it goes to `target`, whatever its query adds.
    pub(crate) fn is_at(&self, target: &str) -> bool {
        let path = |t: &str| t.split('?').next().unwrap_or_default().to_owned();
        path(self.start.split(' ').nth(1).unwrap_or_default()) == path(target)
    }

    /// Bytes of its body.
    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Its head as bytes, announcing chunks, and its body.
    pub(crate) fn unframed(&self) -> (Vec<u8>, &[u8]) {
        let head = self.clone().without("content-length");
        (
            head.header("transfer-encoding", "chunked").head_bytes(),
            &self.body,
        )
    }

    /// Its head as bytes.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let mut out = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        out.into_bytes()
    }

    /// All of it as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.head_bytes();
        out.extend_from_slice(&self.body);
        out
    }
}

/// An answer: its head, its body without framing, and how the body ended.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The head.
    pub(crate) head: Head,
    /// The body, without framing.
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its framing promised.
    pub(crate) ended: io::Result<()>,
}

impl Reply {
    /// The header `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.text()))
    }
}

/// One connection.
pub(crate) struct Client {
    wire: Wire,
    framing: Framing,
    left: usize,
    /// Body bytes that `until` read past what it was asked for.
    ahead: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(addr: SocketAddr) -> Client {
        Client::over(TcpStream::connect(addr).unwrap())
    }

    /// Connects with a receive buffer of about `bytes`: a reader that falls behind soon.
    pub(crate) fn narrow(addr: SocketAddr, bytes: usize) -> Client {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(bytes).unwrap();
        socket.connect(&addr.into()).unwrap();
        Client::over(socket.into())
    }

    /// Over a connection that is there already.
    pub(crate) fn over(stream: TcpStream) -> Client {
        stream.set_nodelay(true).unwrap();
        Client {
            wire: Wire::new(stream),
            framing: Framing::Close,
            left: 0,
            ahead: Vec::new(),
        }
    }

    /// Sends bytes as they are. A peer that answers before it has read everything may close: not an error here.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire
            .stream
            .set_write_timeout(Some(self.wire.patience))?;
        self.wire.stream.write_all(bytes)
    }

    /// Sends `request` and reads the whole answer.
    pub(crate) fn call(&mut self, request: &Request) -> Reply {
        let _ = self.send(&request.bytes());
        self.reply()
    }

    /// Reads an answer's head.
    pub(crate) fn head(&mut self) -> io::Result<Head> {
        let head = self.wire.head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.framing = if head.start.contains(" 204 ") {
            Framing::Length(0)
        } else {
            Framing::of(&head, Framing::Close)
        };
        self.left = if let Framing::Length(n) = self.framing {
            n
        } else {
            0
        };
        self.ahead.clear();
        Ok(head)
    }

    /// Reads a whole answer; panics when no head comes.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply()
            .unwrap_or_else(|e| panic!("no answer: {e}"))
    }

    /// Reads a whole answer.
    pub(crate) fn try_reply(&mut self) -> io::Result<Reply> {
        let head = self.head()?;
        let (body, ended) = self.rest();
        let status = head
            .start
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        Ok(Reply {
            status,
            head,
            body,
            ended,
        })
    }

    /// The next piece of the body; none at its end.
    pub(crate) fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        self.wire.piece(self.framing, &mut self.left)
    }

    /// Reads the body until `mark` has come: everything through it.
    pub(crate) fn until(&mut self, mark: &[u8]) -> io::Result<Vec<u8>> {
        let mut got = Vec::new();
        loop {
            if let Some(at) = find(&got, mark) {
                self.ahead = got.split_off(at + mark.len());
                return Ok(got);
            }
            got.extend(self.piece()?.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
    }

    /// The rest of the body, and whether it ended as its framing promised.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut body = std::mem::take(&mut self.ahead);
        loop {
            match self.piece() {
                Ok(Some(piece)) => body.extend(piece),
                Ok(None) => return (body, Ok(())),
                Err(e) => {
                    body.extend(self.wire.remainder());
                    return (body, Err(e));
                }
            }
        }
    }

    /// Hangs up, politely (a FIN) as most programs do.
    pub(crate) fn hang_up(self) {}

    /// Hangs up with a reset.
    pub(crate) fn reset(self) {
        let _ = socket2::SockRef::from(&self.wire.stream).set_linger(Some(Duration::ZERO));
    }

    /// Says that nothing more will be sent, or read.
    pub(crate) fn shutdown(&self, how: std::net::Shutdown) {
        let _ = self.wire.stream.shutdown(how);
    }

    /// Says how long one read may take.
    pub(crate) fn patience(&mut self, time: Duration) {
        self.wire.patience = time;
    }
}
