//! A request in canonical form.

use std::collections::HashMap;

use super::message::{At, CacheMark, Message, PartKind};
use super::raw::RawJson;
use crate::surface::Protocol;

/// A conversation to be continued.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The model, by the client's name for it. A target's name replaces it when the request is written.
    pub model: String,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether a stream is to end with its usage, where a dialect leaves that to the client.
    pub include_usage: bool,
    /// The conversation, instructions included, in order.
    pub messages: Vec<Message>,
    /// Tools that may be called.
    pub tools: Vec<Tool>,
    /// Which of them must or may be called.
    pub tool_choice: Option<Set<ToolChoice>>,
    /// How to answer.
    pub settings: Settings,
    /// Members of the body that have no word here. Carried only to their own protocol; else named.
    pub extras: Vec<Extra>,
}

/// Something that the client set, and where it stands in its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Its place, such as `$.top_k`.
    pub at: &'static str,
}

impl<T> Set<T> {
    /// `value`, written at `at`.
    pub fn new(value: T, at: &'static str) -> Self {
        Self { value, at }
    }
}

/// How to answer: every field is what the client set, none is a default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Most output tokens.
    pub max_output: Option<Set<u64>>,
    /// Sampling temperature, on OpenAI's scale of 0 to 2 (Anthropic's ends at 1).
    pub temperature: Option<Set<f64>>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<Set<f64>>,
    /// Sampling among the k likeliest tokens.
    pub top_k: Option<Set<u64>>,
    /// Texts at which to stop.
    pub stop: Option<Set<Vec<String>>>,
    /// How many answers.
    pub choices: Option<Set<u64>>,
    /// The sampler's seed.
    pub seed: Option<Set<i64>>,
    /// Penalty on tokens that have come already, -2 to 2.
    pub presence_penalty: Option<Set<f64>>,
    /// Penalty by how often a token has come, -2 to 2.
    pub frequency_penalty: Option<Set<f64>>,
    /// Biases by token id: they mean nothing to another tokenizer.
    pub logit_bias: Option<Set<RawJson>>,
    /// Whether log probabilities are wanted.
    pub logprobs: Option<Set<bool>>,
    /// How many likeliest tokens with them.
    pub top_logprobs: Option<Set<u64>>,
    /// The shape of the text.
    pub format: Option<Set<Format>>,
    /// How much to reason.
    pub reasoning: Option<Set<ReasoningAsk>>,
    /// Whether one answer may call several tools.
    pub parallel_tools: Option<Set<bool>>,
    /// The end user, for abuse detection at the provider.
    pub user: Option<Set<String>>,
    /// Labels for the provider's records.
    pub metadata: Option<Set<RawJson>>,
    /// The provider's service tier, in the dialect's word.
    pub service_tier: Option<Set<String>>,
    /// Whether the provider is to keep the answer.
    pub store: Option<Set<bool>>,
    /// How long-winded: OpenAI's `low`, `medium`, `high`.
    pub verbosity: Option<Set<String>>,
}

/// The shape of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema(JsonSchema),
}

/// A schema of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonSchema {
    /// Its name; some dialects demand one.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The schema.
    pub schema: RawJson,
    /// Whether the answer must follow it to the letter.
    pub strict: Option<bool>,
}

/// How much to reason, and what of it to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasoningAsk {
    /// How much; none leaves it to the model.
    pub depth: Option<Depth>,
    /// Whether the reasoning (or a summary of it) is to be in the answer.
    pub show: Option<bool>,
    /// What kind of summary: OpenAI's `auto`, `concise`, `detailed`.
    pub summary: Option<String>,
}

/// How much to reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depth {
    /// Not at all.
    Off,
    /// As the model sees fit (Anthropic's `adaptive`, Gemini's budget of -1).
    Auto,
    /// In OpenAI's words: `minimal`, `low`, `medium`, `high`, `xhigh`.
    Effort(String),
    /// This many tokens at most.
    Budget(u64),
}

/// A tool that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// What it is.
    pub kind: ToolKind,
    /// A prompt-cache breakpoint after it.
    pub cache: Option<CacheMark>,
    /// Where it stands.
    pub at: At,
}

/// What a tool is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolKind {
    /// A function of the application's.
    Function(FunctionTool),
    /// A tool that only its own protocol has: web search, code execution, custom tools, MCP.
    Opaque {
        /// Its type in its dialect.
        kind: String,
        /// The protocol whose dialect it is.
        protocol: Protocol,
        /// The whole tool.
        raw: RawJson,
    },
}

/// A function of the application's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments; none for a function without any.
    pub parameters: Option<RawJson>,
    /// Whether arguments must follow the schema to the letter.
    pub strict: Option<bool>,
}

/// Which tools must or may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model sees fit.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// Of these only; at least one of them if `required`.
    Among {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
}

/// A member of the body that has no word in the canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The member's key, at the top of the body.
    pub key: String,
    /// Its place.
    pub at: At,
    /// The protocol whose dialect it is.
    pub protocol: Protocol,
    /// Its value.
    pub value: RawJson,
}

impl Request {
    /// Gives every tool result without a name the name in the call that it answers: some dialects refer to
    /// calls by name.
    pub fn name_results(&mut self) {
        let mut names: HashMap<String, String> = HashMap::new();
        for part in self.messages.iter_mut().flat_map(|m| &mut m.parts) {
            match &mut part.kind {
                PartKind::ToolCall(call) => {
                    names.insert(call.id.clone(), call.name.clone());
                }
                PartKind::ToolResult(result) if result.name.is_none() => {
                    result.name = names.get(&result.call_id).cloned();
                }
                _ => {}
            }
        }
    }
}
