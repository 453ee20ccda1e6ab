//! OpenAI's chat completions: reading a request, writing an answer whole, as a stream, or as an error.
//!
//! Field names, their order and the order of events follow recorded traffic of `api.openai.com`
//! (`system_fingerprint` and `service_tier` included); <https://platform.openai.com/docs/api-reference/chat>.

mod completions;
mod embeddings;
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

pub(super) use completions::COMPLETIONS;
pub(super) use embeddings::EMBEDDINGS;

pub(super) const DIALECT: Dialect = Dialect {
    ask: read::ask,
    body: whole::body,
    events: stream::events,
    error,
    error_event,
    headers,
};

const TIER: &str = "default";
const FINGERPRINT: &str = "fp_sandbox000";
/// Time is an argument on this floor, and none is given: answers are dated in a fixed range of 2023 and 2024.
const CREATED_FROM: u64 = 1_700_000_000;

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorFacts<'a>,
}

#[derive(Serialize)]
struct ErrorFacts<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

fn error(fault: &Fault, _: &Ids<'_>) -> Vec<u8> {
    let error = ErrorFacts {
        message: &fault.message,
        r#type: fault.openai_type,
        param: fault.param,
        code: fault.openai_code,
    };
    serde_json::to_vec_pretty(&ErrorBody { error }).unwrap_or_default()
}

fn error_event(_: &Ids<'_>) -> Bytes {
    let fault = errors::of_status(500);
    let error = ErrorFacts {
        message: &fault.message,
        r#type: fault.openai_type,
        param: None,
        code: fault.openai_code,
    };
    event(&ErrorBody { error })
}

fn headers(ids: &Ids<'_>) -> Vec<(&'static str, String)> {
    vec![
        (
            "x-request-id",
            Dice::new(ids.seed.rotate_left(17)).id("req_", 32),
        ),
        ("openai-processing-ms", ids.millis.to_string()),
        ("openai-version", "2020-10-01".to_owned()),
        ("openai-organization", "org-sandbox".to_owned()),
        ("x-ratelimit-limit-requests", "10000".to_owned()),
        ("x-ratelimit-remaining-requests", "9999".to_owned()),
    ]
}

/// `data: …` and a blank line.
fn event(value: &impl Serialize) -> Bytes {
    let mut out = b"data: ".to_vec();
    // Writing plain structs to memory can't fail; an empty event would be seen by every test.
    let _ = serde_json::to_writer(&mut out, value);
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

fn completion_id(ids: &Ids<'_>) -> String {
    Dice::new(ids.seed).id("chatcmpl-", 29)
}

fn created(ids: &Ids<'_>) -> u64 {
    CREATED_FROM + ids.seed % 10_000_000
}

/// The id of call number `call` of answer number `choice`.
fn call_id(ids: &Ids<'_>, choice: usize, call: usize) -> String {
    Dice::new(ids.seed ^ ((choice as u64) << 32 | (call as u64 + 1))).id("call_", 24)
}

fn finish_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Sequence(_) => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

fn usage(counts: Counts, report: UsageReport) -> Option<Usage> {
    let sum = counts.input.saturating_add(counts.output);
    let total_tokens = match report {
        UsageReport::Missing => return None,
        UsageReport::Truthful => sum,
        // Less than the parts: some hosts leave reasoning out of the parts, so more would be no contradiction.
        UsageReport::Contradictory => u64::from(sum != 1),
    };
    Some(Usage {
        prompt_tokens: counts.input,
        completion_tokens: counts.output,
        total_tokens,
        prompt_tokens_details: PromptDetails {
            cached_tokens: counts.cached,
            audio_tokens: 0,
        },
        completion_tokens_details: CompletionDetails {
            reasoning_tokens: counts.reasoning,
            audio_tokens: 0,
            accepted_prediction_tokens: 0,
            rejected_prediction_tokens: 0,
        },
    })
}
