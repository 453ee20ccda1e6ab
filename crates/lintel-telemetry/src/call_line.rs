//! The log line of a call: what a person needs at 3 a.m., taken from the settled record.
//!
//! Holds no content, no secret, and no free text of the caller's but what correlates (its request id,
//! trace id and feature tag): who the end user was and how calls were tagged stays in the request log,
//! which has access control.

mod fields;

pub use fields::{ATTEMPT_FIELDS, FIELDS, FieldOf};

use lintel_types::{AttemptRecord, Outcome, Settled, Side, SpanId};
use serde::Serialize;

use crate::event::{Level, Shown, json_line};

/// One JSON line an exchange. Borrows the record.
#[derive(Debug, Clone, Copy)]
pub struct CallLine<'a> {
    record: &'a Settled,
    /// It is one of this share of the calls that went well, in hundredths of a percent.
    sample: Option<u16>,
    /// Refusals before this one that had no line.
    suppressed: u64,
}

impl<'a> CallLine<'a> {
    /// The line of `record`.
    pub fn new(record: &'a Settled) -> Self {
        Self {
            record,
            sample: None,
            suppressed: 0,
        }
    }

    /// As one of a sample: the line says of which.
    pub(crate) fn sampled(self, hundredths: u16) -> Self {
        let sample = Some(hundredths);
        Self { sample, ..self }
    }

    /// After `suppressed` lines that were left out.
    pub(crate) fn suppressed(self, suppressed: u64) -> Self {
        Self { suppressed, ..self }
    }

    /// Faults of ours and of a provider are warnings, a panic is an error, a caller's fault is news.
    pub fn level(&self) -> Level {
        match self.record.outcome {
            Outcome::Success | Outcome::ClientError | Outcome::Cancelled | Outcome::Revoked => {
                Level::Info
            }
            Outcome::GatewayError | Outcome::ProviderError | Outcome::Shutdown => Level::Warn,
            Outcome::Panicked => Level::Error,
        }
    }

    /// The line, newline included.
    pub fn line(&self) -> Vec<u8> {
        json_line(&Call::of(self))
    }
}

#[derive(Serialize)]
struct Call<'a> {
    time: Shown<lintel_types::Timestamp>,
    level: &'static str,
    msg: &'static str,
    request_id: Shown<lintel_types::ExchangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_id: Option<&'a str>,
    auth: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    tenant: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    stream: bool,
    outcome: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
    attempts: Vec<Attempt<'a>>,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Shown<lintel_types::Money>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
    duration_ms: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<Millis>,
    overhead_us: u64,
    request_bytes: u64,
    response_bytes: u64,
    config: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    suppressed: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[derive(Serialize)]
struct Attempt<'a> {
    provider: &'a str,
    model: &'a str,
    leg: &'static str,
    tier: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spoken: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dropped: &'a [std::sync::Arc<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    emulated: &'a [std::sync::Arc<str>],
    ms: Millis,
}

/// Microseconds shown as milliseconds with three places.
struct Millis(u64);

impl Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.0 as f64 / 1e3)
    }
}

impl<'a> Call<'a> {
    fn of(line: &CallLine<'a>) -> Self {
        let (record, level) = (line.record, line.level());
        let who = &record.who;
        Self {
            time: Shown(record.started),
            level: level.name(),
            msg: "call",
            request_id: Shown(record.exchange),
            trace_id: record.trace_id.as_deref(),
            client_request_id: record.client_request_id.as_deref(),
            auth: auth(record),
            client_subject: record.client_subject.as_deref(),
            tenant: &who.tenant,
            project: &who.project,
            key: &who.key,
            feature: who.feature.as_deref(),
            surface: record.surface.as_deref(),
            route: record.route.as_deref(),
            stream: record.stream,
            outcome: record.outcome.name(),
            status: record.status,
            code: record.code.as_deref(),
            side: record.side.map(Side::name),
            reason: record.reason.as_deref(),
            degraded: record.degraded.as_deref(),
            finish_reason: record.finish_reason.as_deref(),
            attempts: record
                .attempts
                .iter()
                .map(|a| Attempt::of(record, a))
                .collect(),
            input_tokens: tokens(record, lintel_types::Meter::is_input),
            output_tokens: tokens(record, lintel_types::Meter::is_output),
            cost_usd: Shown(record.cost),
            estimated: record.attempts.iter().any(|a| a.estimated),
            duration_ms: Millis(record.duration_us),
            first_token_ms: record.first_token_us.map(Millis),
            overhead_us: record.overhead_us,
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
            config: &record.config,
            sample: line.sample.map(percent),
            suppressed: line.suppressed,
        }
    }
}

impl<'a> Attempt<'a> {
    fn of(record: &Settled, attempt: &'a AttemptRecord) -> Self {
        let traced = record.trace_id.is_some();
        Self {
            provider: &attempt.provider,
            model: &attempt.model,
            leg: attempt.leg.name(),
            tier: attempt.tier,
            span_id: traced.then(|| SpanId::of(record.exchange, attempt.ordinal)),
            status: attempt.status,
            class: attempt.class.map(|c| c.name()),
            phase: attempt.phase.map(|p| p.name()),
            reason: &attempt.reason,
            provider_request_id: attempt.provider_request_id.as_deref(),
            spoken: attempt.spoken.as_deref(),
            dropped: &attempt.dropped,
            emulated: &attempt.emulated,
            ms: Millis(attempt.duration_us),
        }
    }
}

/// What came of the caller's credential: `accepted`, `refused`, or `unread` when the call ended before it was looked at.
fn auth(record: &Settled) -> &'static str {
    match (record.who.key.is_empty(), record.status) {
        (false, _) => "accepted",
        (true, 401) => "refused",
        (true, _) => "unread",
    }
}

/// Hundredths of a percent as people write them.
fn percent(hundredths: u16) -> String {
    format!("{}%", f64::from(hundredths) / 100.0)
}

fn tokens(record: &Settled, which: impl Fn(lintel_types::Meter) -> bool) -> u64 {
    let lines = record.attempts.iter().flat_map(|a| &a.lines);
    lines
        .filter(|l| which(l.meter))
        .fold(0, |sum, l| sum.saturating_add(l.quantity))
}
