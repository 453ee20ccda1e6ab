//! The older surface: a prompt goes on as a text, whole or as a stream.
//!
//! Field names and the order of events follow recorded traffic of `api.openai.com`;
//! <https://platform.openai.com/docs/api-reference/completions>.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::super::ask::{self, Ask, Choice as Calling, Format, Refusal};
use super::super::dialect::{Dialect, Frame, Ids};
use super::super::dice::Dice;
use super::super::reply::{Content, Reply, Spoken};
use super::super::text;
use super::{DIALECT as CHAT, Usage};

pub(in crate::sandbox) const COMPLETIONS: Dialect = Dialect {
    ask,
    body,
    events,
    ..CHAT
};

/// The most answers that one request may ask for, as at OpenAI.
const MOST_ANSWERS: u64 = 128;
/// What the real API writes at most when it isn't told.
const MAX_TOKENS: u64 = 16;

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    /// Absent, null or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: usize,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

fn ask(body: &[u8]) -> Result<Ask, Refusal> {
    let request = ask::object(body)?;
    let flag = |path: &str| request.pointer(path).and_then(Value::as_bool) == Some(true);
    let n = request.get("n").and_then(Value::as_u64).unwrap_or(1);
    if !(1..=MOST_ANSWERS).contains(&n) {
        return Err(Refusal::new(
            "n",
            format!("Invalid 'n': expected a value from 1 to {MOST_ANSWERS}, but got {n} instead."),
        ));
    }
    let (said, input_tokens) = prompt(request.get("prompt"))?;
    let max_tokens = request.get("max_tokens").and_then(Value::as_u64);
    Ok(Ask {
        stream: flag("/stream"),
        include_usage: flag("/stream_options/include_usage"),
        said,
        tool_result: false,
        tools: Vec::new(),
        choice: Calling::None,
        parallel: false,
        format: Format::Text,
        n: n as usize,
        max_tokens: Some(max_tokens.unwrap_or(MAX_TOKENS)),
        stop: ask::texts(request.get("stop")),
        input_tokens,
    })
}

/// The one prompt, and its tokens. A batch is more than the sandbox answers.
fn prompt(prompt: Option<&Value>) -> Result<(String, u64), Refusal> {
    let said = |value: &Value| match value {
        Value::String(text) => Some((text.clone(), ask::input_tokens(&[Some(value)]))),
        Value::Array(tokens) if tokens.iter().all(Value::is_u64) => {
            Some((String::new(), (tokens.len() as u64).max(1)))
        }
        _ => None,
    };
    let one = match prompt {
        None | Some(Value::Null) => Some((String::new(), 1)),
        Some(Value::Array(list)) if list.iter().any(|p| !p.is_u64()) => match list.as_slice() {
            [one] => said(one),
            _ => None,
        },
        Some(value) => said(value),
    };
    one.ok_or_else(|| {
        Refusal::new(
            "prompt",
            "Invalid 'prompt': the sandbox takes one text or one list of tokens.",
        )
    })
}

fn body(reply: &Reply, ids: &Ids<'_>) -> Vec<u8> {
    let choice = |(index, spoken)| {
        let spoken: &Spoken = spoken;
        part(
            index,
            text_of(spoken),
            Some(super::finish_reason(&spoken.finish)),
        )
    };
    let completion = Completion {
        id: &id(ids),
        object: "text_completion",
        created: super::created(ids),
        model: ids.model,
        choices: reply.choices.iter().enumerate().map(choice).collect(),
        usage: super::usage(reply.counts, reply.report).map(Some),
    };
    serde_json::to_vec(&completion).unwrap_or_default()
}

/// One event a token, the last of each answer with its reason; then the usage, if it was asked for, and `[DONE]`.
fn events(reply: &Reply, ids: &Ids<'_>, ask: &Ask) -> Vec<Frame> {
    let (id, created) = (id(ids), super::created(ids));
    let usage = super::usage(reply.counts, reply.report).filter(|_| ask.include_usage);
    let asked = usage.is_some();
    let mut frames = Vec::new();
    let mut send = |choices, usage, token| {
        let bytes = super::event(&Completion {
            id: &id,
            object: "text_completion",
            created,
            model: ids.model,
            choices,
            usage,
        });
        frames.push(Frame { bytes, token });
    };
    let silence = || asked.then_some(None);
    for (index, spoken) in reply.choices.iter().enumerate() {
        for token in text::tokens(text_of(spoken)) {
            send(vec![part(index, token, None)], silence(), true);
        }
        let reason = super::finish_reason(&spoken.finish);
        send(vec![part(index, "", Some(reason))], silence(), false);
    }
    if usage.is_some() {
        send(Vec::new(), Some(usage), false);
    }
    frames.push(Frame {
        bytes: Bytes::from_static(b"data: [DONE]\n\n"),
        token: false,
    });
    frames
}

fn part<'a>(index: usize, text: &'a str, finish_reason: Option<&'static str>) -> Choice<'a> {
    Choice {
        text,
        index,
        logprobs: None,
        finish_reason,
    }
}

fn text_of(spoken: &Spoken) -> &str {
    match &spoken.content {
        Content::Text(text) => text,
        // No tools can be named on this surface.
        Content::Calls(_) => "",
    }
}

fn id(ids: &Ids<'_>) -> String {
    Dice::new(ids.seed).id("cmpl-", 29)
}
