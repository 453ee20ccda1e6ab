//! One connection: TLS or not, HTTP/1.1 or HTTP/2, until it ends.
//!
//! HTTP/2 is spoken when the client chose it by ALPN, or began with its preface on a plain connection
//! (<https://www.rfc-editor.org/rfc/rfc9113#section-3.3>). What is rarer than plain HTTP/1.1 lives in boxes, so that
//! a plain connection is no larger for it.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lintel_config::Limits;
use lintel_telemetry::{Cut, Level, Listener, LogEvent};
use lintel_types::Mono;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::call::{Caller, call};
use super::http2;
use crate::drain::Phase;
use crate::patience::{Leash, Patient};
use crate::start::Worker;
use crate::tls;

/// How HTTP/2's preface begins, and no request of HTTP/1: <https://www.rfc-editor.org/rfc/rfc9113#section-3.4>.
const PREFACE: &[u8] = b"PRI";
/// How long a preface that came in part is given to come in whole before it is looked at again: at first, and at most.
const GLANCE: Duration = Duration::from_millis(5);
const LONG_GLANCE: Duration = Duration::from_millis(320);

/// Serves a connection to its end.
pub(super) async fn serve(worker: Arc<Worker>, stream: TcpStream, phase: watch::Receiver<Phase>) {
    // A call's head and body leave in one segment each, at once.
    let _ = stream.set_nodelay(true);
    let (limits, tls) = {
        let snapshot = worker.shared.snapshot.load();
        (snapshot.limits, snapshot.tls.clone())
    };
    let leash = Leash::new();
    let accepted = worker.shared.now();
    let patient = |stream| {
        let shared = Arc::clone(&worker.shared);
        Patient::new(stream, shared, Arc::clone(&leash), &limits, accepted)
    };
    let caller = Caller {
        worker: Arc::clone(&worker),
        subject: None,
    };
    if let Some(tls) = tls {
        let served = encrypted(caller, tls, patient(stream), leash, limits, accepted, phase);
        return Box::pin(served).await;
    }
    let looked = tokio::time::timeout(limits.header_timeout, begins_with_preface(&stream)).await;
    let Ok(preface) = looked else {
        return worker.shared.metrics.cut(Cut::HeaderTimeout);
    };
    let mut stream = patient(stream);
    if preface {
        stream.leave_heads();
        return Box::pin(http2::serve(caller, stream, limits, accepted, phase)).await;
    }
    http1(caller, stream, leash, &limits, phase).await;
}

async fn encrypted(
    mut caller: Caller,
    tls: Arc<lintel_config::ServerTls>,
    stream: Patient<TcpStream>,
    leash: Arc<Leash>,
    limits: Limits,
    accepted: Mono,
    phase: watch::Receiver<Phase>,
) {
    let shared = Arc::clone(&caller.worker.shared);
    let bound = limits.header_timeout;
    let shaken = tls::handshake(&tls, stream, bound, Listener::Data, &shared.metrics).await;
    drop(tls);
    let mut stream = match shaken {
        Ok(stream) => stream,
        Err(failed) => {
            let event = LogEvent::new(shared.wall(), Level::Debug, "TLS handshake failed");
            return shared.lines.event(&event.field("reason", failed.name()));
        }
    };
    caller.subject = tls::client_subject(&stream);
    if tls::chose_h2(&stream) {
        stream.get_mut().0.leave_heads();
        return http2::serve(caller, stream, limits, accepted, phase).await;
    }
    http1(caller, stream, leash, &limits, phase).await;
}

/// Whether the first bytes are HTTP/2's. Nothing is taken: the connection's reader finds all of them.
async fn begins_with_preface(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    let mut pause = GLANCE;
    loop {
        // An end or a failure is seen again by the reader.
        let seen = stream.peek(&mut first).await.unwrap_or(0);
        let seen = first.get(..seen).unwrap_or_default();
        if seen.is_empty() || !PREFACE.starts_with(seen) {
            return false;
        }
        if seen.len() == PREFACE.len() {
            return true;
        }
        // What is here already wakes nobody, so it is looked at again: rarely, once it is not just cut by the network.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONG_GLANCE);
    }
}

async fn http1<S>(
    caller: Caller,
    stream: S,
    leash: Arc<Leash>,
    limits: &Limits,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let caller = Arc::new(caller);
    let service = service_fn(|request| {
        let (caller, leash) = (Arc::clone(&caller), Arc::clone(&leash));
        async move {
            let mut response = call(&caller, leash, request).await;
            if caller.worker.shared.is_leaving() {
                // Another process, or another instance, answers the next call.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    // No timer of hyper's: `Patient` counts the time of heads, and of idleness too.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes.max(8 * 1024))
        .serve_connection(TokioIo::new(stream), service);
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
