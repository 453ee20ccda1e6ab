//! Reads one part of a content into canonical parts. Total: what isn't known is opaque.

use lintel_types::canon::{
    At, Part, PartKind, RawJson, Reasoning, Seal, Source, ToolCall, ToolResult,
};

use super::ids::Ids;
use super::write::NO_SIGNATURE;
use crate::json::{Kind, Node};
use crate::provider::GEMINI;
use crate::surface::gemini_generate::{get, is, is_stored, list};

/// Members of a part that say something about it and are no part themselves.
const ABOUT: [&str; 3] = ["videoMetadata", "mediaResolution", "partMetadata"];
/// Kinds of parts that have no counterpart elsewhere are named in `camelCase`.
const OPAQUE: [&str; 4] = [
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// Whose parts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A client's request: its history.
    Request,
    /// A target's answer.
    Reply,
}

/// A part taken apart: what it holds, and what stands beside that.
pub(super) struct Held<'a> {
    pub(super) key: String,
    pub(super) value: Node<'a>,
    pub(super) thought: bool,
    pub(super) seal: Option<Seal>,
}

/// Takes a part apart. None when it holds neither content nor signature.
pub(super) fn held<'a>(node: Node<'a>) -> Option<Held<'a>> {
    let (mut content, mut thought, mut seal) = (None, false, None);
    for (key, value) in node.members() {
        if is(&key, "thoughtSignature") {
            // The placeholder says that there is none.
            let sealed = value.text().filter(|s| !s.is_empty() && s != NO_SIGNATURE);
            seal = sealed.map(|data| Seal {
                protocol: GEMINI,
                data: data.into_owned(),
            });
        } else if key == "thought" {
            thought = value.bool() == Some(true);
        } else if content.is_none() && !ABOUT.iter().any(|a| is(&key, a)) {
            content = Some((key.into_owned(), value));
        }
    }
    let (key, value) = match content {
        Some(content) => content,
        None if seal.is_some() => (String::new(), node),
        None => return None,
    };
    Some(Held {
        key,
        value,
        thought,
        seal,
    })
}

/// Reads `node`, which stands at `at`, to the end of `out`.
pub(super) fn part(node: Node<'_>, at: &At, of: Of, ids: &mut Ids, out: &mut Vec<Part>) {
    if let Some(text) = node.text() {
        return out.push(Part::new(PartKind::text(text), at.clone()));
    }
    let Some(held) = held(node) else { return };
    let mut push = |kind| out.push(Part::new(kind, at.clone()));
    let value = held.value;
    if held.key == "text" {
        let text = value.text().unwrap_or_default();
        if held.thought {
            return push(PartKind::Reasoning(thought(&text, held.seal, of)));
        }
        // An answer's empty text is only there to carry a signature.
        if !text.is_empty() || of == Of::Request {
            push(PartKind::text(text));
        }
    } else if is(&held.key, "functionCall") {
        return push(PartKind::ToolCall(call(value, held.seal, ids)));
    } else if is(&held.key, "functionResponse") {
        push(PartKind::ToolResult(result(value, at, ids)));
    } else if let Some(kind) = media(&held.key, value) {
        push(kind);
    } else if !held.key.is_empty() {
        return push(opaque(&held.key, node));
    }
    if let Some(seal) = held.seal {
        push(PartKind::Reasoning(sealed(seal)));
    }
}

/// What carries the signature of the part before it.
pub(super) fn sealed(seal: Seal) -> Reasoning {
    Reasoning {
        seal: Some(seal),
        ..Reasoning::default()
    }
}

/// A thought in words. One without a signature that a client sends back is marked as Google's by an empty seal: it
/// may go back to Google, and to nobody else.
fn thought(text: &str, seal: Option<Seal>, of: Of) -> Reasoning {
    let mark = || Seal {
        protocol: GEMINI,
        data: String::new(),
    };
    Reasoning {
        text: text.to_owned(),
        summary: true,
        id: None,
        seal: seal.or_else(|| (of == Of::Request).then(mark)),
    }
}

