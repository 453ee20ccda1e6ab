//! Dialects: each conversational surface to and from the canonical form. One file (or folder) a dialect, one
//! entry in [`DIALECTS`].
//!
//! Used only by calls that cross protocols: the client's dialect reads the request and writes the answer, the
//! target's writes the request and reads the answer. A dialect must not know which other one is on the far
//! side, nor routes, sockets or clocks.
//!
//! Invariants: nothing is lost in silence: what a writer can't say it names in its [`Notes`]; what is only
//! approximated is named there too. Opaque bytes of one protocol (seals, server-side ids) never reach another.

use lintel_types::Surface;
use lintel_types::canon::{At, Event, Reply, Request};

use crate::hosts::Host;
use crate::surface::{ErrorBody, Head};

mod anthropic_messages;
mod bedrock_converse;
mod depth;
mod gemini_generate;
#[cfg(test)]
mod grammar;
mod line;
mod media;
mod openai_chat;
mod openai_responses;
mod replay;
mod unsaid;

pub use replay::events;

/// Every dialect that can be translated from and to.
pub const DIALECTS: &[&dyn Dialect] = &[
    &openai_chat::OpenaiChat,
    &openai_responses::OpenaiResponses,
    &anthropic_messages::AnthropicMessages,
    &gemini_generate::GeminiGenerate,
    &bedrock_converse::BedrockConverse,
];

/// The dialect of `surface`; none for surfaces that are no conversation.
pub fn of(surface: Surface) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|d| d.surface() == surface)
}

/// One conversational dialect.
pub trait Dialect: Sync {
    /// The surface whose requests and answers it reads and writes.
    fn surface(&self) -> Surface;

    /// Reads a client's request. `head` was read from the same body. The error names the JSON path and the remedy.
    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, lintel_types::Error>;

    /// Writes a request for `target`.
    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded;

    /// Reads a whole 2xx answer of a target.
    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply>;

    /// Writes a whole answer for the client.
    fn encode_reply(&self, reply: &Reply, way: &Way) -> Encoded;

    /// Reads a target's stream.
    fn decoder(&self, way: &Way) -> Box<dyn Decoder>;

    /// Writes a client's stream.
    fn encoder(&self, way: &Way) -> Box<dyn Encoder>;

    /// The content type of a stream in this dialect.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }
}

/// Where a written request goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The model's name there.
    pub model: &'a str,
    /// The host's row.
    pub host: &'static Host,
}

/// Something written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// The body.
    pub body: Vec<u8>,
    /// What could not be said as it was meant.
    pub notes: Notes,
    /// The answer's text arrives as the arguments of [`JSON_TOOL`]: a schema that the target can't be given
    /// otherwise is emulated by a tool that must be called.
    pub json_tool: bool,
}

/// The tool that stands in for a schema of the answer.
pub const JSON_TOOL: &str = "lintel_json_answer";

/// What could not be said as it was meant, by the path in the body that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// Left out.
    pub dropped: Vec<String>,
    /// Said in another way that comes near.
    pub emulated: Vec<String>,
}

impl Notes {
    /// `at` is left out.
    pub fn drop(&mut self, at: &At) {
        self.drop_path(at.as_str());
    }

    /// `path` is left out.
    pub fn drop_path(&mut self, path: &str) {
        note(&mut self.dropped, path);
    }

    /// `path` is said in another way.
    pub fn emulate(&mut self, path: &str) {
        note(&mut self.emulated, path);
    }
}

/// What the client did not write needs no name, and a name is needed once.
fn note(list: &mut Vec<String>, path: &str) {
    if !path.is_empty() && !list.iter().any(|p| p == path) {
        list.push(path.to_owned());
    }
}

/// What an answer's form depends on: facts of the call and of its request.
#[derive(Debug, Clone)]
pub struct Way {
    /// The target's host row.
    pub host: &'static Host,
    /// The model, by the client's name for it.
    pub model: String,
    /// Our id of the exchange: answers without an id of their own get one made from it.
    pub id: String,
    /// Now, in seconds since 1970: for answers that don't say when they were made.
    pub now: u64,
    /// The client wants a stream to end with its usage.
    pub include_usage: bool,
    /// See [`Encoded::json_tool`].
    pub json_tool: bool,
    /// The request that is answered, for dialects whose answers repeat it.
    pub request: std::sync::Arc<Request>,
}

/// A 2xx answer that is none: not JSON, or not what the protocol promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadReply(pub String);

/// Reads one stream.
pub trait Decoder: Send {
    /// The data of one event becomes canonical events, in the order of [`Event`]'s grammar. Data that can't be
    /// read becomes none: the meter that watches the same stream counts it as malformed.
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>);
    /// The stream has ended: closes what is open. `End` is given once, here or in the protocol's last event.
    fn finish(&mut self, out: &mut Vec<Event>);
}

/// Writes one stream. Every canonical event that shows leaves at once; nothing waits for the next one.
pub trait Encoder: Send {
    /// Writes what `event` means, possibly nothing.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>);
    /// Writes the end of a stream that fails, and nothing after it. Never looks like a clean end.
    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>);
}
