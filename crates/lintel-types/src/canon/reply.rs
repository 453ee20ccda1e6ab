//! A whole answer in canonical form.

use super::message::Part;
use super::raw::RawJson;
use crate::usage::Usage;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answered, in the provider's word.
    pub model: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// The answers, nearly always one.
    pub choices: Vec<Choice>,
    /// What it used.
    pub usage: Option<Usage>,
}

/// One answer of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// What it is made of, in order.
    pub parts: Vec<Part>,
    /// Why it ended; none when the provider didn't say.
    pub stop: Option<Stop>,
    /// Log probabilities, in OpenAI's form.
    pub logprobs: Option<RawJson>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// In canonical words.
    pub reason: StopReason,
    /// In the provider's word, which is given back where no canonical one fits.
    pub word: String,
    /// The text at which it stopped.
    pub sequence: Option<String>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// The cap on output was reached.
    MaxTokens,
    /// A stop sequence was produced.
    StopSequence,
    /// Tools are to be called.
    ToolUse,
    /// A filter of the provider cut it.
    ContentFilter,
    /// The model refused.
    Refusal,
    /// A long turn was paused, to be continued by sending it back.
    Pause,
    /// Something else: see the provider's word.
    Other,
}
