//! Anthropic's messages: reading a request, writing an answer whole, as a stream, or as an error.
//!
//! Field names, their order and the order of events follow recorded traffic of `api.anthropic.com`;
//! <https://docs.anthropic.com/en/api/messages-streaming>.

mod count;
mod read;
mod stream;
mod whole;

use bytes::Bytes;
use serde::Serialize;

use super::config::UsageReport;
use super::dialect::{Dialect, Ids};
use super::dice::Dice;
use super::errors::{self, Fault};
use super::reply::{Counts, Finish};

pub(super) use count::COUNT_TOKENS;

pub(super) const DIALECT: Dialect = Dialect {
    ask: read::ask,
    body: whole::body,
    events: stream::events,
    error,
    error_event,
    headers,
};

#[derive(Serialize)]
struct ErrorBody<'a> {
    r#type: &'static str,
    error: ErrorFacts<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

#[derive(Serialize)]
struct ErrorFacts<'a> {
    r#type: &'a str,
    message: &'a str,
}

fn error(fault: &Fault, ids: &Ids<'_>) -> Vec<u8> {
    let error = ErrorFacts {
        r#type: fault.anthropic_type,
        message: &fault.message,
    };
    serde_json::to_vec(&ErrorBody {
        r#type: "error",
        error,
        request_id: Some(request_id(ids)),
    })
    .unwrap_or_default()
}

fn error_event(_: &Ids<'_>) -> Bytes {
    let fault = errors::of_status(529);
    let error = ErrorFacts {
        r#type: fault.anthropic_type,
        message: &fault.message,
    };
    event(
        "error",
        &ErrorBody {
            r#type: "error",
            error,
            request_id: None,
        },
    )
}

fn headers(ids: &Ids<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("request-id", request_id(ids)),
        (
            "anthropic-organization-id",
            "00000000-0000-4000-8000-000000000000".to_owned(),
        ),
        ("anthropic-ratelimit-requests-limit", "4000".to_owned()),
        ("anthropic-ratelimit-requests-remaining", "3999".to_owned()),
    ]
}

fn request_id(ids: &Ids<'_>) -> String {
    Dice::new(ids.seed.rotate_left(17)).id("req_01", 22)
}

fn message_id(ids: &Ids<'_>) -> String {
    Dice::new(ids.seed).id("msg_01", 22)
}

/// The id of call number `call`.
fn call_id(ids: &Ids<'_>, call: usize) -> String {
    Dice::new(ids.seed ^ (call as u64 + 1)).id("toolu_01", 22)
}

/// `event: …`, `data: …` and a blank line.
fn event(name: &str, value: &impl Serialize) -> Bytes {
    let mut out = format!("event: {name}\ndata: ").into_bytes();
    // Writing plain structs to memory can't fail; an empty event would be seen by every test.
    let _ = serde_json::to_writer(&mut out, value);
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

/// `stop_reason` and `stop_sequence`.
fn stop(finish: &Finish) -> (&'static str, Option<&str>) {
    match finish {
        Finish::Stop => ("end_turn", None),
        Finish::Length => ("max_tokens", None),
        Finish::Calls => ("tool_use", None),
        Finish::Sequence(text) => ("stop_sequence", Some(text)),
    }
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    service_tier: &'static str,
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

/// Anthropic leaves cached tokens out of `input_tokens`. There is no total to contradict: the parts of
/// `cache_creation` don't make up `cache_creation_input_tokens` instead.
fn usage(counts: Counts, report: UsageReport) -> Option<Usage> {
    let (written, minutes, hour) = match report {
        UsageReport::Missing => return None,
        UsageReport::Truthful => (0, 0, 0),
        UsageReport::Contradictory => (10, 3, 4),
    };
    Some(Usage {
        input_tokens: counts.input.saturating_sub(counts.cached),
        cache_creation_input_tokens: written,
        cache_read_input_tokens: counts.cached,
        cache_creation: CacheCreation {
            ephemeral_5m_input_tokens: minutes,
            ephemeral_1h_input_tokens: hour,
        },
        output_tokens: counts.output,
        output_tokens_details: (counts.reasoning > 0).then_some(OutputDetails {
            thinking_tokens: counts.reasoning,
        }),
        service_tier: "standard",
    })
}
