//! One attempt at one target: a connection, the request, the head of the answer, and its body as far as
//! it must be here before anything goes to the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use lintel_guard::Cleared;
use lintel_types::{Failure, FailureClass, Mono, Phase, SpanEdit};
use lintel_wire::aws_events;
use lintel_wire::framing::Framing;
use lintel_wire::headers::{provider_request_id, to_provider};
use lintel_wire::json::write;
use lintel_wire::provider::ReplyFacts;

use super::{Answered, Ready, Reply, oddity, timed_out};
use crate::body::Share;
use crate::failed::{AttemptFailed, Failed, ProviderAnswer};
use crate::flow::{Flow, Passing};
use crate::guard::blocked;
use crate::opening::open;
use crate::reserve::PricedAttempt;
use crate::settle::Settlement;
use crate::start::Worker;
use crate::translate::{self, Translation};
use crate::upstream::{self, Uncollected, UpstreamBody};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Bytes of a provider's error body that are read.
const ERROR_BODY_CAP: usize = 64 * 1024;
/// Longest silence within an error body.
const ERROR_BODY_IDLE: Duration = Duration::from_secs(5);

/// An attempt's failure: of the attempt, to be decided upon; or of ours, to be told at once.
type OneFailed = Result<AttemptFailed, Failed>;

/// One attempt.
pub(super) async fn attempt(
    worker: &Arc<Worker>,
    settlement: &mut Settlement,
    ready: &Ready,
    priced: &PricedAttempt,
) -> Result<Answered, OneFailed> {
    let shared = &worker.shared;
    let (route, provider) = (&ready.route, &priced.candidate.provider);
    let begun = shared.now();
    let end = begun.plus(route.per_attempt).min(ready.deadline);

    let (rendered, translation) = match translate::request(settlement, ready, priced)? {
        Some(translated) => (translated.body, Some(translated.translation)),
        None => {
            let edits = edits(ready, priced);
            let same = ready.guarded.clear(&ready.parsed, &edits);
            (same.map_err(|e| Err(e.into()))?, None)
        }
    };
    let connected_by = begun.plus(route.connect).min(end);
    let credential = upstream::credential(worker, provider, connected_by);
    let credential = credential.await.map_err(Ok)?;
    let way = match upstream::idle(worker, provider) {
        Some(way) => way,
        None => upstream::connect(worker, provider, connected_by)
            .await
            .map_err(Ok)?,
    };
    settlement.dispatch().await.map_err(|e| Err(e.into()))?;

    let mut headers = to_provider(&ready.headers, provider.host, credential.as_ref());
    let ordinal = settlement.live().map(|live| live.ordinal());
    if let Some(parent) = ordinal.and_then(|n| settlement.exchange.traceparent(n)) {
        headers.insert(&TRACEPARENT, parent);
    }
    let stream = ready.parsed.head.stream;
    let request = upstream::Request {
        spoken: priced.candidate.spoken,
        headers,
        body: rendered,
        model: &priced.candidate.planned.target.model,
        method: ready.parsed.method.clone(),
        object: ready.parsed.object.as_ref(),
        stream,
        query: if translation.is_none() {
            &ready.parsed.query
        } else {
            priced.candidate.spoken.spec.translated_query(stream)
        },
    };
    let since = shared.now();
    let first_by = since.plus(route.first_token).min(end);
    let by = shared.clock.instant(first_by);
    let sent = tokio::time::timeout_at(
        by,
        upstream::send(worker, provider, way, request, route.connect),
    )
    .await;
    settlement.waited_since(since);
    let answer = sent
        .map_err(|_| Ok(timed_out(late(first_by, end))))?
        .map_err(Ok)?;

    if let Some(live) = settlement.live() {
        live.status = Some(answer.status);
        live.provider_request_id = provider_request_id(&answer.headers)
            .and_then(|v| v.to_str().ok())
            .map(Arc::from);
    }
    let bound = (first_by, end);
    take(settlement, ready, priced, translation, answer, bound).await
}

