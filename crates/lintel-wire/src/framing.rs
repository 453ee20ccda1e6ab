//! How a stream is cut into events: server-sent events, or AWS's binary frames. Both give the same kind of event.
//!
//! Decides which framing it is by the provider's word alone, never by looking at bytes. It must not know what
//! an event means. Invariant: every byte that came is in exactly one event, as it came, whatever the chunking.

use bytes::Bytes;

use crate::sse::Event;
use crate::{aws_events, sse};

/// Which framing a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingKind {
    /// `text/event-stream`
    Sse,
    /// `application/vnd.amazon.eventstream`
    AwsEvents,
}

/// A stream that can't be cut any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadFrame {
    /// An event is longer than the cap.
    TooLong,
    /// The bytes are no event; the sentence says why.
    Malformed(&'static str),
}

impl From<sse::EventTooLong> for BadFrame {
    fn from(_: sse::EventTooLong) -> Self {
        BadFrame::TooLong
    }
}

/// Cuts one stream.
#[derive(Debug)]
pub enum Framing {
    /// Server-sent events.
    Sse(sse::Framer),
    /// AWS's frames.
    Aws(aws_events::Framer),
}

impl Framing {
    /// A framing of `kind` that refuses events longer than `cap` bytes.
    pub fn new(kind: FramingKind, cap: usize) -> Self {
        match kind {
            FramingKind::Sse => Framing::Sse(sse::Framer::new(cap)),
            FramingKind::AwsEvents => Framing::Aws(aws_events::Framer::new(cap)),
        }
    }

    /// Takes the next bytes; gives the whole events that are complete now, possibly none.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, BadFrame> {
        match self {
            Framing::Sse(framer) => Ok(framer.push(chunk)?),
            Framing::Aws(framer) => framer.push(chunk),
        }
    }

    /// What is left when the stream ends: an event that isn't whole.
    pub fn finish(&mut self) -> Result<Bytes, BadFrame> {
        match self {
            Framing::Sse(framer) => Ok(framer.finish()),
            Framing::Aws(framer) => framer.finish(),
        }
    }

    /// The events of a block that [`Framing::push`] or [`Framing::finish`] gave.
    pub fn events(&self, block: Bytes) -> Events {
        match self {
            Framing::Sse(_) => Events::Sse(sse::events(block)),
            Framing::Aws(_) => Events::Aws(aws_events::events(block)),
        }
    }
}

/// The iterator of [`Framing::events`].
#[derive(Debug)]
pub enum Events {
    /// Server-sent events.
    Sse(sse::Events),
    /// AWS's frames.
    Aws(aws_events::Events),
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        match self {
            Events::Sse(events) => events.next(),
            Events::Aws(events) => events.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(kind: FramingKind, stream: &[u8], chunk: usize) -> Vec<Bytes> {
        let mut framing = Framing::new(kind, 1_000);
        let mut data = Vec::new();
        for piece in stream.chunks(chunk) {
            let block = framing.push(Bytes::copy_from_slice(piece)).unwrap();
            data.extend(framing.events(block).filter_map(|e| e.data));
        }
        let rest = framing.finish().unwrap();
        data.extend(framing.events(rest).filter_map(|e| e.data));
        data
    }

    #[test]
    fn both_framings_give_the_same_kind_of_event() {
        let frame = aws_events::event("messageStop", br#"{"stopReason":"end_turn"}"#);
        for chunk in [1, 7, 1_000] {
            assert_eq!(data(FramingKind::Sse, b"data: a\n\n", chunk), ["a"]);
            assert_eq!(
                data(FramingKind::AwsEvents, &frame, chunk),
                [r#"{"messageStop":{"stopReason":"end_turn"}}"#]
            );
        }
    }
}
