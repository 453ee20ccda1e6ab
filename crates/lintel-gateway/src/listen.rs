//! The data listener: accepts connections, serves HTTP/1.1 on them, ends them on time.
//!
//! Every worker accepts from the same socket. A connection stays on the thread that accepted it.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lintel_telemetry::{Level, LogEvent, Shed};
use lintel_types::{Error, Kind, Retry};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::answer::bare_error;
use crate::cut::Cut;
use crate::drain::Phase;
use crate::entry::dialect;
use crate::exchange::Born;
use crate::patience::{Leash, Patient};
use crate::pipeline;
use crate::shared::Shared;
use crate::start::Worker;
use crate::write::ClientBody;

/// Connections that may have waited in the kernel's queue when no more are taken.
const LAST_ACCEPTED: usize = 1024;

/// Accepts until the process drains.
pub(crate) async fn accept(
    worker: Arc<Worker>,
    listener: TcpListener,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|p| !p.accepts()) => break,
        };
        match accepted {
            Ok((stream, _)) => admit(&worker, stream, phase.clone()),
            Err(e) => {
                // Out of files, most likely: connections that end make room.
                let event = LogEvent::new(
                    worker.shared.wall(),
                    Level::Warn,
                    "accepting a connection failed",
                );
                worker
                    .shared
                    .lines
                    .event(&event.field("error", e.to_string()));
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
    // Whoever had connected by then is let in. Bounded: another process may take from the same queue, and it never ends.
    for _ in 0..LAST_ACCEPTED {
        let waiting = std::future::poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await;
        let Poll::Ready(Ok((stream, _))) = waiting else {
            return;
        };
        admit(&worker, stream, phase.clone());
    }
}

fn admit(worker: &Arc<Worker>, stream: TcpStream, phase: watch::Receiver<Phase>) {
    let shared = &worker.shared;
    let Ok(slot) = shared.connections.hold(1) else {
        // Closed at once: a connection over the cap costs as little as can be.
        shared.metrics.shed(Shed::Connections);
        return;
    };
    let gauge = shared.metrics.connection();
    let worker = Arc::clone(worker);
    tokio::spawn(async move {
        serve(worker, stream, phase).await;
        drop((slot, gauge));
    });
}

async fn serve(worker: Arc<Worker>, stream: TcpStream, mut phase: watch::Receiver<Phase>) {
    // A call's head and body leave in one segment each, at once.
    let _ = stream.set_nodelay(true);
    let limits = worker.shared.snapshot.load().limits;
    let leash = Leash::new();
    let service = service_fn(|request| {
        let (worker, leash) = (Arc::clone(&worker), Arc::clone(&leash));
        async move {
            let mut response = call(&worker, leash, request).await;
            if worker.shared.is_leaving() {
                // Another process, or another instance, answers the next call.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let stream = Patient::new(
        TokioIo::new(stream),
        Arc::clone(&worker.shared),
        Arc::clone(&leash),
        limits.write_timeout,
    );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes.max(8 * 1024))
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            // What a connection dies of is the client's business: a call on it has settled by itself.
            _ = connection.as_mut() => return,
            changed = phase.changed() => {
                if changed.is_err() || phase.borrow_and_update().closes_idle() {
                    connection.as_mut().graceful_shutdown();
                }
                if changed.is_err() {
                    let _ = connection.as_mut().await;
                    return;
                }
            }
        }
    }
}

/// One call. A panic in it becomes a 500, a cut a 503; both have been settled by what was dropped.
async fn call(
    worker: &Arc<Worker>,
    leash: Arc<Leash>,
    request: Request<Incoming>,
) -> Response<ClientBody> {
    let shared = &worker.shared;
    let (parts, incoming) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let wall = shared.wall();
    let id = shared.ids.next(wall, shared.random());
    let committer = Arc::clone(&worker.committer);
    let cut = Cut::new(Arc::clone(&leash));
    let born = Born {
        id,
        wall,
        leash,
        cut: Arc::clone(&cut),
        committer,
    };
    let run = Guarded {
        shared: Arc::clone(shared),
        cut,
        run: Box::pin(pipeline::run(worker, born, parts, incoming)),
    };
    let error = match run.await {
        Ok(response) => return response,
        Err(Stopped::Panicked) => Error::gateway(
            Kind::Internal,
            "internal",
            "the gateway failed on this call: try again, and report it if it happens again",
        ),
        Err(Stopped::Cut) => Error::gateway(
            Kind::Overloaded,
            "shutting_down",
            "this instance stopped before the call was answered: try again",
        )
        .retry(Retry::SameTarget),
        Err(Stopped::Refused(error)) => error,
    };
    bare_error(dialect(None, &path), &error, &id.to_string())
}

/// Why a call came to no answer of its own.
enum Stopped {
    /// A step panicked.
    Panicked,
    /// The process stops.
    Cut,
    /// Its key is not good any more.
    Refused(Error),
}

/// A call under guard: it ends when it panics, when the process stops and when its key is not good any more. Whatever it owned is dropped,
/// and so settled. The cut needs no timer or waiter of a call's own: the connection is woken when the
/// phase changes, and polls its call.
struct Guarded<F> {
    shared: Arc<Shared>,
    cut: Arc<Cut>,
    run: Pin<Box<F>>,
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| self.run.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => Poll::Ready(Err(Stopped::Panicked)),
            Ok(Poll::Pending) if self.shared.is_cut() => Poll::Ready(Err(Stopped::Cut)),
            Ok(Poll::Pending) => {
                if let Some(error) = self.cut.error() {
                    return Poll::Ready(Err(Stopped::Refused(error)));
                }
                self.cut.park(cx);
                Poll::Pending
            }
        }
    }
}
