//! One stream of an HTTP/2 connection: a call in a task of its own, and how its client behaves.
//!
//! The connection's socket can be well while one stream of it is stuck, because its client opens no window for it. So every stream has the
//! write rule of its own: an answer that gets nowhere for `limits.write_timeout`, or past its call's deadline, is reset. What waits for
//! a provider isn't the client's fault and is not counted.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use lintel_config::Limits;
use lintel_telemetry::Cut;
use lintel_types::Mono;
use tokio::sync::{Notify, watch};
use tokio::time::Sleep;

use crate::drain::Phase;
use crate::live::micros;
use crate::patience::Leash;
use crate::shared::Shared;
use crate::write::ClientBody;

/// An answer leaves in pieces of this many bytes, one when the window has room: so a step forward of a slow reader is seen.
const PIECE: usize = 16 * 1024;
/// A call that its client calls off sooner than this was not meant.
const HASTY: Duration = Duration::from_secs(1);
/// So many hasty calls, and more than half of all, are misuse.
const HASTY_CALLS: u64 = 256;

tokio::task_local! {
    static THIS: Arc<Stream>;
}

/// The stream whose task runs.
pub(super) fn this() -> Arc<Stream> {
    THIS.with(Arc::clone)
}

/// The streams of one connection.
pub(super) struct Streams {
    shared: Arc<Shared>,
    write_limit: Duration,
    head_limit: Duration,
    idle_limit: Duration,
    accepted: Mono,
    open: AtomicUsize,
    begun: AtomicU64,
    hasty: AtomicU64,
    /// When the last one ended, in microseconds; 0 before.
    ended: AtomicU64,
    misuse: Notify,
}

impl Streams {
    pub(super) fn new(shared: Arc<Shared>, limits: &Limits, accepted: Mono) -> Arc<Self> {
        Arc::new(Self {
            accepted,
            shared,
            write_limit: limits.write_timeout,
            head_limit: limits.header_timeout,
            idle_limit: limits.idle_timeout,
            open: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            hasty: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            misuse: Notify::new(),
        })
    }

    /// Until when the connection may stay as it is: without a first call for the time of a head, then idle between calls.
    pub(super) fn rests_until(&self) -> Mono {
        if self.open.load(Ordering::Relaxed) > 0 {
            return self.shared.now().plus(self.idle_limit);
        }
        match self.ended.load(Ordering::Relaxed) {
            0 => self.accepted.plus(self.head_limit),
            at => Mono(Duration::from_micros(at)).plus(self.idle_limit),
        }
    }

    /// Waits until the client has called off more than it may.
    pub(super) async fn misused(&self) {
        self.misuse.notified().await;
    }

    fn begin(self: &Arc<Self>) -> Arc<Stream> {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        Arc::new(Stream {
            streams: Arc::clone(self),
            leash: Leash::new(),
            began: self.shared.now(),
            writing: AtomicBool::new(false),
            pieces: AtomicU64::new(0),
            whole: AtomicBool::new(false),
        })
    }

    fn end(&self, stream: &Stream) {
        let now = self.shared.now();
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.ended.store(micros(now.0).max(1), Ordering::Relaxed);
        if stream.whole.load(Ordering::Relaxed) || now.since(stream.began) >= HASTY {
            return;
        }
        let hasty = self.hasty.fetch_add(1, Ordering::Relaxed) + 1;
        if hasty >= HASTY_CALLS && hasty * 2 > self.begun.load(Ordering::Relaxed) {
            self.misuse.notify_one();
        }
    }
}

/// One stream.
pub(super) struct Stream {
    streams: Arc<Streams>,
    leash: Arc<Leash>,
    began: Mono,
    /// There is something for the client to take, and the provider isn't waited for.
    writing: AtomicBool,
    /// Pieces that have left.
    pieces: AtomicU64,
    /// The answer has left whole.
    whole: AtomicBool,
}

impl Stream {
    pub(super) fn leash(&self) -> Arc<Leash> {
        Arc::clone(&self.leash)
    }

