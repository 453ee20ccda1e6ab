//! Server-sent events: where events end, and what their data is. Nothing is rewritten.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>
//!
//! [`Framer`] gives whole events on as soon as they are whole, as the very bytes that came in.
//! An event is dispatched at its blank line only: some hosts write `event:` after `data:`.

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut};

/// Cuts a byte stream at event boundaries, whatever the chunking.
#[derive(Debug)]
pub struct Framer {
    /// The beginning of an event that isn't whole yet.
    tail: BytesMut,
    cap: usize,
}

/// An event grew over the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTooLong;

impl Framer {
    /// A framer that refuses events longer than `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            tail: BytesMut::new(),
            cap,
        }
    }

    /// Takes the next bytes; gives the whole events that are complete now, possibly none.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, EventTooLong> {
        if self.tail.is_empty() {
            // The common case: the chunk is whole events, and leaves as it came.
            let end = boundary(&chunk);
            let (whole, rest) = (chunk.slice(..end), chunk.slice(end..));
            self.keep(&rest)?;
            return Ok(whole);
        }
        // A boundary may straddle the seam: look a little way back.
        let seam = self.tail.len().saturating_sub(3);
        self.tail.extend_from_slice(&chunk);
        let end = self.tail.get(seam..).map_or(0, |t| match boundary(t) {
            0 => 0,
            end => seam + end,
        });
        let whole = self.tail.split_to(end).freeze();
        if self.tail.len() > self.cap {
            return Err(EventTooLong);
        }
        Ok(whole)
    }

    fn keep(&mut self, rest: &Bytes) -> Result<(), EventTooLong> {
        if rest.len() > self.cap {
            return Err(EventTooLong);
        }
        self.tail.extend_from_slice(rest);
        Ok(())
    }

    /// What is left when the stream ends: an event without its blank line.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.tail).freeze()
    }

    /// Bytes held back.
    pub fn held(&self) -> usize {
        self.tail.len()
    }
}

/// One past the last blank line in `bytes`; 0 when there is none.
fn boundary(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    while let Some(at) = memchr::memrchr2(b'\n', b'\r', bytes.get(..end).unwrap_or_default()) {
        // A carriage return that ends the bytes may be half of a CR LF: the next bytes will tell.
        let half = bytes.get(at) == Some(&b'\r')
            && at + 1 == bytes.len()
            && bytes.get(..at).is_none_or(|b| !b.ends_with(b"\r"));
        if !half && ends_blank(bytes.get(..=at).unwrap_or_default()) {
            return at + 1;
        }
        end = at;
    }
    0
}

/// Whether `bytes` end with two line ends in a row.
fn ends_blank(bytes: &[u8]) -> bool {
    let last = line_end(bytes);
    last > 0 && line_end(bytes.get(..bytes.len() - last).unwrap_or_default()) > 0
}

/// Length of the line end that `bytes` end with.
fn line_end(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r\n") {
        2
    } else {
        usize::from(bytes.ends_with(b"\n") || bytes.ends_with(b"\r"))
    }
}

/// One event of a block of whole events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's bytes, blank line included.
    pub bytes: Bytes,
    /// Its data; none for a block of comments or of an event name only.
    pub data: Option<Bytes>,
}

/// Splits a block of whole events. Every byte of the block is in exactly one event.
pub fn events(block: Bytes) -> Events {
    Events { rest: block }
}

/// The iterator of [`events`].
#[derive(Debug)]
pub struct Events {
    rest: Bytes,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut at, mut data, mut empty) = (0, Data::None, true);
        loop {
            let Some((line, next)) = line(&self.rest, at) else {
                at = self.rest.len();
                break;
            };
            at = next;
            if line.is_empty() {
                if empty {
                    continue; // a blank line before anything else belongs to the next event
                }
                break;
            }
            empty = false;
            let text = self.rest.get(line.clone()).unwrap_or_default();
            if let Some(value) = text.strip_prefix(b"data:") {
                let skip = 5 + usize::from(value.starts_with(b" "));
                data = data.with(&self.rest, line.start + skip..line.end);
            } else if text == b"data" {
                data = data.with(&self.rest, line.end..line.end);
            }
        }
        let data = data.bytes(&self.rest);
        let bytes = self.rest.slice(..at);
        self.rest.advance(at);
        Some(Event { bytes, data })
    }
}

/// Data lines gathered so far: one line is a slice, several are joined.
enum Data {
    None,
    One(std::ops::Range<usize>),
    Many(Vec<u8>),
}

