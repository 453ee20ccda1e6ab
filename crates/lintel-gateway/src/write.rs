//! The sealed writers: the only place from which bytes go to a client or a provider.
//!
//! Invariant: every byte comes out of a `Cleared<T>`, which only the guard stage can make. A body that
//! carries anything else does not compile, because the fields are private to this file.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use lintel_guard::Cleared;
use lintel_types::Rendered;

/// Something that yields cleared bytes until it ends.
pub(crate) trait ClearedStream: Send {
    /// The next bytes; `None` ends the body.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Cleared<Bytes>>>;
}

/// The body of an answer to a client.
pub(crate) struct ClientBody {
    inner: Inner,
}

enum Inner {
    Whole(Option<Bytes>),
    Stream(Box<dyn ClearedStream>),
}

impl ClientBody {
    /// A whole body.
    pub(crate) fn whole(bytes: Cleared<Bytes>) -> Self {
        Self {
            inner: Inner::Whole(Some(bytes.into_inner()).filter(|b| !b.is_empty())),
        }
    }

    /// A body that arrives piece by piece. Nothing is read ahead of the client: the next piece is asked
    /// for when the connection can take it.
    pub(crate) fn stream(source: Box<dyn ClearedStream>) -> Self {
        Self {
            inner: Inner::Stream(source),
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.inner {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Inner::Stream(source) => loop {
                match source.poll_next(cx) {
                    // An empty data frame would end a chunked body.
                    Poll::Ready(Some(bytes)) if bytes.get().is_empty() => {}
                    Poll::Ready(Some(bytes)) => {
                        return Poll::Ready(Some(Ok(Frame::data(bytes.into_inner()))));
                    }
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Pending => return Poll::Pending,
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.inner, Inner::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Inner::Stream(_) => SizeHint::default(),
        }
    }
}

/// The body of a request to a provider.
pub(crate) struct ProviderBody {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl ProviderBody {
    /// The rendered request.
    pub(crate) fn new(rendered: Cleared<Rendered>) -> Self {
        let rendered = rendered.into_inner();
        Self {
            left: rendered.len as u64,
            pieces: rendered.pieces.into_iter(),
        }
    }
}

impl Body for ProviderBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.left = self
            .left
            .saturating_sub(piece.as_ref().map_or(0, |p| p.len() as u64));
        Poll::Ready(piece.map(|p| Ok(Frame::data(p))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
