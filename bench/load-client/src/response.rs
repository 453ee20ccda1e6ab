//! Reads an HTTP/1.1 response from bytes as they come: status, then body bytes without framing.
//!
//! Pure and incremental: the same result for every way of cutting the input. It knows what a
//! benchmark meets (a length, chunks, or neither until the connection's end) and refuses the rest.
//! RFC 9112 §6 and §7.

use memchr::{memchr, memmem};

/// A head or a chunk line longer than this is refused.
const LONGEST_HEAD: usize = 16 * 1024;

/// Why a response can't be read: the name under which it is counted.
pub(crate) type Refusal = &'static str;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// So many body bytes are left.
    Length(u64),
    UntilClose,
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

/// One response being read.
#[derive(Debug)]
pub(crate) struct Response {
    state: State,
    status: u16,
    keep_alive: bool,
    /// Bytes of an unfinished head or line: empty when a whole one comes in one read.
    held: Vec<u8>,
}

impl Response {
    /// Nothing read yet.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Head,
            status: 0,
            keep_alive: true,
            held: Vec::new(),
        }
    }

    /// Ready for the next response on the same connection.
    pub(crate) fn restart(&mut self) {
        self.state = State::Head;
        self.status = 0;
        self.keep_alive = true;
        self.held.clear();
    }

    /// The status, or 0 before it is known.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection may carry another request.
    pub(crate) fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the body is whole.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes `input`, giving body bytes to `body`. Bytes behind the response's end are refused.
    pub(crate) fn feed(
        &mut self,
        mut input: &[u8],
        body: &mut impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        while !input.is_empty() {
            input = match self.state {
                State::Head => self.head(input)?,
                State::Length(left) => self.length(left, input, body),
                State::UntilClose => {
                    body(input);
                    &[]
                }
                State::ChunkSize => self.line(input, Self::chunk_size)?,
                State::Chunk(left) => self.chunk(left, input, body),
                State::ChunkEnd => self.line(input, Self::chunk_end)?,
                State::Trailer => self.line(input, Self::trailer)?,
                State::Done => return Err("bytes behind the end"),
            };
        }
        Ok(())
    }

    /// The connection has ended: is the response whole?
    pub(crate) fn close(&mut self) -> Result<(), Refusal> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            State::Head => Err("closed before an answer"),
            _ => Err("short body"),
        }
    }

    fn head<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], Refusal> {
        const END: &[u8] = b"\r\n\r\n";
        if self.held.is_empty()
            && let Some(at) = memmem::find(input, END)
        {
            let (head, rest) = input.split_at(at + END.len());
            self.begin(head)?;
            return Ok(rest);
        }
        let before = self.held.len();
        self.held.extend_from_slice(input);
        // The end may straddle two reads: search from three bytes back.
        let from = before.saturating_sub(END.len() - 1);
        let Some(at) = self
            .held
            .get(from..)
            .and_then(|tail| memmem::find(tail, END))
        else {
            return if self.held.len() > LONGEST_HEAD {
                Err("endless head")
            } else {
                Ok(&[])
            };
        };
        let end = from + at + END.len();
        let head = std::mem::take(&mut self.held);
        self.begin(head.get(..end).unwrap_or_default())?;
        Ok(input.get(end - before..).unwrap_or_default())
    }

    fn begin(&mut self, head: &[u8]) -> Result<(), Refusal> {
        let text = std::str::from_utf8(head).map_err(|_| "head is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|l| l.strip_prefix("HTTP/1.1 "))
            .and_then(|l| l.get(..3));
        self.status = status.and_then(|s| s.parse().ok()).ok_or("not HTTP/1.1")?;
        self.state = State::UntilClose;
        let mut by_close = true;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                let length = value.parse().map_err(|_| "bad content-length")?;
                self.state = if length == 0 {
                    State::Done
                } else {
                    State::Length(length)
                };
                by_close = false;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                if !value.eq_ignore_ascii_case("chunked") {
                    return Err("unknown transfer-encoding");
                }
                self.state = State::ChunkSize;
                by_close = false;
            } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
            {
                self.keep_alive = false;
            }
        }
        self.keep_alive &= !by_close;
        Ok(())
    }

    fn length<'a>(&mut self, left: u64, input: &'a [u8], body: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let (now, rest) =
            input.split_at(input.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        body(now);
        let left = left - now.len() as u64;
        self.state = if left == 0 {
            State::Done
        } else {
            State::Length(left)
        };
        rest
    }

    fn chunk<'a>(&mut self, left: u64, input: &'a [u8], body: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let (now, rest) =
            input.split_at(input.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        body(now);
        let left = left - now.len() as u64;
        self.state = if left == 0 {
            State::ChunkEnd
        } else {
            State::Chunk(left)
        };
        rest
    }

    /// Gives the next whole line, without its end, to `then`.
    fn line<'a>(
        &mut self,
        input: &'a [u8],
        then: fn(&mut Self, &[u8]) -> Result<(), Refusal>,
    ) -> Result<&'a [u8], Refusal> {
        let Some(at) = memchr(b'\n', input) else {
            self.held.extend_from_slice(input);
            return if self.held.len() > LONGEST_HEAD {
                Err("endless line")
            } else {
                Ok(&[])
            };
        };
        let (line, rest) = input.split_at(at + 1);
        if self.held.is_empty() {
            then(self, line.trim_ascii_end())?;
        } else {
            let mut whole = std::mem::take(&mut self.held);
            whole.extend_from_slice(line);
            then(self, whole.trim_ascii_end())?;
        }
        Ok(rest)
    }

    fn chunk_size(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let digits = line
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let size = std::str::from_utf8(digits)
            .ok()
            .and_then(|d| u64::from_str_radix(d, 16).ok());
        self.state = match size.ok_or("bad chunk size")? {
            0 => State::Trailer,
            size => State::Chunk(size),
        };
        Ok(())
    }

    fn chunk_end(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.state = State::ChunkSize;
        if line.is_empty() {
            Ok(())
        } else {
            Err("bad chunk end")
        }
    }

    fn trailer(&mut self, line: &[u8]) -> Result<(), Refusal> {
        if line.is_empty() {
            self.state = State::Done;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nT: v\r\n\r\n";
    const LENGTH: &[u8] =
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nConnection: close\r\n\r\nabc";

    fn read(parts: &[&[u8]]) -> (Result<(), Refusal>, Vec<u8>, Response) {
        let (mut response, mut body) = (Response::new(), Vec::new());
        let result = parts
            .iter()
            .try_for_each(|p| response.feed(p, &mut |b| body.extend_from_slice(b)));
        (result, body, response)
    }

    #[test]
    fn every_cut_reads_the_same() {
        for (whole, want) in [(CHUNKED, b"hello world".as_slice()), (LENGTH, b"abc")] {
            for cut in 0..=whole.len() {
                let (result, body, response) = read(&[&whole[..cut], &whole[cut..]]);
                assert_eq!((result, response.is_done()), (Ok(()), true), "cut at {cut}");
                assert_eq!(body, want, "cut at {cut}");
            }
            let single: Vec<&[u8]> = whole.chunks(1).collect();
            assert_eq!(read(&single).1, want);
        }
    }

    #[test]
    fn status_and_keep_alive() {
        let (_, _, response) = read(&[LENGTH]);
        assert_eq!((response.status(), response.keep_alive()), (404, false));
        let (_, _, response) = read(&[CHUNKED]);
        assert_eq!((response.status(), response.keep_alive()), (200, true));
    }

    #[test]
    fn a_cut_body_is_short() {
        for whole in [CHUNKED, LENGTH] {
            let (_, _, mut response) = read(&[&whole[..whole.len() - 1]]);
            assert_eq!(response.close(), Err("short body"));
        }
        assert_eq!(Response::new().close(), Err("closed before an answer"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(read(&[b"HTTP/1.0 200 OK\r\n\r\n"]).0, Err("not HTTP/1.1"));
        assert_eq!(read(&[LENGTH, b"x"]).0, Err("bytes behind the end"));
        assert_eq!(
            read(&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"]).0,
            Err("bad chunk size")
        );
        assert_eq!(
            read(&[&vec![b'a'; LONGEST_HEAD + 1]]).0,
            Err("endless head")
        );
    }
}