/// A part that only Google's dialect has.
pub(super) fn opaque(key: &str, node: Node<'_>) -> PartKind {
    let known = OPAQUE.iter().find(|k| is(key, k));
    PartKind::Opaque {
        kind: known.map_or_else(|| key.to_owned(), |k| (*k).to_owned()),
        protocol: GEMINI,
        raw: RawJson::new(node.raw()),
    }
}

/// A call of a function. Arguments that are left out are none.
pub(super) fn call(value: Node<'_>, seal: Option<Seal>, ids: &mut Ids) -> ToolCall {
    let name = get(value, "name")
        .and_then(|n| n.text())
        .unwrap_or_default();
    let own = get(value, "id").and_then(|i| i.text());
    let own = own.as_deref().filter(|i| !i.is_empty());
    let arguments = get(value, "args").filter(|a| a.kind() == Kind::Object);
    ToolCall {
        id: ids.call(own, &name),
        name: name.into_owned(),
        arguments: arguments.map_or_else(|| "{}".to_owned(), |a| a.raw().to_owned()),
        custom: false,
        seal,
    }
}

/// What a function answered: Google's keys for the answer and for a failure are taken off; any other object is the
/// answer's text as it stands.
fn result(value: Node<'_>, at: &At, ids: &mut Ids) -> ToolResult {
    let name = get(value, "name")
        .and_then(|n| n.text())
        .unwrap_or_default();
    let own = get(value, "id").and_then(|i| i.text());
    let (mut parts, mut is_error) = (Vec::new(), false);
    if let Some(response) = get(value, "response") {
        let mut members = response.members();
        let lone = members.next().filter(|_| members.next().is_none());
        is_error = lone.as_ref().is_some_and(|(key, _)| key == "error");
        let unwrapped = lone.filter(|(key, value)| {
            key == "error" || (key == "output" && value.kind() == Kind::String)
        });
        let inner = unwrapped.map_or(response, |(_, inner)| inner);
        let text = inner
            .text()
            .map_or_else(|| inner.raw().to_owned(), |t| t.into_owned());
        parts.push(Part::new(
            PartKind::text(text),
            at.key("functionResponse.response"),
        ));
    }
    let media_at = at.key("functionResponse.parts");
    let pieces = get(value, "parts").into_iter().flat_map(list);
    for (i, piece) in pieces.enumerate() {
        let kind = held(piece).and_then(|h| media(&h.key, h.value));
        parts.extend(kind.map(|kind| Part::new(kind, media_at.index(i))));
    }
    ToolResult {
        call_id: ids.result(own.as_deref().filter(|i| !i.is_empty()), &name),
        name: Some(name.into_owned()).filter(|n| !n.is_empty()),
        parts,
        is_error,
    }
}

/// Bytes in the body or at an address, by their media type.
pub(super) fn media(key: &str, value: Node<'_>) -> Option<PartKind> {
    let text = |name: &str| get(value, name).and_then(|n| n.text());
    let kind = text("mimeType").unwrap_or_default().into_owned();
    let (kind, source) = if is(key, "inlineData") {
        let data = text("data").unwrap_or_default().into_owned();
        let media_type = kind.clone();
        (kind, Source::Inline { media_type, data })
    } else if is(key, "fileData") {
        let uri = text("fileUri").unwrap_or_default();
        let kind = if kind.is_empty() {
            super::say::type_of(&uri).unwrap_or_default().to_owned()
        } else {
            kind
        };
        if is_stored(&uri) {
            (kind, Source::File(uri.into_owned()))
        } else {
            (kind, Source::Url(uri.into_owned()))
        }
    } else {
        return None;
    };
    Some(match kind.split('/').next() {
        Some("image") => PartKind::Image {
            source,
            detail: None,
        },
        Some("audio") => PartKind::Audio(source),
        Some("video") => PartKind::Video(source),
        _ => PartKind::Document {
            source,
            title: text("displayName").map(|t| t.into_owned()),
            context: None,
            citations: None,
        },
    })
}
