//! What the answer says, before any dialect writes it: texts or calls, why they end, and what they count.

use serde::Serialize;

use super::ask::Ask;
use super::config::{MAX_TOKENS, SandboxConfig, UsageReport};
use super::dice::{Dice, hash};
use super::fill;
use super::text;

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) choices: Vec<Spoken>,
    pub(super) counts: Counts,
    pub(super) report: UsageReport,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spoken {
    pub(super) content: Content,
    pub(super) finish: Finish,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(String),
    Calls(Vec<Call>),
}

/// One call of a tool. Serialised as OpenAI's `function`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Call {
    pub(super) name: String,
    /// JSON; cut when the token limit cut it.
    pub(super) arguments: String,
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    Length,
    Calls,
    Sequence(String),
}

/// Tokens. `input` includes `cached`; `output` includes `reasoning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
}

/// The answer to `ask`. It depends on nothing but these two.
pub(super) fn reply(ask: &Ask, config: &SandboxConfig) -> Reply {
    let reasoning = config.reasoning_tokens.unwrap_or(0);
    let budget = ask
        .max_tokens
        .map_or(MAX_TOKENS, |max| {
            usize::try_from(max.saturating_sub(reasoning)).unwrap_or(MAX_TOKENS)
        })
        .min(MAX_TOKENS);
    let choices: Vec<Spoken> = (0..ask.n).map(|i| spoken(ask, config, i, budget)).collect();
    let visible: u64 = choices.iter().map(|c| c.content.tokens()).sum();
    let cached = config.cached_tokens.unwrap_or(0);
    let counts = Counts {
        input: config.input_tokens.unwrap_or(ask.input_tokens).max(cached),
        cached,
        output: config
            .output_tokens
            .unwrap_or(visible.saturating_add(reasoning))
            .max(reasoning),
        reasoning,
    };
    Reply {
        choices,
        counts,
        report: config.usage.unwrap_or(UsageReport::Truthful),
    }
}

fn spoken(ask: &Ask, config: &SandboxConfig, choice: usize, budget: usize) -> Spoken {
    let mut dice = Dice::new(hash(ask.said.as_bytes()).wrapping_add(choice as u64));
    let tools = ask.calls();
    if tools.is_empty() {
        let length = config.tokens.map(|n| n as usize).or(config
            .bytes
            .map(|n| (n as usize).div_ceil(text::TOKEN_BYTES)));
        return cut(ask.text(choice, length, &mut dice), &ask.stop, budget);
    }
    let (mut left, mut calls, mut finish) = (budget, Vec::new(), Finish::Calls);
    for tool in tools {
        let arguments = fill::fill_object(&tool.schema, &mut dice).to_string();
        let (kept, was_cut) = text::first_tokens(&arguments, left);
        left = left.saturating_sub(text::count(kept) as usize);
        calls.push(Call {
            name: tool.name.clone(),
            arguments: kept.to_owned(),
        });
        if was_cut {
            finish = Finish::Length;
            break;
        }
    }
    Spoken {
        content: Content::Calls(calls),
        finish,
    }
}

/// `text` up to the first stop sequence, then up to the token limit.
fn cut(text: String, stop: &[String], budget: usize) -> Spoken {
    let first = stop
        .iter()
        .filter(|s| !s.is_empty())
        .filter_map(|s| text.find(s.as_str()).map(|at| (at, s)))
        .min_by_key(|(at, _)| *at);
    let (end, finish) = first.map_or((text.len(), Finish::Stop), |(at, s)| {
        (at, Finish::Sequence(s.clone()))
    });
    let (kept, was_cut) = text::first_tokens(text.get(..end).unwrap_or(&text), budget);
    let finish = if was_cut { Finish::Length } else { finish };
    Spoken {
        content: Content::Text(kept.to_owned()),
        finish,
    }
}

impl Content {
    fn tokens(&self) -> u64 {
        match self {
            Content::Text(text) => text::count(text),
            Content::Calls(calls) => calls.iter().map(|c| text::count(&c.arguments)).sum(),
        }
    }
}
