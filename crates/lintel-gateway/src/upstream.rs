//! Upstream: the only place that dials a provider. HTTP providers through pooled connections, the
//! sandbox through its script; both look the same to an attempt.

mod body;
mod credential;
mod dial;
mod line;
mod pool;
mod race;
mod resolve;
mod sandbox;
mod sign;
mod tell;
mod tls;
mod token;
mod tunnel;
mod warm;

use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::{HeaderMap, Method};
use lintel_config::{Peer, Provider};
use lintel_guard::Cleared;
use lintel_types::{Error, FailureClass, Mono, Phase, Rendered, Timestamp};
use lintel_wire::provider::{Call, SANDBOX, Spoken};
use lintel_wire::surface::Object;
use tokio::time::Instant;

use crate::failed::AttemptFailed;
use crate::start::Worker;
use crate::write::ProviderBody;

pub(crate) use body::{BrokeOff, UpstreamBody};
pub(crate) use credential::credential;
pub(crate) use pool::{Connection, Pool};
pub(crate) use resolve::Resolver;
pub use resolve::{Resolve, SystemResolver};
pub(crate) use tell::Told;
use tls::Fault;
pub(crate) use tls::Trust;
pub(crate) use token::Tokens;
pub(crate) use warm::keep;

/// A way to a provider: a connection, or the sandbox, which needs none.
pub(crate) enum Way {
    Http(Connection),
    Sandbox,
}

/// What one attempt sends.
pub(crate) struct Request<'a> {
    pub(crate) spoken: Spoken,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Cleared<Rendered>,
    pub(crate) model: &'a str,
    /// The client's method; a call of a model is always `POST`.
    pub(crate) method: Method,
    /// The stored object that the call is about.
    pub(crate) object: Option<&'a Object>,
    pub(crate) stream: bool,
    /// What of the client's query crosses.
    pub(crate) query: &'a str,
}

/// The head of a provider's answer, and its body to come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: UpstreamBody,
}

/// A way that is open already: an idle connection, or the sandbox.
pub(crate) fn idle(worker: &Worker, provider: &Provider) -> Option<Way> {
    if provider.protocol == SANDBOX {
        return Some(Way::Sandbox);
    }
    let idle = worker.pool.idle(&provider.peer, worker.shared.now());
    idle.map(Way::Http)
}

/// Opens a new connection, by a time. Why there is none is told in the log.
pub(crate) async fn connect(
    worker: &Arc<Worker>,
    provider: &Provider,
    by: Mono,
) -> Result<Way, AttemptFailed> {
    dialled(worker, &provider.peer, by).await.map(Way::Http)
}

async fn dialled(
    worker: &Arc<Worker>,
    peer: &Arc<Peer>,
    by: Mono,
) -> Result<Connection, AttemptFailed> {
    let limit = worker.shared.clock.instant(by);
    let dialled = tokio::time::timeout_at(limit, dial::connect(worker, peer)).await;
    let dialled = dialled.unwrap_or_else(|_| {
        let late = FailureClass::TimeoutConnect;
        Err(AttemptFailed::new(late, Phase::BeforeSend))
    });
    dialled.inspect_err(|failed| {
        let class = failed.failure.class;
        tell::unreached(&worker.shared, &peer.provider, class, &failed.cause());
    })
}

/// Sends a request and waits for the head of the answer. A connection that has to be opened anew for it has `connect`.
pub(crate) async fn send(
    worker: &Arc<Worker>,
    provider: &Provider,
    way: Way,
    request: Request<'_>,
    connect: Duration,
) -> Result<Answer, AttemptFailed> {
    match way {
        Way::Sandbox => Ok(sandbox::answer(&worker.shared, provider, request)),
        Way::Http(connection) => http(worker, provider, connection, request, connect).await,
    }
}

async fn http(
    worker: &Arc<Worker>,
    provider: &Provider,
    mut connection: Connection,
    request: Request<'_>,
    connect: Duration,
) -> Result<Answer, AttemptFailed> {
    let mut wire = encode(provider, request, worker.shared.wall())?;
    loop {
        match connection.sender.try_send_request(wire).await {
            Ok(response) => {
                let (head, incoming) = response.into_parts();
                let body = UpstreamBody::http(incoming, connection, Arc::downgrade(worker));
                return Ok(Answer {
                    status: head.status.as_u16(),
                    headers: head.headers,
                    body,
                });
            }
            // An idle connection that the provider had closed: nothing went out, another one is as good.
            Err(mut e) => match e.take_message() {
                Some(unsent) if connection.reused => {
                    wire = unsent;
                    let now = worker.shared.now();
                    connection = match worker.pool.idle(&provider.peer, now) {
                        Some(other) => other,
                        None => dialled(worker, &provider.peer, now.plus(connect)).await?,
                    };
                }
                _ => {
                    let (peer, e) = (&provider.peer, e.into_error());
                    return Err(broken(worker, peer, &connection.ended, e));
                }
            },
        }
    }
}

