//! Paces an answer's body: one piece for a plain answer, timed pieces for a stream.
//!
//! A chunk's time is counted from the first one's due time, not from the last write, so a slow
//! reader doesn't stretch the stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::dialect::Script;

/// The body of an answer.
pub(crate) enum Answer {
    /// All at once, with a length.
    Plain(Option<Bytes>),
    /// Chunk by chunk.
    Stream(Stream),
}

/// Where a stream stands.
pub(crate) struct Stream {
    script: Rc<Script>,
    chunks: u32,
    sent: u32,
    interval: Duration,
    due: Instant,
    /// Made for the second chunk: most of a held stream's life it is all the memory it needs.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    /// A stream whose first chunk is due now.
    pub(crate) fn new(script: Rc<Script>, chunks: u32, interval: Duration) -> Self {
        Self {
            script,
            chunks,
            sent: 0,
            interval,
            due: Instant::now(),
            timer: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.sent > self.chunks {
            return Poll::Ready(None);
        }
        let waits = self.sent > 0 && self.sent < self.chunks && !self.interval.is_zero();
        if waits {
            let due = self.due + self.interval;
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            ready!(timer.as_mut().poll(cx));
            self.due = due;
            timer.as_mut().reset(due + self.interval);
        }
        let piece = match self.sent {
            0 => &self.script.first,
            n if n < self.chunks => &self.script.next,
            _ => &self.script.last,
        };
        self.sent += 1;
        Poll::Ready(Some(piece.clone()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Answer::Plain(body) => body.take(),
            Answer::Stream(stream) => ready!(stream.poll_next(cx)),
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Plain(body) => SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            Answer::Stream(_) => SizeHint::default(),
        }
    }
}
