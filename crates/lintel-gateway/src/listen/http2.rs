//! HTTP/2 on one connection: its bounds, and the rules for clients that misuse it.
//!
//! What a connection may hold is fixed here or follows from `limits`; what it may do is counted: a connection most of whose calls are
//! called off at once is ended (rapid reset, CVE-2023-44487), and so is one on which no call is under way. Frames, windows and their
//! floods are the library's business, within the bounds that it is given. Calls run in tasks of their own (`stream`).

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lintel_config::Limits;
use lintel_guard::Cleared;
use lintel_telemetry::Cut;
use lintel_types::Mono;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::call::{Caller, call};
use super::stream::{Streams, Tasks, this};
use crate::answer::respond;
use crate::drain::Phase;
use crate::write::ClientBody;

/// Body bytes that a client may have under way to one call before it has read some, and to all of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// The largest frame that is taken: the least that the protocol allows.
const FRAME: u32 = 16 * 1024;
/// What of an answer waits in a stream's buffer for the socket.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that the client called off before they were looked at.
const PENDING_RESETS: usize = 20;
/// Streams that were ended because the client broke the protocol on them.
const ERROR_RESETS: usize = 256;
/// The most headers of a call, as many as an HTTP/1.1 head may have.
const HEADERS: usize = 100;
/// A connection that is silent this long is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// It has this long to say so.
const PING_ANSWER: Duration = Duration::from_secs(15);

/// Serves a connection to its end.
pub(super) async fn serve<S>(
    caller: Caller,
    stream: S,
    limits: Limits,
    accepted: Mono,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shared = Arc::clone(&caller.worker.shared);
    let streams = Streams::new(Arc::clone(&shared), &limits, accepted);
    let caller = Arc::new(caller);
    let service = service_fn(|request| {
        let caller = Arc::clone(&caller);
        // Not run before it is polled, which is in its stream's own task.
        async move {
            let stream = this();
            if request.headers().len() > HEADERS {
                return Ok(too_many_headers().map(|body| stream.body(body)));
            }
            let response = call(&caller, stream.leash(), request).await;
            Ok::<_, Infallible>(response.map(|body| stream.body(body)))
        }
    });
    let tasks = Tasks::new(Arc::clone(&streams), phase.clone());
    let mut builder = http2::Builder::new(tasks);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .max_concurrent_streams(limits.h2_streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(ERROR_RESETS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let first_due = accepted.plus(limits.header_timeout);
    let mut look = pin!(tokio::time::sleep_until(shared.clock.instant(first_due)));
    let mut leaving = false;
    let mut phases = true;
    loop {
        tokio::select! {
            // What a connection dies of is the client's business: a call on it has settled by itself.
            _ = connection.as_mut() => return,
            // Safe from the first phase on: a client that is told goodbye opens another connection, and loses no call.
            changed = phase.changed(), if phases => {
                connection.as_mut().graceful_shutdown();
                phases = changed.is_ok();
            }
            () = streams.misused() => return shared.metrics.cut(Cut::Resets),
            () = look.as_mut() => match streams.rests_until() {
                due if due > shared.now() => look.as_mut().reset(shared.clock.instant(due)),
                _ if leaving => return,
                // Told first: a call that is on its way meanwhile is answered, or may be sent again elsewhere.
                _ => {
                    leaving = true;
                    shared.metrics.cut(Cut::Idle);
                    connection.as_mut().graceful_shutdown();
                    look.as_mut().reset(shared.clock.instant(shared.now().plus(limits.write_timeout)));
                }
            }
        }
    }
}

/// What HTTP/1.1's side of the listener answers to such a head: the status alone.
fn too_many_headers() -> Response<ClientBody> {
    let nothing = ClientBody::whole(Cleared::error_text(Bytes::new()));
    respond(431, HeaderMap::new(), nothing)
}
