//! How long a client may take to read what it asked for.
//!
//! A write that makes no progress for `limits.write_timeout`, or past the deadline of the call it belongs
//! to, ends the connection: a client that stops reading can't hold a provider's stream or memory for longer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use lintel_types::Mono;
use tokio::time::Sleep;

use crate::live::micros;
use crate::shared::Shared;

/// The deadline of the call under way on a connection. Shared between the connection and the call.
#[derive(Debug)]
pub(crate) struct Leash(AtomicU64);

impl Leash {
    /// No call is under way.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(u64::MAX)))
    }

    /// A call is under way that has to end by `at`.
    pub(crate) fn set(&self, at: Mono) {
        self.0.store(micros(at.0), Ordering::Relaxed);
    }

    /// The call is over.
    pub(crate) fn clear(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// The call under way, if there is one, has to end by `at` at the latest.
    pub(crate) fn hurry(&self, at: Mono) {
        let sooner = |until| (until != u64::MAX).then(|| micros(at.0).min(until));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sooner);
    }

    fn until(&self) -> Mono {
        Mono(Duration::from_micros(self.0.load(Ordering::Relaxed)))
    }
}

/// A client's connection whose writes have to get on.
pub(crate) struct Patient<S> {
    stream: S,
    shared: Arc<Shared>,
    leash: Arc<Leash>,
    limit: Duration,
    /// Set while a write is blocked: when that is too long, and what wakes it then.
    timer: Option<(Mono, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, shared: Arc<Shared>, leash: Arc<Leash>, limit: Duration) -> Self {
        Self {
            stream,
            shared,
            leash,
            limit,
            timer: None,
        }
    }

    /// What comes of a write: one that is blocked for too long is an error.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let (shared, leash, limit) = (&self.shared, &self.leash, self.limit);
        let (due, timer) = self.timer.get_or_insert_with(|| {
            let due = shared.now().plus(limit);
            let timer = tokio::time::sleep_until(shared.clock.instant(due));
            (due, Box::pin(timer))
        });
        // The call's end may have come nearer while the write was blocked.
        let until = leash.until();
        if until < *due {
            *due = until;
            timer.as_mut().reset(shared.clock.instant(until));
        }
        match timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let text = "the client stopped reading";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
            }
        }
    }
}

impl<S: Read + Unpin> Read for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
