//! What a surface's dialect must be able to say. One file and two lines here add one: to [`DIALECTS`] where
//! the answer is made of text and calls, to [`PLAIN`] where it is anything else.

use bytes::Bytes;
use lintel_types::Surface;

use super::ask::{Ask, Refusal};
use super::config::SandboxConfig;
use super::errors::Fault;
use super::reply::Reply;
use super::{anthropic, openai};
use crate::surface::{
    ANTHROPIC_COUNT_TOKENS, ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS,
};

/// A dialect: functions from values to bytes.
pub(super) struct Dialect {
    /// Reads a request.
    pub(super) ask: fn(&[u8]) -> Result<Ask, Refusal>,
    /// Writes a whole answer.
    pub(super) body: fn(&Reply, &Ids) -> Vec<u8>,
    /// Writes a stream, event by event.
    pub(super) events: fn(&Reply, &Ids, &Ask) -> Vec<Frame>,
    /// Writes an error body.
    pub(super) error: fn(&Fault, &Ids) -> Vec<u8>,
    /// Writes an error event.
    pub(super) error_event: fn(&Ids) -> Bytes,
    /// An answer's headers, content type aside.
    pub(super) headers: fn(&Ids) -> Vec<(&'static str, String)>,
}

/// A request's one answer, or why it is refused.
type Answer = fn(&[u8], &SandboxConfig, &Ids) -> Result<Vec<u8>, Refusal>;

/// A surface whose answer is no conversation: one body, made from the request at once.
pub(super) struct Plain {
    /// Answers a request.
    pub(super) answer: Answer,
    /// The dialect of its errors and headers.
    pub(super) tongue: &'static Dialect,
}

/// The dialects by surface.
const DIALECTS: &[(Surface, &Dialect)] = &[
    (OPENAI_CHAT, &openai::DIALECT),
    (ANTHROPIC_MESSAGES, &anthropic::DIALECT),
    (OPENAI_COMPLETIONS, &openai::COMPLETIONS),
];

/// The surfaces that are no conversations.
const PLAIN: &[(Surface, &Plain)] = &[
    (OPENAI_EMBEDDINGS, &openai::EMBEDDINGS),
    (ANTHROPIC_COUNT_TOKENS, &anthropic::COUNT_TOKENS),
];

/// What answers on `surface`, if it is no conversation.
pub(super) fn plain(surface: Surface) -> Option<&'static Plain> {
    let found = PLAIN.iter().find(|(s, _)| *s == surface);
    found.map(|(_, plain)| *plain)
}

/// The dialect of `surface`'s conversations, if the sandbox speaks it.
pub(super) fn of(surface: Surface) -> Option<&'static Dialect> {
    let found = DIALECTS.iter().find(|(s, _)| *s == surface);
    found.map(|(_, dialect)| *dialect)
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// The event, blank line included.
    pub(super) bytes: Bytes,
    /// Whether it carries a token, and so takes a token's time.
    pub(super) token: bool,
}

/// What names an answer.
#[derive(Debug, Clone)]
pub(super) struct Ids<'a> {
    /// The model, as it was asked for.
    pub(super) model: &'a str,
    /// From which every id of the answer is drawn.
    pub(super) seed: u64,
    /// Planned time to the first byte, in milliseconds.
    pub(super) millis: u128,
}