impl Data {
    fn with(self, block: &Bytes, line: std::ops::Range<usize>) -> Data {
        let text = block.get(line.clone()).unwrap_or_default();
        match self {
            Data::None => Data::One(line),
            Data::One(first) => {
                let first = block.get(first).unwrap_or_default();
                Data::Many([first, b"\n", text].concat())
            }
            Data::Many(mut all) => {
                all.push(b'\n');
                all.extend_from_slice(text);
                Data::Many(all)
            }
        }
    }

    fn bytes(self, block: &Bytes) -> Option<Bytes> {
        match self {
            Data::None => None,
            Data::One(line) => Some(block.slice(line)),
            Data::Many(all) => Some(Bytes::from(all)),
        }
    }
}

/// The line that starts at `at`, without its end, and where the next one starts. None past the end.
fn line(bytes: &[u8], at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let rest = bytes.get(at..).filter(|r| !r.is_empty())?;
    let Some(len) = memchr::memchr2(b'\n', b'\r', rest) else {
        return Some((at..bytes.len(), bytes.len()));
    };
    let end = at + len;
    let crlf = rest.get(len) == Some(&b'\r') && rest.get(len + 1) == Some(&b'\n');
    Some((at..end, end + 1 + usize::from(crlf)))
}

/// A comment line for `text`: keeps a connection alive, and clients ignore it.
pub fn comment(text: &str) -> Bytes {
    let one_line: Cow<'_, str> = if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ").into()
    } else {
        text.into()
    };
    Bytes::from(format!(": {one_line}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data_of(stream: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<Option<Bytes>>) {
        let mut framer = Framer::new(1 << 20);
        let (mut bytes, mut data) = (Vec::new(), Vec::new());
        let mut take = |block: Bytes| {
            for event in events(block) {
                bytes.extend_from_slice(&event.bytes);
                data.push(event.data);
            }
        };
        let mut from = 0;
        for cut in cuts.iter().copied().chain([stream.len()]) {
            take(
                framer
                    .push(Bytes::copy_from_slice(&stream[from..cut]))
                    .unwrap(),
            );
            from = cut;
        }
        take(framer.finish());
        (bytes, data)
    }

    fn check(stream: &str, expected: &[Option<&str>]) {
        let expected: Vec<Option<Bytes>> = expected
            .iter()
            .map(|d| d.map(|d| Bytes::from(d.to_owned())))
            .collect();
        for cut in 0..=stream.len() {
            let (bytes, data) = data_of(stream.as_bytes(), &[cut]);
            assert_eq!(bytes, stream.as_bytes(), "cut at {cut}");
            // A blank line between events is an event without data, or the start of the next: no difference.
            let said = |list: &[Option<Bytes>]| list.iter().flatten().cloned().collect::<Vec<_>>();
            assert_eq!(said(&data), said(&expected), "cut at {cut}");
        }
    }

    #[test]
    fn every_line_end_and_every_cut_gives_the_same_events() {
        check("data: a\n\ndata: b\n\n", &[Some("a"), Some("b")]);
        check(
            "data:{\"x\":1}\r\n\r\ndata: [DONE]\r\n\r\n",
            &[Some("{\"x\":1}"), Some("[DONE]")],
        );
        check("data: a\r\rdata: b\r\r", &[Some("a"), Some("b")]);
        check(
            ": PROCESSING\n\nevent: x\ndata: 1\ndata: 2\n\n",
            &[None, Some("1\n2")],
        );
        check("data: {}\nevent: late\n\n", &[Some("{}")]);
        check("data: unfinished", &[Some("unfinished")]);
        check("\n\ndata\n\n", &[Some("")]);
    }

    #[test]
    fn a_whole_chunk_leaves_without_a_copy_and_nothing_is_held() {
        let chunk = Bytes::from_static(b"data: a\n\n");
        let mut framer = Framer::new(100);
        let out = framer.push(chunk.clone()).unwrap();
        assert_eq!((out.as_ptr(), framer.held()), (chunk.as_ptr(), 0));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut framer = Framer::new(1000);
        let line = Bytes::from(vec![b'a'; 600]);
        assert!(framer.push(line.clone()).is_ok());
        assert_eq!(framer.push(line), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn framing_does_not_depend_on_chunking(stream in r"(data: ?[a-z]{0,5}|: c|event: e|\n|\r\n|\n\n){0,20}", cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(stream.len())).collect();
            cuts.sort_unstable();
            let whole = data_of(stream.as_bytes(), &[]);
            let cut = data_of(stream.as_bytes(), &cuts);
            prop_assert_eq!(&cut.0, &whole.0);
            prop_assert_eq!(cut.1.into_iter().flatten().collect::<Vec<_>>(), whole.1.into_iter().flatten().collect::<Vec<_>>());
        }
    }
}
