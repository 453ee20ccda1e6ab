//! One call on a connection, whatever the connection speaks: its id, its walk, and what is answered when the walk
//! panics or is cut.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use lintel_types::{Error, Kind, Retry};

use crate::answer::bare_error;
use crate::cut::Cut;
use crate::entry::dialect;
use crate::exchange::Born;
use crate::patience::Leash;
use crate::pipeline;
use crate::shared::Shared;
use crate::start::Worker;
use crate::write::ClientBody;

/// What the calls of one connection have in common.
pub(super) struct Caller {
    pub(super) worker: Arc<Worker>,
    /// The subject of the client's certificate.
    pub(super) subject: Option<Arc<str>>,
}

/// One call. A panic in it becomes a 500, a cut a 503; both have been settled by what was dropped.
pub(super) async fn call(
    caller: &Caller,
    leash: Arc<Leash>,
    request: Request<Incoming>,
) -> Response<ClientBody> {
    leash.begin();
    let worker = &caller.worker;
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
        client_subject: caller.subject.clone(),
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

/// A call under guard: it ends when it panics, when the process stops and when its key is not good any more. Whatever
/// it owned is dropped, and so settled. The cut needs no timer or waiter of a call's own: the connection is woken when the
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