/// Takes a provider's answer: an error is read, a stream opened, anything else collected.
async fn take(
    settlement: &mut Settlement,
    ready: &Ready,
    priced: &PricedAttempt,
    translation: Option<Translation>,
    answer: upstream::Answer,
    (first_by, end): (Mono, Mono),
) -> Result<Answered, OneFailed> {
    let upstream::Answer {
        status,
        mut headers,
        body,
    } = answer;
    let shared = Arc::clone(&settlement.shared);
    let limits = settlement.exchange.snapshot.limits;
    if !(200..300).contains(&status) {
        let until = shared.clock.instant(end);
        let foreign = translation.is_some();
        return Err(Ok(
            refused(priced, status, &headers, body, until, foreign).await
        ));
    }
    let spoken = priced.candidate.spoken;
    if is_encoded(&headers) {
        let cause = "the answer is compressed, though identity was asked for";
        return Err(Ok(timed_out(FailureClass::Malformed).because(cause)));
    }
    if is_stream(&headers) {
        if let Some(live) = settlement.live() {
            live.meter = Some(
                spoken
                    .spec
                    .meter(priced.candidate.provider.host, spoken.surface),
            );
        }
        let way = match &translation {
            Some(translation) => Passing::Translated(translation.stream(&mut headers)),
            None if asked_for_usage(ready, priced).is_some() => Passing::WithoutUsage,
            None => Passing::Same,
        };
        let kind = spoken.spec.framing(spoken.surface);
        let framing = Framing::new(kind, limits.event_bytes);
        let flow = Flow::new(framing, way, ready.guarded.chain());
        let since = shared.now();
        let opened = open(settlement, body, flow, first_by, end).await;
        settlement.waited_since(since);
        let opened = opened?;
        return Ok(Answered {
            status,
            headers,
            reply: Reply::Stream(Box::new(opened)),
        });
    }
    let mut share = None;
    let limits = upstream::Bounds {
        cap: limits.response_bytes,
        idle: ready.route.idle,
        until: shared.clock.instant(end),
    };
    let since = shared.now();
    let room = &mut |held| Share::answer(&shared, &mut share, held);
    let collected = upstream::collect(body, &limits, room).await;
    settlement.waited_since(since);
    let bytes = collected.map_err(|e| match e {
        Uncollected::Failed(class) => Ok(timed_out(class)),
        Uncollected::Refused(error) => Err(error.into()),
    })?;
    let facts = spoken
        .spec
        .reply(priced.candidate.provider.host, spoken.surface, &bytes);
    let odd = oddity(&facts);
    let bytes = match (&translation, odd) {
        (None, _) => bytes,
        // What isn't what its protocol promises can't be translated: its usage is booked all the same.
        (Some(_), Some(class)) => {
            keep_facts(settlement, facts);
            return Err(Ok(timed_out(class)));
        }
        (Some(translation), None) => {
            match translation.whole(settlement, &mut headers, &bytes, ready.parsed.head.stream) {
                Ok(bytes) => bytes,
                Err(failed) => {
                    keep_facts(settlement, facts);
                    return Err(Ok(failed));
                }
            }
        }
    };
    let cleared = match ready.guarded.chain() {
        Some(chain) => chain
            .reply(bytes)
            .map_err(|verdict| Err(blocked(&verdict).into()))?,
        None => Cleared::uninspected(bytes, lintel_guard::Uninspected::declared_by_route()),
    };
    keep_facts(settlement, facts);
    Ok(Answered {
        status,
        headers,
        reply: Reply::Whole {
            bytes: cleared,
            odd,
            share,
        },
    })
}

/// Keeps what a whole answer says of itself, for the attempt's row.
fn keep_facts(settlement: &mut Settlement, facts: ReplyFacts) {
    let now = settlement.shared.now();
    if let Some(live) = settlement.live() {
        live.first_token = Some(now);
        live.facts = Some(facts);
    }
}

/// Which time was up: the first token's, or the whole attempt's.
fn late(first_by: Mono, end: Mono) -> FailureClass {
    if first_by < end {
        FailureClass::TimeoutFirstToken
    } else {
        FailureClass::TimeoutTotal
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|v| v.as_bytes());
    let is = |stream: &str| {
        kind.and_then(|k| k.get(..stream.len()))
            .is_some_and(|k| k.eq_ignore_ascii_case(stream.as_bytes()))
    };
    is("text/event-stream") || is(aws_events::CONTENT_TYPE)
}

/// Compressed bytes can be neither metered nor guarded.
fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |v: &HeaderValue| v.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get(CONTENT_ENCODING).is_some_and(|v| !plain(v))
}

/// The edits that this attempt makes: the model's name at the target, and the usage option.
fn edits(ready: &Ready, priced: &PricedAttempt) -> Vec<SpanEdit> {
    let model = &priced.candidate.planned.target.model;
    let named = ready.parsed.head.model_span.clone();
    let named = named.map(|range| SpanEdit {
        range,
        with: Bytes::from(write::quoted(model)),
    });
    let mut edits: Vec<SpanEdit> = named.into_iter().collect();
    edits.extend(asked_for_usage(ready, priced));
    edits
}

/// The usage option, where the client didn't set it and the host doesn't report usage unasked.
fn asked_for_usage(ready: &Ready, priced: &PricedAttempt) -> Option<SpanEdit> {
    ready
        .parsed
        .head
        .ask_usage
        .clone()
        .filter(|_| !priced.candidate.provider.host.usage_unasked)
}

/// Reads a non-2xx answer.
async fn refused(
    priced: &PricedAttempt,
    status: u16,
    headers: &HeaderMap,
    body: UpstreamBody,
    until: tokio::time::Instant,
    foreign: bool,
) -> AttemptFailed {
    let limits = upstream::Bounds {
        cap: ERROR_BODY_CAP,
        idle: ERROR_BODY_IDLE,
        until,
    };
    let bytes = upstream::collect(body, &limits, &mut |_| Ok(()))
        .await
        .unwrap_or_default();
    let error = priced.candidate.spoken.spec.error(headers, &bytes);
    let class = priced.candidate.spoken.spec.failure(status, &error);
    let failure = Failure {
        class,
        phase: Phase::BeforeFirstByte,
    };
    if class == FailureClass::Credential {
        return AttemptFailed::new(class, Phase::BeforeFirstByte)
            .because(format!("{status}: {}", error.message));
    }
    // Inside a tunnel the proxy has nothing to say: there it is the provider's.
    let peer = &priced.candidate.provider.peer;
    if status == 407 && peer.proxy.is_some() && !peer.base.https {
        let text = "the proxy wants other credentials (407)";
        return AttemptFailed::new(FailureClass::Proxy, Phase::BeforeFirstByte).because(text);
    }
    // A redirect is never followed, and is no answer for the client either.
    if !(400..600).contains(&status) {
        return AttemptFailed::new(FailureClass::Malformed, Phase::BeforeFirstByte)
            .because(format!("the provider answered {status}"));
    }
    let in_body = || error.retry_after.map(HeaderValue::from);
    let retry_after = headers.get(RETRY_AFTER).cloned().or_else(in_body);
    AttemptFailed {
        failure,
        tells: Failed::Provider(Box::new(ProviderAnswer {
            status,
            class,
            error,
            retry_after,
            foreign,
        })),
    }
}
