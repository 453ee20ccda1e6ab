//! The attempt step: the only retry loop.
//!
//! One attempt after the other, in the plan's order, until one answers, the table says to tell the
//! client, or the deadline leaves no time. Nothing of a failed attempt reaches the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use lintel_guard::Cleared;
use lintel_policy::{Action, Route, decide};
use lintel_types::{Failure, FailureClass, Mono, Phase, SpanEdit};
use lintel_wire::headers::{credential_value, provider_request_id, to_provider};
use lintel_wire::provider::{ReplyFacts, read_error};

use crate::failed::{AttemptFailed, Failed, ProviderAnswer};
use crate::flow::Flow;
use crate::guard::{Guarded, blocked};
use crate::head::Parsed;
use crate::opening::{Opened, open};
use crate::reserve::PricedAttempt;
use crate::settle::Settlement;
use crate::start::Worker;
use crate::upstream::{self, UpstreamBody};
use crate::usage::estimate;

/// Bytes of a provider's error body that are read.
const ERROR_BODY_CAP: usize = 64 * 1024;

/// A call that is ready to be attempted.
pub(crate) struct Ready {
    pub(crate) parsed: Parsed,
    pub(crate) route: Arc<Route>,
    pub(crate) guarded: Guarded,
    pub(crate) plan: Vec<PricedAttempt>,
    /// The client's headers; only the allow-list goes on.
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Mono,
}

/// A 2xx answer of a provider.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) reply: Reply,
}

/// The answer's body.
pub(crate) enum Reply {
    /// All of it, cleared. `odd`: an error, or not what the protocol promises.
    Whole {
        bytes: Cleared<Bytes>,
        odd: Option<FailureClass>,
    },
    /// A stream whose first content is here.
    Stream(Box<Opened>),
}

/// Makes attempts until the call is answered or has failed.
pub(crate) async fn run(
    worker: &Arc<Worker>,
    settlement: &mut Settlement,
    ready: &Ready,
) -> Result<Answered, Failed> {
    let shared = &worker.shared;
    let mut at = 0;
    let mut made = 0u8;
    loop {
        let Some(priced) = ready.plan.get(at) else {
            return Err(Failed::Ours(crate::failed::told(FailureClass::ServerError)));
        };
        settlement.begin_attempt(priced, estimate(ready.parsed.body.bytes().len() as u64));
        let failed = match one(worker, settlement, ready, priced).await {
            Ok(answered) => return Ok(answered),
            Err(failed) => failed?,
        };
        settlement.end_attempt(Some(failed.failure));
        made = made.saturating_add(1);
        let left = ready.deadline.since(shared.now());
        let decision = decide(
            failed.failure,
            made,
            retry_after(&failed.tells),
            left,
            shared.random(),
            &ready.route,
        );
        let next = next_place(&ready.plan, at, decision.action);
        let Some(next) = next else {
            return Err(failed.tells);
        };
        if !decision.wait.is_zero() {
            let since = shared.now();
            tokio::time::sleep(decision.wait).await;
            settlement.waited_since(since);
        }
        at = next;
    }
}

/// The place of the next attempt in the plan.
fn next_place(plan: &[PricedAttempt], at: usize, action: Action) -> Option<usize> {
    let tier = |p: &PricedAttempt| p.candidate.planned.tier;
    let this = plan.get(at).map(tier)?;
    let next = match action {
        Action::Answer => return None,
        Action::RetrySame => at,
        Action::NextTarget => at + 1,
        Action::NextTier => at + 1 + plan.iter().skip(at + 1).position(|p| tier(p) > this)?,
    };
    plan.get(next).map(|_| next)
}

fn retry_after(tells: &Failed) -> Option<Duration> {
    match tells {
        Failed::Provider(answer) => answer
            .retry_after
            .as_ref()?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs),
        Failed::Ours(_) => None,
    }
}

/// An attempt's failure: of the attempt, to be decided upon; or of ours, to be told at once.
type OneFailed = Result<AttemptFailed, Failed>;

/// One attempt.
async fn one(
    worker: &Arc<Worker>,
    settlement: &mut Settlement,
    ready: &Ready,
    priced: &PricedAttempt,
) -> Result<Answered, OneFailed> {
    let shared = &worker.shared;
    let (route, provider) = (&ready.route, &priced.candidate.provider);
    let begun = shared.now();
    let end = begun.plus(route.total).min(ready.deadline);
    let until = shared.clock.instant(end);

    let rendered = ready
        .guarded
        .clear(&ready.parsed, &edits(ready, priced))
        .map_err(|e| Err(e.into()))?;
    let connect_by = shared.clock.instant(begun.plus(route.connect).min(end));
    let connection = tokio::time::timeout_at(connect_by, upstream::connect(worker, provider))
        .await
        .map_err(|_| {
            Ok(AttemptFailed::new(
                FailureClass::TimeoutConnect,
                Phase::BeforeSend,
            ))
        })?
        .map_err(Ok)?;
    settlement.dispatch().map_err(|e| Err(e.into()))?;

    let headers = to_provider(&ready.headers, provider.host, credential(provider).as_ref());
    let surface = ready.parsed.spec.surface();
    let request = upstream::Request {
        spec: priced.candidate.spec,
        surface,
        headers,
        body: rendered,
        model: &priced.candidate.planned.target.model,
    };
    let since = shared.now();
    let sent =
        tokio::time::timeout_at(until, upstream::send(worker, provider, connection, request)).await;
    settlement.waited_since(since);
    let answer = sent
        .map_err(|_| Ok(timed_out(FailureClass::TimeoutTotal)))?
        .map_err(Ok)?;

    if let Some(live) = settlement.live() {
        live.status = Some(answer.status);
        live.provider_request_id = provider_request_id(&answer.headers)
            .and_then(|v| v.to_str().ok())
            .map(Arc::from);
    }
    let since = shared.now();
    let outcome = take(settlement, ready, priced, answer, end).await;
    settlement.waited_since(since);
    outcome
}

