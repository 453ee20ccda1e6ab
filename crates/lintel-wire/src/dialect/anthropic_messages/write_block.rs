//! Canonical parts as content blocks of a request: which can be said where, what is lost, and how they read.
//!
//! [`losses`] names exactly what [`block`] does not write; a part that isn't [`sayable`] is not written at all.

use std::borrow::Cow;

use lintel_types::canon::{CacheMark, Citation, Part, PartKind, Source, ToolCall, ToolResult};

use super::super::Notes;
use super::{REDACTED, own_seal};
use crate::json::write::{Array, Object};
use crate::json::{self, Kind};
use crate::provider::ANTHROPIC;

/// Where a part is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a turn of the user.
    User,
    /// In a turn of the model.
    Assistant,
    /// In the instructions.
    System,
    /// In instructions between turns.
    InlineSystem,
    /// In the result of a tool.
    Result,
}

impl Place {
    fn takes_media(self) -> bool {
        matches!(self, Place::User | Place::Result)
    }
}

/// Images that the API reads. <https://platform.claude.com/docs/en/build-with-claude/vision>
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Whether `part` can be said in `place`.
pub(super) fn sayable(part: &Part, place: Place) -> bool {
    match &part.kind {
        // The API refuses blocks of nothing but white space.
        PartKind::Text { text, .. } => !text.trim().is_empty(),
        PartKind::Refusal(text) => place == Place::Assistant && !text.trim().is_empty(),
        PartKind::Image { source, .. } => {
            let readable = match source {
                Source::Inline { media_type, .. } => IMAGES.contains(&media_type.as_str()),
                Source::Url(url) => web(url),
                Source::File(_) | Source::Text(_) => false,
            };
            place.takes_media() && readable
        }
        PartKind::Document { source, .. } => {
            let readable = match source {
                Source::Inline { media_type, .. } => media_type == "application/pdf",
                Source::Url(url) => web(url),
                Source::Text(text) => !text.is_empty(),
                Source::File(_) => false,
            };
            place.takes_media() && readable
        }
        PartKind::Audio(_) | PartKind::Video(_) => false,
        PartKind::Reasoning(reasoning) => {
            place == Place::Assistant && own_seal(reasoning.seal.as_ref()).is_some()
        }
        PartKind::ToolCall(_) => place == Place::Assistant,
        PartKind::ToolResult(_) => place == Place::User,
        PartKind::Opaque { protocol, .. } => *protocol == ANTHROPIC && place != Place::System,
    }
}

fn web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Names what is not said of `part` in `place`.
pub(super) fn losses(part: &Part, place: Place, notes: &mut Notes) {
    if !sayable(part, place) {
        let nothing = matches!(&part.kind, PartKind::Text { text, .. } if text.is_empty());
        if !nothing || part.cache.is_some() {
            notes.drop(&part.at);
        }
        return;
    }
    match &part.kind {
        PartKind::Text { citations, .. } if citations.iter().any(|c| c.protocol != ANTHROPIC) => {
            notes.drop(&part.at.key("citations"));
        }
        PartKind::Refusal(_) => notes.emulate(part.at.as_str()),
        PartKind::Image { detail, .. } if detail.as_deref().is_some_and(|d| d != "auto") => {
            notes.drop(&part.at.key("detail"));
        }
        PartKind::Reasoning(_) if part.cache.is_some() => notes.drop(&part.at.key("cache_control")),
        PartKind::ToolCall(call) => {
            if call.seal.is_some() {
                notes.drop(&part.at);
            }
            if matches!(input(call), Input::Wrapped) {
                notes.emulate(part.at.as_str());
            }
        }
        PartKind::ToolResult(result) => {
            let inner = result.parts.iter();
            inner.for_each(|p| losses(p, Place::Result, notes));
        }
        _ => {}
    }
    if cache_ttl(part.cache.as_ref()).is_err() {
        notes.emulate(part.at.key("cache_control").as_str());
    }
}

/// Writes `part`. The text of an answer that is to be continued may not end in white space: `trim`.
pub(super) fn block(part: &Part, trim: bool, a: &mut Array<'_>) {
    if let PartKind::Opaque { raw, .. } = &part.kind {
        a.raw(raw.as_str());
        return;
    }
    a.object(|o| match &part.kind {
        PartKind::Text { text, citations } => {
            o.str("type", "text")
                .str("text", if trim { text.trim_end() } else { text });
            own_citations(citations, o);
            cache(part.cache.as_ref(), o);
        }
        PartKind::Refusal(text) => {
            o.str("type", "text").str("text", text);
            cache(part.cache.as_ref(), o);
        }
        PartKind::Image { source, .. } => {
            o.str("type", "image")
                .object("source", |o| bytes(source, o));
            cache(part.cache.as_ref(), o);
        }
        PartKind::Document {
            source,
            title,
            context,
            citations,
        } => {
            o.str("type", "document")
                .object("source", |o| bytes(source, o));
            o.str_if("title", title.as_deref())
                .str_if("context", context.as_deref());
            if let Some(enabled) = citations {
                o.object("citations", |o| {
                    o.bool("enabled", *enabled);
                });
            }
            cache(part.cache.as_ref(), o);
        }
        PartKind::Reasoning(reasoning) => {
            let data = own_seal(reasoning.seal.as_ref()).unwrap_or_default();
            thinking(&reasoning.text, data, o);
        }
        PartKind::ToolCall(call) => {
            tool_use(call, &id(&call.id), o);
            cache(part.cache.as_ref(), o);
        }
        PartKind::ToolResult(result) => {
            tool_result(result, o);
            cache(part.cache.as_ref(), o);
        }
        PartKind::Audio(_) | PartKind::Video(_) | PartKind::Opaque { .. } => {}
    });
}

