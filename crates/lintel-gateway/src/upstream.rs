//! Upstream: the only place that dials a provider. HTTP providers through pooled connections, the
//! sandbox through its script; both look the same to an attempt.

mod body;
mod dial;
mod pool;
mod sandbox;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::HOST;
use lintel_config::Provider;
use lintel_guard::Cleared;
use lintel_types::{FailureClass, Phase, Protocol, Rendered, Surface};
use lintel_wire::provider::ProviderSpec;
use tokio::time::Instant;

use crate::failed::AttemptFailed;
use crate::start::Worker;
use crate::write::ProviderBody;

pub(crate) use body::UpstreamBody;
pub(crate) use pool::{Connection, Pool};
pub(crate) use tls::client_config;

/// A way to a provider: a connection, or the sandbox, which needs none.
pub(crate) enum Way {
    Http(Connection),
    Sandbox,
}

/// What one attempt sends.
pub(crate) struct Request<'a> {
    pub(crate) spec: &'static dyn ProviderSpec,
    pub(crate) surface: Surface,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Cleared<Rendered>,
    pub(crate) model: &'a str,
}

/// The head of a provider's answer, and its body to come.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: UpstreamBody,
}

/// Gets a connection: an idle one, or a new one.
pub(crate) async fn connect(
    worker: &Arc<Worker>,
    provider: &Provider,
) -> Result<Way, AttemptFailed> {
    if provider.protocol == Protocol::Sandbox {
        return Ok(Way::Sandbox);
    }
    if let Some(connection) = worker.pool.idle(&provider.base, worker.shared.now()) {
        return Ok(Way::Http(connection));
    }
    dial::connect(worker, &provider.base).await.map(Way::Http)
}

/// Sends a request and waits for the head of the answer.
pub(crate) async fn send(
    worker: &Arc<Worker>,
    provider: &Provider,
    way: Way,
    request: Request<'_>,
) -> Result<Answer, AttemptFailed> {
    match way {
        Way::Sandbox => Ok(sandbox::answer(&worker.shared, provider, request)),
        Way::Http(connection) => http(worker, provider, connection, request).await,
    }
}

async fn http(
    worker: &Arc<Worker>,
    provider: &Provider,
    mut connection: Connection,
    request: Request<'_>,
) -> Result<Answer, AttemptFailed> {
    let broken = |e: hyper::Error| {
        AttemptFailed::new(FailureClass::Truncated, Phase::BeforeFirstByte).because(e)
    };
    let mut wire = encode(provider, request)?;
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
                    connection = match worker.pool.idle(&provider.base, worker.shared.now()) {
                        Some(other) => other,
                        None => dial::connect(worker, &provider.base).await?,
                    };
                }
                _ => return Err(broken(e.into_error())),
            },
        }
    }
}

fn encode(
    provider: &Provider,
    request: Request<'_>,
) -> Result<http::Request<ProviderBody>, AttemptFailed> {
    let wrong =
        |e: http::Error| AttemptFailed::new(FailureClass::Connect, Phase::BeforeSend).because(e);
    let path = request.spec.path(&provider.base.path, request.surface);
    let mut wire = http::Request::post(path)
        .body(ProviderBody::new(request.body))
        .map_err(wrong)?;
    *wire.headers_mut() = request.headers;
    let host =
        http::HeaderValue::from_str(&provider.base.authority).map_err(|e| wrong(e.into()))?;
    wire.headers_mut().insert(HOST, host);
    Ok(wire)
}

/// Reads a whole body: at most `cap` bytes, no gap longer than `idle`, all of it by `until`.
pub(crate) async fn collect(
    mut body: UpstreamBody,
    cap: usize,
    idle: Duration,
    until: Instant,
) -> Result<Bytes, FailureClass> {
    let mut first: Option<Bytes> = None;
    let mut all: Option<BytesMut> = None;
    loop {
        let by = until.min(Instant::now() + idle);
        let late = || {
            if by < until {
                FailureClass::TimeoutIdle
            } else {
                FailureClass::TimeoutTotal
            }
        };
        let next = tokio::time::timeout_at(by, body.next())
            .await
            .map_err(|_| late())?;
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|_| FailureClass::Truncated)?;
        let held = all
            .as_ref()
            .map_or(first.as_ref().map_or(0, Bytes::len), BytesMut::len);
        if held + chunk.len() > cap {
            return Err(FailureClass::Malformed);
        }
        match (&mut all, first.take()) {
            (Some(all), _) => all.extend_from_slice(&chunk),
            (None, None) => first = Some(chunk),
            (None, Some(begun)) => {
                let mut both = BytesMut::with_capacity((begun.len() + chunk.len()) * 2);
                both.extend_from_slice(&begun);
                both.extend_from_slice(&chunk);
                all = Some(both);
            }
        }
    }
    Ok(all.map(BytesMut::freeze).or(first).unwrap_or_default())
}