/// Takes a provider's answer: an error is read, a stream opened, anything else collected.
async fn take(
    settlement: &mut Settlement,
    ready: &Ready,
    priced: &PricedAttempt,
    answer: upstream::Answer,
    end: Mono,
) -> Result<Answered, OneFailed> {
    let upstream::Answer {
        status,
        headers,
        body,
    } = answer;
    let shared = Arc::clone(&settlement.shared);
    let limits = settlement.exchange.snapshot.limits;
    if !(200..300).contains(&status) {
        let until = shared.clock.instant(end);
        return Err(Ok(refused(priced, status, &headers, body, until).await));
    }
    let surface = ready.parsed.spec.surface();
    let is_stream = headers
        .get(CONTENT_TYPE)
        .is_some_and(|v| v.as_bytes().starts_with(b"text/event-stream"));
    if is_stream {
        if let Some(live) = settlement.live() {
            live.meter = Some(
                priced
                    .candidate
                    .spec
                    .meter(priced.candidate.provider.host, surface),
            );
        }
        let flow = Flow::new(
            limits.event_bytes,
            asked_for_usage(ready, priced).is_some(),
            ready.guarded.chain(),
        );
        let first_by = shared.now().plus(ready.route.first_token).min(end);
        let opened = open(settlement, body, flow, first_by, end).await?;
        return Ok(Answered {
            status,
            headers,
            reply: Reply::Stream(Box::new(opened)),
        });
    }
    let idle = ready.route.idle;
    let bytes = upstream::collect(body, limits.response_bytes, idle, shared.clock.instant(end))
        .await
        .map_err(|class| Ok(timed_out(class)))?;
    let facts = priced
        .candidate
        .spec
        .reply(priced.candidate.provider.host, surface, &bytes);
    let odd = oddity(&facts);
    let cleared = match ready.guarded.chain() {
        Some(chain) => chain
            .reply(bytes)
            .map_err(|verdict| Err(blocked(&verdict).into()))?,
        None => Cleared::uninspected(bytes, lintel_guard::Uninspected::declared_by_route()),
    };
    if let Some(live) = settlement.live() {
        live.first_token = Some(shared.now());
        live.facts = Some(facts);
    }
    Ok(Answered {
        status,
        headers,
        reply: Reply::Whole {
            bytes: cleared,
            odd,
        },
    })
}

/// What makes a 2xx answer no success.
pub(crate) fn oddity(facts: &ReplyFacts) -> Option<FailureClass> {
    facts
        .error
        .or(facts.malformed.then_some(FailureClass::Malformed))
}

/// A failure after the request was sent and before any content.
pub(crate) fn timed_out(class: FailureClass) -> AttemptFailed {
    AttemptFailed::new(class, Phase::BeforeFirstByte)
}

/// The edits that this attempt makes: the model's name at the target, and the usage option.
fn edits(ready: &Ready, priced: &PricedAttempt) -> Vec<SpanEdit> {
    let model = serde_json_string(&priced.candidate.planned.target.model);
    let mut edits = vec![SpanEdit {
        range: ready.parsed.head.model_span.clone(),
        with: model,
    }];
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

/// A model's name as a JSON string.
fn serde_json_string(name: &str) -> Bytes {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    Bytes::from(out)
}

fn credential(provider: &lintel_config::Provider) -> Option<HeaderValue> {
    provider
        .credential
        .as_ref()
        .and_then(|secret| credential_value(provider.host.auth, secret.expose()))
}

/// Reads a non-2xx answer.
async fn refused(
    priced: &PricedAttempt,
    status: u16,
    headers: &HeaderMap,
    body: UpstreamBody,
    until: tokio::time::Instant,
) -> AttemptFailed {
    let bytes = upstream::collect(body, ERROR_BODY_CAP, Duration::from_secs(5), until)
        .await
        .unwrap_or_default();
    let error = read_error(&bytes);
    let class = priced.candidate.spec.failure(status, &error);
    let failure = Failure {
        class,
        phase: Phase::BeforeFirstByte,
    };
    if class == FailureClass::Credential {
        return AttemptFailed::new(class, Phase::BeforeFirstByte)
            .because(format!("{status}: {}", error.message));
    }
    // A redirect is never followed, and is no answer for the client either.
    if !(400..600).contains(&status) {
        return AttemptFailed::new(FailureClass::Malformed, Phase::BeforeFirstByte)
            .because(format!("the provider answered {status}"));
    }
    let retry_after = headers.get(RETRY_AFTER).cloned();
    AttemptFailed {
        failure,
        tells: Failed::Provider(Box::new(ProviderAnswer {
            status,
            class,
            error,
            retry_after,
        })),
    }
}
