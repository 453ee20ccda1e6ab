//! How long a client may take: to send a head, to come back with another, to read what it asked for.
//!
//! One clock for each direction of a connection, below TLS, where bytes are what the network carried. A write that makes no progress for `limits.write_timeout`, or past the
//! deadline of the call it belongs to, ends the connection; so does a head that isn't whole `limits.header_timeout` after its first byte (the
//! first one: after the connection was accepted), and a silence of `limits.idle_timeout` between calls. Invariant: a
//! client that stalls holds neither a provider's stream nor memory for longer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use lintel_config::Limits;
use lintel_telemetry::Cut;
use lintel_types::Mono;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::live::micros;
use crate::shared::Shared;

/// The call under way on a connection (or on a stream of one). Shared between the connection and the call.
#[derive(Debug)]
pub(crate) struct Leash {
    /// By when it has to end, in microseconds.
    until: AtomicU64,
    under_way: AtomicBool,
    /// How many calls there have been.
    calls: AtomicU64,
}

impl Leash {
    /// No call is under way.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            until: AtomicU64::new(u64::MAX),
            under_way: AtomicBool::new(false),
            calls: AtomicU64::new(0),
        })
    }

    /// A call begins. Its end is not known yet.
    pub(crate) fn begin(&self) {
        self.until.store(u64::MAX, Ordering::Relaxed);
        self.under_way.store(true, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// The call that is under way has to end by `at`.
    pub(crate) fn set(&self, at: Mono) {
        self.until.store(micros(at.0), Ordering::Relaxed);
    }

    /// The call is settled. What has not left of its answer still has to by the call's end.
    pub(crate) fn clear(&self) {
        self.under_way.store(false, Ordering::Relaxed);
    }

    /// The call under way, if there is one, has to end by `at` at the latest.
    pub(crate) fn hurry(&self, at: Mono) {
        let sooner = |until| (until != u64::MAX).then(|| micros(at.0).min(until));
        let _ = self
            .until
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sooner);
    }

    pub(crate) fn until(&self) -> Mono {
        Mono(Duration::from_micros(self.until.load(Ordering::Relaxed)))
    }

    fn idle(&self) -> bool {
        !self.under_way.load(Ordering::Relaxed)
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// A client's connection whose reads and writes have to get on.
pub(crate) struct Patient<S> {
    stream: S,
    shared: Arc<Shared>,
    leash: Arc<Leash>,
    write_limit: Duration,
    /// Set while a write is blocked: when that is too long, and what wakes it then.
    write_timer: Option<(Mono, Pin<Box<Sleep>>)>,
    heads: Heads,
}

/// The wait for heads. Of HTTP/1 only: HTTP/2 has several calls on a connection, and counts them itself.
struct Heads {
    head_limit: Duration,
    idle_limit: Duration,
    /// When the connection was: the first head's time begins then, whatever is written before it (a handshake).
    accepted: Mono,
    watched: bool,
    /// A head has begun: of the one that is awaited, some byte is here, or it is the first.
    begun: bool,
    /// The timer is set for what is awaited now.
    set: bool,
    /// The calls when the head began to be awaited.
    calls: u64,
    /// Kept from call to call: moving it costs less than making it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(
        stream: S,
        shared: Arc<Shared>,
        leash: Arc<Leash>,
        limits: &Limits,
        accepted: Mono,
    ) -> Self {
        Self {
            stream,
            shared,
            leash,
            write_limit: limits.write_timeout,
            write_timer: None,
            heads: Heads {
                head_limit: limits.header_timeout,
                idle_limit: limits.idle_timeout,
                accepted,
                watched: true,
                begun: true,
                set: false,
                calls: 0,
                timer: None,
            },
        }
    }

    /// From here on the connection carries something else than HTTP/1: whoever reads it counts the time.
    pub(crate) fn leave_heads(&mut self) {
        self.heads.watched = false;
        self.heads.timer = None;
    }

    /// What comes of a write: one that is blocked for too long is an error.
    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            // A client that reads isn't idle, even after its call has settled.
            self.heads.set = false;
            return written;
        }
        let (shared, leash, limit) = (&self.shared, &self.leash, self.write_limit);
        let (due, timer) = self.write_timer.get_or_insert_with(|| {
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
                shared.metrics.cut(Cut::WriteTimeout);
                Poll::Ready(Err(timed_out("the client stopped reading")))
            }
        }
    }

    /// Nothing has come: whether that has gone on for too long.
    fn watch_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let heads = &mut self.heads;
        if !heads.watched {
            return Poll::Pending;
        }
        if !self.leash.idle() {
            heads.set = false;
            return Poll::Pending;
        }
        let calls = self.leash.calls();
        if heads.calls != calls {
            (heads.calls, heads.begun, heads.set) = (calls, false, false);
        }
        if !heads.set {
            heads.set = true;
            let due = match heads.begun {
                true if calls == 0 => heads.accepted.plus(heads.head_limit),
                true => self.shared.now().plus(heads.head_limit),
                false => self.shared.now().plus(heads.idle_limit),
            };
            let due = self.shared.clock.instant(due);
            match &mut heads.timer {
                Some(timer) => timer.as_mut().reset(due),
                none => *none = Some(Box::pin(tokio::time::sleep_until(due))),
            }
        }
        let Some(timer) = &mut heads.timer else {
            return Poll::Pending;
        };
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.shared.metrics.cut(match heads.begun {
            true => Cut::HeaderTimeout,
            false => Cut::Idle,
        });
        Poll::Ready(Err(timed_out("the client sent no whole head in time")))
    }

    /// Some bytes have come.
    fn got(&mut self) {
        let heads = &mut self.heads;
        if !heads.watched || !self.leash.idle() {
            return;
        }
        let calls = self.leash.calls();
        let first_of_head = heads.calls != calls || !heads.begun;
        if first_of_head {
            (heads.calls, heads.begun, heads.set) = (calls, true, false);
        }
    }
}

fn timed_out(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match read {
            Poll::Pending => self.watch_read(cx),
            Poll::Ready(done) => {
                if buf.filled().len() > before {
                    self.got();
                }
                Poll::Ready(done)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(cx, written)
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
