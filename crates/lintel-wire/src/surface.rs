//! Surfaces: what clients speak. One file a surface, one entry in [`SURFACES`].
//!
//! A surface reads the few facts that the gateway decides on from a request's bytes, says which
//! bytes to edit, and writes errors in its own dialect. It must not know providers or routes.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use lintel_types::canon::StreamError;
use lintel_types::{ContentPart, Error, Kind, ResourceKind, Retry, SpanEdit, Surface};

use crate::json::{self, JsonError, Member};
use crate::resources;

mod anthropic_count_tokens;
mod anthropic_messages;
mod bedrock_converse;
pub(crate) mod gemini_generate;
mod openai;
mod openai_chat;
mod openai_completions;
mod openai_embeddings;
mod openai_response;
mod openai_responses;

pub use anthropic_count_tokens::ANTHROPIC_COUNT_TOKENS;
pub use anthropic_messages::ANTHROPIC_MESSAGES;
pub use bedrock_converse::BEDROCK_CONVERSE;
pub use gemini_generate::GEMINI_GENERATE;
pub use openai_chat::OPENAI_CHAT;
pub use openai_completions::OPENAI_COMPLETIONS;
pub use openai_embeddings::OPENAI_EMBEDDINGS;
pub use openai_response::OPENAI_RESPONSE;
pub use openai_responses::OPENAI_RESPONSES;
pub(crate) use openai_responses::{code_text, error_event};

/// Every surface, in the order in which paths are tried.
pub const SURFACES: &[&dyn SurfaceSpec] = &[
    &openai_chat::OpenaiChat,
    &openai_responses::OpenaiResponses,
    &openai_response::OpenaiResponse,
    &anthropic_messages::AnthropicMessages,
    &gemini_generate::GeminiGenerate,
    &bedrock_converse::BedrockConverse,
    &openai_embeddings::OpenaiEmbeddings,
    &openai_completions::OpenaiCompletions,
    &anthropic_count_tokens::AnthropicCountTokens,
];

/// The surface's own file.
pub fn spec(surface: Surface) -> &'static dyn SurfaceSpec {
    const FIRST: &dyn SurfaceSpec = &openai_chat::OpenaiChat;
    SURFACES
        .iter()
        .copied()
        .find(|s| s.surface() == surface)
        .unwrap_or(FIRST)
}

/// The facts of a request that the gateway decides on, with where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The model that the client named.
    pub model: String,
    /// Where the model's value stands, quotes included; none when it stands in the path.
    pub model_span: Option<Range<usize>>,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// The cap on output tokens that the client set.
    pub max_output: Option<u64>,
    /// How many answers are asked for.
    pub choices: u64,
    /// How to make a stream report its usage, when it would not by itself.
    pub ask_usage: Option<SpanEdit>,
    /// The edit that strips our own top-level `lintel` member.
    pub strip_ours: Option<SpanEdit>,
    /// Whether it may name objects at the provider: [`crate::resources::named`] tells which. Only a surface that has
    /// watched for them may say no.
    pub may_name_objects: bool,
}

/// What an error looks like on the wire: an error of ours or of a provider, dialect not yet chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// The sentence.
    pub message: Cow<'a, str>,
    /// The provider's `type`; none takes the dialect's own for `kind`.
    pub kind_name: Option<Cow<'a, str>>,
    /// What kind of error it is.
    pub kind: Kind,
    /// The HTTP status that it goes out with, where that isn't the kind's: a provider's own.
    pub status: Option<u16>,
    /// The code as JSON (`"expired_key"`, `400`); none when the provider gave none.
    pub code: Option<Cow<'a, str>>,
    /// The parameter at fault as JSON.
    pub param: Option<Cow<'a, str>>,
    /// Our id of the exchange.
    pub request_id: Option<&'a str>,
}

impl<'a> ErrorBody<'a> {
    /// An error that a provider reported inside a stream.
    pub(crate) fn inside(error: &'a StreamError) -> Self {
        Self {
            message: Cow::Borrowed(&error.message),
            kind_name: error.kind_name.as_deref().map(Cow::Borrowed),
            kind: Kind::Upstream,
            status: None,
            code: error.code.as_deref().map(Cow::Borrowed),
            param: None,
            request_id: None,
        }
    }

    /// An error of ours.
    pub fn ours(error: &'a Error, request_id: Option<&'a str>) -> Self {
        Self {
            message: Cow::Borrowed(error.message()),
            kind_name: None,
            kind: error.kind(),
            status: None,
            code: Some(Cow::Owned(format!("\"{}\"", error.code()))),
            param: None,
            request_id,
        }
    }
}

/// A stored object that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ResourceKind,
    /// The provider's id for it: letters, digits, `_` and `-`.
    pub id: String,
    /// What of it is wanted, as the end of the path: `/cancel`; empty for itself.
    pub tail: &'static str,
}

/// What a request's path says of the call, beyond naming the surface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The model, percent-decoded, where the dialect has it in the path.
    pub model: Option<String>,
    /// The path asks for a stream.
    pub stream: bool,
    /// The stored object that the call is about, where it is about one.
    pub object: Option<Object>,
}

