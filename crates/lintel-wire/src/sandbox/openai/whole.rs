//! Writes a chat completion as one JSON body.

use serde::Serialize;

use super::{FINGERPRINT, TIER, Usage};
use crate::sandbox::dialect::Ids;
use crate::sandbox::reply::{Call, Content, Reply, Spoken};

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    service_tier: &'static str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    refusal: Option<()>,
    annotations: [(); 0],
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    r#type: &'static str,
    function: &'a Call,
}

pub(super) fn body(reply: &Reply, ids: &Ids<'_>) -> Vec<u8> {
    let completion = Completion {
        id: super::completion_id(ids),
        object: "chat.completion",
        created: super::created(ids),
        model: ids.model,
        choices: reply
            .choices
            .iter()
            .enumerate()
            .map(|(i, spoken)| choice(i, spoken, ids))
            .collect(),
        usage: super::usage(reply.counts, reply.report),
        service_tier: TIER,
        system_fingerprint: FINGERPRINT,
    };
    serde_json::to_vec(&completion).unwrap_or_default()
}

fn choice<'a>(index: usize, spoken: &'a Spoken, ids: &Ids<'_>) -> Choice<'a> {
    let (content, calls) = match &spoken.content {
        Content::Text(text) => (Some(text.as_str()), &[][..]),
        Content::Calls(calls) => (None, calls.as_slice()),
    };
    let tool_calls = calls
        .iter()
        .enumerate()
        .map(|(i, function)| ToolCall {
            id: super::call_id(ids, index, i),
            r#type: "function",
            function,
        })
        .collect();
    Choice {
        index,
        message: Message {
            role: "assistant",
            content,
            tool_calls,
            refusal: None,
            annotations: [],
        },
        logprobs: None,
        finish_reason: super::finish_reason(&spoken.finish),
    }
}