/// No answer: the connection broke off, or what came isn't HTTP. A provider that wants another client certificate
/// says so only now: with TLS 1.3 our side of the handshake is over before theirs (RFC 8446 §4.4.2.4).
fn broken(worker: &Worker, peer: &Peer, ended: &OnceLock<Fault>, e: hyper::Error) -> AttemptFailed {
    let fault = ended.get().cloned().or_else(|| Fault::find(&e));
    if let Some(fault) = fault.filter(Fault::is_of_client) {
        let class = FailureClass::Tls;
        tell::unreached(&worker.shared, &peer.provider, class, &fault.to_string());
        return AttemptFailed::new(class, Phase::BeforeFirstByte).because(fault);
    }
    let class = if e.is_parse() || e.is_parse_too_large() {
        FailureClass::Malformed
    } else {
        FailureClass::Truncated
    };
    AttemptFailed::new(class, Phase::BeforeFirstByte).because(e)
}

fn encode(
    provider: &Provider,
    request: Request<'_>,
    now: Timestamp,
) -> Result<http::Request<ProviderBody>, AttemptFailed> {
    let wrong =
        |e: http::Error| AttemptFailed::new(FailureClass::Connect, Phase::BeforeSend).because(e);
    let path = request.spoken.spec.path(&Call {
        surface: request.spoken.surface,
        prefix: &provider.base().path,
        host: provider.host,
        api_version: provider.api_version.as_deref(),
        model: request.model,
        object: request.object,
        stream: request.stream,
        query: request.query,
    });
    let mut headers = request.headers;
    sign::sign(
        provider,
        &request.method,
        &path,
        request.body.get(),
        now,
        &mut headers,
    )?;
    tunnel::authorize(&provider.peer, &mut headers);
    let host =
        http::HeaderValue::from_str(&provider.base().authority).map_err(|e| wrong(e.into()))?;
    headers.insert(HOST, host);
    let mut wire = http::Request::builder()
        .method(request.method)
        .uri(tunnel::target(&provider.peer, path))
        .body(ProviderBody::new(request.body))
        .map_err(wrong)?;
    *wire.headers_mut() = headers;
    Ok(wire)
}

/// What a collected body has to keep to.
pub(crate) struct Bounds {
    /// Bytes at most.
    pub(crate) cap: usize,
    /// Longest gap.
    pub(crate) idle: Duration,
    /// All of it by then.
    pub(crate) until: Instant,
}

/// Why a body wasn't collected.
pub(crate) enum Uncollected {
    /// By its own fault.
    Failed(FailureClass),
    /// There is no room for it here.
    Refused(Error),
}

/// Reads a whole body within `bounds`. `room` is asked before more bytes are held.
pub(crate) async fn collect(
    mut body: UpstreamBody,
    bounds: &Bounds,
    room: &mut (dyn FnMut(usize) -> Result<(), Error> + Send),
) -> Result<Bytes, Uncollected> {
    let failed = Uncollected::Failed;
    let mut all = Gathered::None;
    loop {
        let Some(chunk) = next(&mut body, bounds).await.map_err(failed)? else {
            return Ok(all.into_bytes());
        };
        let chunk = chunk.map_err(|_| failed(FailureClass::Truncated))?;
        let held = all.len() + chunk.len();
        if held > bounds.cap {
            return Err(failed(FailureClass::Malformed));
        }
        room(held).map_err(Uncollected::Refused)?;
        all = all.with(chunk);
    }
}

/// The next bytes of a body within `bounds`. What is here already costs neither a timer nor a clock.
async fn next(
    body: &mut UpstreamBody,
    bounds: &Bounds,
) -> Result<Option<Result<Bytes, BrokeOff>>, FailureClass> {
    let here = std::future::poll_fn(|cx| Poll::Ready(body.poll_next(cx))).await;
    if let Poll::Ready(next) = here {
        return Ok(next);
    }
    let by = bounds.until.min(Instant::now() + bounds.idle);
    let late = if by < bounds.until {
        FailureClass::TimeoutIdle
    } else {
        FailureClass::TimeoutTotal
    };
    tokio::time::timeout_at(by, body.next())
        .await
        .map_err(|_| late)
}

/// Chunks so far: one needs no copy.
enum Gathered {
    None,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Gathered::None => 0,
            Gathered::One(bytes) => bytes.len(),
            Gathered::Many(bytes) => bytes.len(),
        }
    }

    fn with(self, chunk: Bytes) -> Self {
        match self {
            Gathered::None => Gathered::One(chunk),
            Gathered::One(first) => {
                let mut all = BytesMut::with_capacity((first.len() + chunk.len()) * 2);
                all.extend_from_slice(&first);
                all.extend_from_slice(&chunk);
                Gathered::Many(all)
            }
            Gathered::Many(mut all) => {
                all.extend_from_slice(&chunk);
                Gathered::Many(all)
            }
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Gathered::None => Bytes::new(),
            Gathered::One(bytes) => bytes,
            Gathered::Many(bytes) => bytes.freeze(),
        }
    }
}