/// A thinking block, or the redacted one that `data` seals.
pub(super) fn thinking(text: &str, data: &str, o: &mut Object<'_>) {
    match data.strip_prefix(REDACTED) {
        Some(data) => o.str("type", "redacted_thinking").str("data", data),
        None => o
            .str("type", "thinking")
            .str("thinking", text)
            .str("signature", data),
    };
}

/// The citations that are this protocol's own.
pub(super) fn own_citations(citations: &[Citation], o: &mut Object<'_>) {
    let mut own = citations
        .iter()
        .filter(|c| c.protocol == ANTHROPIC)
        .peekable();
    if own.peek().is_some() {
        o.array("citations", |a| {
            own.for_each(|c| {
                a.raw(c.raw.as_str());
            });
        });
    }
}

/// What a call's arguments are to this API, which takes objects only.
pub(super) enum Input {
    /// Nothing was written: no arguments.
    Empty,
    /// An object, as it stands.
    Object,
    /// Free text, or what the model got wrong: told as the only member of an object.
    Wrapped,
}

/// What the arguments of `call` are.
pub(super) fn input(call: &ToolCall) -> Input {
    let object = |n: json::Node<'_>| n.kind() == Kind::Object;
    if call.custom {
        Input::Wrapped
    } else if call.arguments.trim().is_empty() {
        Input::Empty
    } else if json::parse(call.arguments.as_bytes()).is_ok_and(object) {
        Input::Object
    } else {
        Input::Wrapped
    }
}

/// A call, by an id that its reader takes.
pub(super) fn tool_use(call: &ToolCall, id: &str, o: &mut Object<'_>) {
    o.str("type", "tool_use")
        .str("id", id)
        .str("name", &call.name);
    match input(call) {
        Input::Empty => o.raw("input", "{}"),
        Input::Object => o.raw("input", &call.arguments),
        Input::Wrapped => o.object("input", |o| {
            o.str("input", &call.arguments);
        }),
    };
}

fn tool_result(result: &ToolResult, o: &mut Object<'_>) {
    o.str("type", "tool_result")
        .str("tool_use_id", &id(&result.call_id));
    let said = |p: &&Part| sayable(p, Place::Result);
    if result.parts.iter().any(|p| said(&p)) {
        o.array("content", |a| {
            let parts = result.parts.iter().filter(said);
            parts.for_each(|p| block(p, false, a));
        });
    }
    if result.is_error {
        o.bool("is_error", true);
    }
}

/// The API takes ids of `[a-zA-Z0-9_-]+`.
fn id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.is_empty() {
        Cow::Borrowed("_")
    } else if id.chars().all(fits) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(id.replace(|c: char| !fits(c), "_"))
    }
}

fn bytes(source: &Source, o: &mut Object<'_>) {
    match source {
        Source::Inline { media_type, data } => o
            .str("type", "base64")
            .str("media_type", media_type)
            .str("data", data),
        Source::Url(url) => o.str("type", "url").str("url", url),
        Source::Text(text) => o
            .str("type", "text")
            .str("media_type", "text/plain")
            .str("data", text),
        // An id of one provider means nothing at another: such a part is not sayable.
        Source::File(id) => o.str("type", "file").str("file_id", id),
    };
}

/// The lifetime that is written for a mark; an error when its word is another dialect's.
fn cache_ttl(mark: Option<&CacheMark>) -> Result<Option<&str>, ()> {
    match mark.and_then(|m| m.ttl.as_deref()) {
        None => Ok(None),
        Some(ttl @ ("5m" | "1h")) => Ok(Some(ttl)),
        Some(_) => Err(()),
    }
}

/// A prompt-cache breakpoint.
pub(super) fn cache(mark: Option<&CacheMark>, o: &mut Object<'_>) {
    if mark.is_some() {
        o.object("cache_control", |o| {
            o.str("type", "ephemeral")
                .str_if("ttl", cache_ttl(mark).unwrap_or_default());
        });
    }
}
