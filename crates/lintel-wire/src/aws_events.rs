//! AWS event streams, `application/vnd.amazon.eventstream`: where frames end, what they carry, and how to write one.
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>
//!
//! Decides whether a frame is whole and sound. It must not know what an event means. A frame's name stands in
//! its headers, so the data of an event is made from both: `{"<event-type>":<payload>}`, and for an exception
//! `{"exception":{"type":"throttlingException","message":"…"}}`. Invariant: frames leave as the bytes that came,
//! and only when both of their checksums hold.

use bytes::{Buf, Bytes, BytesMut};

use crate::framing::BadFrame;
use crate::sse::Event;

mod frame;

pub use frame::{event, exception};

/// The content type of such a stream.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Cuts a byte stream into frames, whatever the chunking.
#[derive(Debug)]
pub struct Framer {
    /// The beginning of a frame that isn't whole yet.
    tail: BytesMut,
    cap: usize,
    /// Why nothing more can be cut. The frames before are given first.
    bad: Option<BadFrame>,
}

impl Framer {
    /// A framer that refuses frames longer than `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            tail: BytesMut::new(),
            cap,
            bad: None,
        }
    }

    /// Takes the next bytes; gives the whole frames that are complete now, possibly none. A frame that is none
    /// is an error as soon as the sound ones before it have been given.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, BadFrame> {
        if let Some(bad) = self.bad {
            return Err(bad);
        }
        let block = if self.tail.is_empty() {
            // The common case: the chunk is whole frames, and leaves as it came.
            let end = self.sound(&chunk);
            self.tail
                .extend_from_slice(chunk.get(end..).unwrap_or_default());
            chunk.slice(..end)
        } else {
            let mut held = std::mem::take(&mut self.tail);
            held.extend_from_slice(&chunk);
            let end = self.sound(&held);
            let block = held.split_to(end).freeze();
            self.tail = held;
            block
        };
        match self.bad {
            Some(bad) if block.is_empty() => Err(bad),
            _ => Ok(block),
        }
    }

    /// What is left when the stream ends: a frame that was cut off.
    pub fn finish(&mut self) -> Result<Bytes, BadFrame> {
        match self.bad {
            Some(bad) => Err(bad),
            None => Ok(std::mem::take(&mut self.tail).freeze()),
        }
    }

    /// Bytes held back.
    pub fn held(&self) -> usize {
        self.tail.len()
    }

    /// One past the last whole and sound frame of `bytes`.
    fn sound(&mut self, bytes: &[u8]) -> usize {
        let mut end = 0;
        loop {
            let rest = bytes.get(end..).unwrap_or_default();
            match frame::length(rest, self.cap) {
                Ok(Some(length)) => end += length,
                Ok(None) => return end,
                Err(bad) => {
                    self.bad = Some(bad);
                    return end;
                }
            }
        }
    }
}

/// Splits a block of whole frames. Every byte of the block is in exactly one event; a frame that was cut off
/// has no data.
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
        let whole = frame::length(&self.rest, usize::MAX).ok().flatten();
        let length = whole.unwrap_or(self.rest.len());
        let bytes = self.rest.slice(..length);
        let data = whole.map(|_| Bytes::from(frame::data(&bytes)));
        self.rest.advance(length);
        Some(Event { bytes, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Seen = (Vec<u8>, Vec<Option<Bytes>>, Option<BadFrame>);

    fn through(stream: &[u8], cuts: &[usize], cap: usize) -> Seen {
        let mut framer = Framer::new(cap);
        let (mut bytes, mut data) = (Vec::new(), Vec::new());
        let mut from = 0;
        let mut take = |block: Bytes| {
            for event in events(block) {
                bytes.extend_from_slice(&event.bytes);
                data.push(event.data);
            }
        };
        for cut in cuts.iter().copied().chain([stream.len()]) {
            match framer.push(Bytes::copy_from_slice(&stream[from..cut])) {
                Ok(block) => take(block),
                Err(bad) => return (bytes, data, Some(bad)),
            }
            from = cut;
        }
        match framer.finish() {
            Ok(rest) => take(rest),
            Err(bad) => return (bytes, data, Some(bad)),
        }
        (bytes, data, None)
    }

    fn stream() -> Vec<u8> {
        [
            event("messageStart", br#"{"role":"assistant"}"#),
            event("ping", b""),
            exception("throttlingException", r#"slow "down""#),
        ]
        .concat()
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let stream = stream();
        let wanted = [
            r#"{"messageStart":{"role":"assistant"}}"#,
            r#"{"ping":{}}"#,
            r#"{"exception":{"type":"throttlingException","message":"slow \"down\""}}"#,
        ];
        for cut in 0..=stream.len() {
            let (bytes, data, bad) = through(&stream, &[cut], 1_000);
            assert_eq!((bytes, bad), (stream.clone(), None), "cut at {cut}");
            let data: Vec<Bytes> = data.into_iter().flatten().collect();
            assert_eq!(data, wanted, "cut at {cut}");
        }
    }

    #[test]
    fn a_whole_chunk_leaves_without_a_copy_and_nothing_is_held() {
        let chunk = Bytes::from(stream());
        let mut framer = Framer::new(1_000);
        let out = framer.push(chunk.clone()).unwrap();
        assert_eq!((out.as_ptr(), framer.held()), (chunk.as_ptr(), 0));
    }

    #[test]
    fn a_broken_frame_is_an_error_after_the_sound_ones() {
        let first = event("a", b"{}");
        let mut broken = event("b", br#"{"x":1}"#);
        let at = broken.len() - 6;
        broken[at] ^= 1;
        let stream = [first.clone(), broken].concat();
        for cut in 0..=stream.len() {
            let (bytes, _, bad) = through(&stream, &[cut], 1_000);
            assert_eq!(bytes, first, "cut at {cut}");
            assert!(matches!(bad, Some(BadFrame::Malformed(_))), "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_over_the_cap_is_refused_by_its_prelude_and_a_cut_one_has_no_data() {
        let long = event("a", &[b' '; 2_000]);
        assert_eq!(
            Framer::new(1_000).push(Bytes::copy_from_slice(&long[..12])),
            Err(BadFrame::TooLong)
        );
        let (bytes, data, bad) = through(&long[..500], &[], 10_000);
        assert_eq!((bytes.len(), data, bad), (500, vec![None], None));
    }

    proptest! {
        #[test]
        fn framing_does_not_depend_on_chunking(
            payloads in proptest::collection::vec("[ -~]{0,40}", 0..6),
            cuts in proptest::collection::vec(0usize..400, 0..6),
            flip in proptest::option::of(0usize..400),
        ) {
            let mut stream: Vec<u8> = payloads.iter().flat_map(|p| event("e", p.as_bytes())).collect();
            if let Some(byte) = flip.and_then(|f| stream.get_mut(f)) {
                *byte ^= 0x10;
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(stream.len())).collect();
            cuts.sort_unstable();
            prop_assert_eq!(through(&stream, &cuts, 1_000), through(&stream, &[], 1_000));
        }
    }
}