    /// The answer's body, which tells this stream how it gets on.
    pub(super) fn body(self: Arc<Self>, inner: ClientBody) -> StreamBody {
        self.writing.store(true, Ordering::Relaxed);
        if inner.is_end_stream() {
            self.whole.store(true, Ordering::Relaxed);
        }
        StreamBody {
            stream: self,
            inner,
            rest: Bytes::new(),
        }
    }
}

/// Spawns the streams' tasks.
#[derive(Clone)]
pub(super) struct Tasks {
    streams: Arc<Streams>,
    phase: watch::Receiver<Phase>,
}

impl Tasks {
    pub(super) fn new(streams: Arc<Streams>, phase: watch::Receiver<Phase>) -> Self {
        Self { streams, phase }
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, run: F) {
        let stream = self.streams.begin();
        let mut phase = self.phase.clone();
        tokio::spawn(async move {
            let ended = Ended(Arc::clone(&stream));
            let watched = Watched {
                run: Box::pin(run),
                stream: Arc::clone(&stream),
                timer: None,
                pieces: 0,
            };
            let mut run = pin!(THIS.scope(stream, watched));
            loop {
                tokio::select! {
                    () = run.as_mut() => break,
                    // A cut is seen by the call itself, once it is polled.
                    changed = phase.changed() => if changed.is_err() {
                        run.as_mut().await;
                        break;
                    },
                }
            }
            drop(ended);
        });
    }
}

/// Counts a stream's end, however it ends.
struct Ended(Arc<Stream>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.streams.end(&self.0);
    }
}

/// A stream's work, given up when its client doesn't take what there is. Dropping it resets the stream.
struct Watched<F> {
    run: Pin<Box<F>>,
    stream: Arc<Stream>,
    /// Set while the client is waited for: when that is too long, and what wakes it then.
    timer: Option<(Mono, Pin<Box<Sleep>>)>,
    pieces: u64,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = &mut *self;
        if me.run.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let pieces = me.stream.pieces.load(Ordering::Relaxed);
        if std::mem::replace(&mut me.pieces, pieces) != pieces
            || !me.stream.writing.load(Ordering::Relaxed)
        {
            me.timer = None;
        }
        if !me.stream.writing.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let Streams {
            shared,
            write_limit,
            ..
        } = &*me.stream.streams;
        let (due, timer) = me.timer.get_or_insert_with(|| {
            let due = shared.now().plus(*write_limit);
            let timer = tokio::time::sleep_until(shared.clock.instant(due));
            (due, Box::pin(timer))
        });
        // The call's end may have come nearer while the client was waited for.
        let until = me.stream.leash.until();
        if until < *due {
            *due = until;
            timer.as_mut().reset(shared.clock.instant(until));
        }
        if timer.as_mut().poll(cx).is_ready() {
            shared.metrics.cut(Cut::WriteTimeout);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// An answer's body on its way to one stream.
pub(super) struct StreamBody {
    stream: Arc<Stream>,
    inner: ClientBody,
    /// What has come of the answer and waits for the window.
    rest: Bytes,
}

impl StreamBody {
    /// The next piece of what there is.
    fn piece(&mut self) -> Bytes {
        let last = self.rest.len() <= PIECE && self.inner.is_end_stream();
        self.stream.pieces.fetch_add(1, Ordering::Relaxed);
        if !last {
            return self.rest.split_to(self.rest.len().min(PIECE));
        }
        self.stream.whole.store(true, Ordering::Relaxed);
        // It may wait in the connection for a window: as a copy, so that it holds no more memory than its own.
        Bytes::copy_from_slice(&std::mem::take(&mut self.rest))
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => self.rest = frame.into_data().unwrap_or_default(),
                Poll::Ready(Some(Err(never))) => match never {},
                Poll::Ready(None) => {
                    self.stream.whole.store(true, Ordering::Relaxed);
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    self.stream.writing.store(false, Ordering::Relaxed);
                    return Poll::Pending;
                }
            }
        }
        self.stream.writing.store(true, Ordering::Relaxed);
        let piece = self.piece();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        self.inner
            .size_hint()
            .exact()
            .map_or_else(SizeHint::default, |inner| {
                SizeHint::with_exact(inner + rest)
            })
    }
}