/// One client-facing operation.
pub trait SurfaceSpec: Sync {
    /// Which one.
    fn surface(&self) -> Surface;
    /// Its path, as documentation and errors show it; the method is always `POST`.
    fn path(&self) -> &'static str;
    /// Reads a request's path (without query); none when it names another surface.
    fn place(&self, path: &str) -> Option<Place> {
        (path == self.path()).then(Place::default)
    }
    /// The methods that a place takes.
    fn methods(&self, _place: &Place) -> &'static [&'static str] {
        &["POST"]
    }
    /// Members of the query that cross to a provider of the same protocol. A credential is never one.
    fn query(&self) -> &'static [&'static str] {
        &[]
    }
    /// Reads the head of a request that was sent to `place`. The error names the JSON path and the remedy.
    fn head(&self, body: &[u8], place: &Place) -> Result<Head, Error>;
    /// The conversation's content parts by reference, for guards and bounds. Lazily called.
    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error>;
    /// Writes the answer of a surface that only counts tokens; none where more than a count is asked for.
    /// Counting is free: whatever comes of such a call, nothing is booked.
    fn counts(&self) -> Option<fn(u64) -> Bytes> {
        None
    }
    /// Whether calls cost nothing: whatever comes of one, nothing is booked.
    fn is_free(&self) -> bool {
        self.counts().is_some()
    }
    /// An error in this dialect, as a JSON body.
    fn error(&self, error: &ErrorBody<'_>) -> Bytes;
    /// Headers of the dialect's own that an error's answer has beside its body.
    fn error_headers(&self, _error: &ErrorBody<'_>) -> Vec<(HeaderName, HeaderValue)> {
        Vec::new()
    }
    /// An error in this dialect, as the last event of a stream.
    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes;
}

/// Whether the SDK should try the call again by itself: `x-should-retry`.
pub fn should_retry(error: &Error) -> bool {
    !matches!(error.retry_advice(), Retry::Never)
}

/// A JSON problem as an error for the client.
pub(crate) fn bad_json(error: JsonError) -> Error {
    Error::client(Kind::InvalidRequest, "invalid_json", error.to_string())
}

/// A field of the wrong type or value.
pub(crate) fn bad_field(path: &str, wants: &str) -> Error {
    Error::client(
        Kind::InvalidRequest,
        "invalid_field",
        format!("`{path}` must be {wants}"),
    )
}

/// The member called `key`.
pub(crate) fn member<'m, 'a>(members: &'m [Member<'a>], key: &str) -> Option<&'m Member<'a>> {
    members.iter().find(|m| m.key == key)
}

/// What surfaces with the model in the body read alike: model, stream, our own member.
pub(crate) fn common_head(members: &[Member<'_>]) -> Result<Head, Error> {
    let model =
        member(members, "model").ok_or_else(|| bad_field("$.model", "present: name a route"))?;
    let name = model
        .value
        .text()
        .ok_or_else(|| bad_field("$.model", "a string"))?;
    if name.is_empty() || name.len() > 256 {
        return Err(bad_field("$.model", "a name of 1 to 256 bytes"));
    }
    let stream = match member(members, "stream").map(|m| m.value) {
        None => false,
        Some(node) if node.is_null() => false,
        Some(node) => node
            .bool()
            .ok_or_else(|| bad_field("$.stream", "true or false"))?,
    };
    Ok(Head {
        model: name.into_owned(),
        model_span: Some(model.value.span()),
        stream,
        max_output: None,
        choices: 1,
        ask_usage: None,
        strip_ours: strip(members, "lintel"),
        may_name_objects: true,
    })
}

/// Validates a request's body: its members, and whether it may name objects at the provider.
pub(crate) fn members(surface: Surface, body: &[u8]) -> Result<(Vec<Member<'_>>, bool), Error> {
    json::parse_object_watching(body, resources::watch(surface)).map_err(bad_json)
}

/// Both dialects hold the conversation in `messages`, an array.
pub(crate) fn check_messages(members: &[Member<'_>]) -> Result<(), Error> {
    match member(members, "messages") {
        Some(m) if m.value.kind() == json::Kind::Array => Ok(()),
        Some(_) => Err(bad_field("$.messages", "an array")),
        None => Err(bad_field("$.messages", "present: an array of messages")),
    }
}

/// The edit that removes the member called `key` together with its comma.
fn strip(members: &[Member<'_>], key: &str) -> Option<SpanEdit> {
    let at = members.iter().position(|m| m.key == key)?;
    let this = members.get(at)?;
    let next = members.get(at + 1).map(|m| m.key_start);
    let previous = at
        .checked_sub(1)
        .and_then(|i| members.get(i))
        .map(|m| m.value.span().end);
    let range = match (previous, next) {
        (_, Some(next)) => this.key_start..next,
        (Some(previous), None) => previous..this.value.span().end,
        (None, None) => this.key_start..this.value.span().end,
    };
    Some(SpanEdit {
        range,
        with: Bytes::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_are_distinct() {
        for (i, a) in SURFACES.iter().enumerate() {
            assert_eq!(spec(a.surface()).path(), a.path());
            assert!(
                SURFACES
                    .iter()
                    .skip(i + 1)
                    .all(|b| a.path() != b.path() && a.surface() != b.surface())
            );
        }
    }

    #[test]
    fn our_own_member_is_stripped_wherever_it_stands() {
        for body in [
            r#"{"lintel":{"a":[1,2]},"model":"m"}"#,
            r#"{"model":"m","lintel":1}"#,
            r#"{"model":"m" , "lintel" : 1 , "messages":[]}"#,
        ] {
            let head = spec(OPENAI_CHAT).head(body.as_bytes(), &Place::default());
            let edit = match head {
                Ok(head) => head.strip_ours.unwrap(),
                Err(_) => strip(
                    &crate::json::parse_object(body.as_bytes()).unwrap(),
                    "lintel",
                )
                .unwrap(),
            };
            let mut text = body.to_owned();
            text.replace_range(edit.range, "");
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(
                value.get("lintel").is_none() && value["model"] == "m",
                "{text}"
            );
        }
    }
}
