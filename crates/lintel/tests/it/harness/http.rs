//! HTTP/1.1 as bytes on a socket: heads, chunks and lengths, read with a bound in time.
//!
//! Shared by the client and the provider. Keeps what it read exactly as it came, so that a test can
//! compare bytes and not a library's idea of them.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::wait::PATIENCE;

/// A request's or answer's head: its first line, its headers in order, and its bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// The first line.
    pub(crate) start: String,
    /// Name (lower case) and value, in order.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    fn parse(raw: &[u8]) -> io::Result<Head> {
        let text = String::from_utf8_lossy(raw);
        let mut lines = text.split("\r\n").filter(|l| !l.is_empty());
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .map(|line| {
                line.split_once(':')
                    .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                io::Error::new(ErrorKind::InvalidData, format!("not a head: {text:?}"))
            })?;
        Ok(Head { start, headers })
    }

    /// The value of `name`, if it came exactly once; panics when it came twice.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let all: Vec<&str> = self
            .headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
            .collect();
        assert!(
            all.len() < 2,
            "header {name} came {} times: {all:?}",
            all.len()
        );
        all.first().copied()
    }

    /// Whether `name` came at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n == name)
    }
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(usize),
    /// At the empty chunk.
    Chunked,
    /// When the connection does.
    Close,
}

impl Framing {
    /// What `head` says; `default` when it says nothing.
    pub(crate) fn of(head: &Head, default: Framing) -> Framing {
        if head
            .get("transfer-encoding")
            .is_some_and(|t| t.eq_ignore_ascii_case("chunked"))
        {
            return Framing::Chunked;
        }
        head.get("content-length")
            .and_then(|n| n.parse().ok())
            .map_or(default, Framing::Length)
    }
}

/// One direction of a socket, buffered; every read is bounded.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The socket.
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    /// How long one operation may take.
    pub(crate) patience: Duration,
}

const MOST: usize = 64 * 1024;

impl Wire {
    /// Around `stream`.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// Reads more into the buffer: how much, 0 at the end.
    fn fill(&mut self, end: Instant) -> io::Result<usize> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut space = [0; MOST];
        let n = match self.stream.read(&mut space) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            other => other?,
        };
        self.buffer.extend_from_slice(&space[..n]);
        Ok(n)
    }

    fn end(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// Everything through `mark`; none when the connection ended before a first byte.
    fn through(&mut self, mark: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let end = self.end();
        let mut from = 0;
        loop {
            if let Some(at) = find(&self.buffer[from..], mark) {
                return Ok(Some(self.buffer.drain(..from + at + mark.len()).collect()));
            }
            from = self.buffer.len().saturating_sub(mark.len());
            if self.fill(end)? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// The next head; none when the connection ended cleanly.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        self.through(b"\r\n\r\n")?
            .map(|raw| Head::parse(&raw))
            .transpose()
    }

    /// Exactly `n` bytes.
    fn exactly(&mut self, n: usize) -> io::Result<Vec<u8>> {
        let end = self.end();
        while self.buffer.len() < n {
            if self.fill(end)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..n).collect())
    }

    /// The next chunk's data; none at the last one.
    fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.through(b"\r\n")?.ok_or(ErrorKind::UnexpectedEof)?;
        let digits = String::from_utf8_lossy(&line);
        let digits = digits.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(digits, 16).map_err(|_| ErrorKind::InvalidData)?;
        let data = self.exactly(size)?;
        if self.exactly(2)? != b"\r\n" {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok((size > 0).then_some(data))
    }

    /// The next piece of a body: as much as the framing hands over at once; none at its end.
    /// `left` is what remains of a [`Framing::Length`].
    pub(crate) fn piece(
        &mut self,
        framing: Framing,
        left: &mut usize,
    ) -> io::Result<Option<Vec<u8>>> {
        match framing {
            Framing::Chunked => self.chunk(),
            Framing::Length(_) => {
                let take = (*left).min(MOST);
                *left -= take;
                if take == 0 {
                    Ok(None)
                } else {
                    self.exactly(take).map(Some)
                }
            }
            Framing::Close => {
                let end = self.end();
                if self.buffer.is_empty() && self.fill(end)? == 0 {
                    return Ok(None);
                }
                Ok(Some(std::mem::take(&mut self.buffer)))
            }
        }
    }

    /// A whole body, and whether it ended as its framing promised.
    pub(crate) fn body(&mut self, framing: Framing) -> (Vec<u8>, io::Result<()>) {
        let mut left = if let Framing::Length(n) = framing {
            n
        } else {
            0
        };
        let mut body = Vec::new();
        loop {
            match self.piece(framing, &mut left) {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return (body, Ok(())),
                Err(e) => {
                    body.append(&mut self.buffer);
                    return (body, Err(e));
                }
            }
        }
    }

    /// What was read but not asked for: the beginning of a piece that never came whole.
    pub(crate) fn remainder(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Whether the peer has closed or reset the connection, looking for at most `bound`.
    pub(crate) fn hung_up(&self, bound: Duration) -> bool {
        if self
            .stream
            .set_read_timeout(Some(bound.max(Duration::from_millis(1))))
            .is_err()
        {
            return true;
        }
        match self.stream.peek(&mut [0; 1]) {
            Ok(0) => true,
            Ok(_) => {
                // A pipelined byte says that the peer lives; don't spin on it.
                std::thread::sleep(bound);
                false
            }
            Err(e) => !matches!(
                e.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ),
        }
    }
}

/// Where `needle` first stands in `hay`.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}

/// `data` as one chunk of a chunked body.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", data.len()).into_bytes();
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
    out
}
