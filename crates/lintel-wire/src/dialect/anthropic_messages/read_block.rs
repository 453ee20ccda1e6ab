//! Content blocks as canonical parts, in requests and in answers alike. Total: what isn't known is opaque.

use lintel_types::canon::{
    At, CacheMark, Citation, Part, PartKind, RawJson, Reasoning, Source, ToolCall, ToolResult,
};

use super::super::media::source_of_url;
use super::{REDACTED, seal};
use crate::json::{Kind, Node};
use crate::provider::ANTHROPIC;

/// The text of the member `key`.
pub(super) fn text_of(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(|n| n.text()).map(|t| t.into_owned())
}

/// The value of `node`, carried as it is.
pub(super) fn raw(node: Node<'_>) -> RawJson {
    RawJson::new(node.raw())
}

/// `content`, a string or blocks, as parts. A string that is empty makes none.
pub(super) fn content(node: Node<'_>, at: &At) -> Vec<Part> {
    match node.text() {
        Some(text) if text.is_empty() => Vec::new(),
        Some(text) => vec![Part::new(PartKind::text(text), at.clone())],
        None => node
            .items()
            .enumerate()
            .map(|(i, block)| part(block, at.index(i)))
            .collect(),
    }
}

/// One block.
pub(super) fn part(block: Node<'_>, at: At) -> Part {
    let name = block.get("type").and_then(|t| t.text()).unwrap_or_default();
    let kind = known(&name, block, &at).unwrap_or_else(|| opaque(&name, block));
    Part {
        kind,
        cache: cache(block),
        at,
    }
}

/// The prompt-cache breakpoint after `node`, a block or a tool.
pub(super) fn cache(node: Node<'_>) -> Option<CacheMark> {
    let mark = node
        .get("cache_control")
        .filter(|n| n.kind() == Kind::Object)?;
    Some(CacheMark {
        ttl: text_of(mark, "ttl"),
    })
}

fn opaque(name: &str, block: Node<'_>) -> PartKind {
    PartKind::Opaque {
        kind: name.to_owned(),
        protocol: ANTHROPIC,
        raw: raw(block),
    }
}

/// A block of a type that has a canonical word; none when it has not, or lacks what makes it one.
fn known(name: &str, block: Node<'_>, at: &At) -> Option<PartKind> {
    Some(match name {
        "text" => PartKind::Text {
            text: text_of(block, "text")?,
            citations: citations(block),
        },
        "image" => PartKind::Image {
            source: source(block)?,
            detail: None,
        },
        "document" => PartKind::Document {
            source: source(block)?,
            title: text_of(block, "title"),
            context: text_of(block, "context"),
            citations: block.at(&["citations", "enabled"]).and_then(|b| b.bool()),
        },
        "thinking" => PartKind::Reasoning(Reasoning {
            text: text_of(block, "thinking")?,
            seal: seal(&text_of(block, "signature").unwrap_or_default()),
            ..Reasoning::default()
        }),
        "redacted_thinking" => PartKind::Reasoning(Reasoning {
            seal: seal(&format!("{REDACTED}{}", text_of(block, "data")?)),
            ..Reasoning::default()
        }),
        "tool_use" => PartKind::ToolCall(ToolCall {
            id: text_of(block, "id").unwrap_or_default(),
            name: text_of(block, "name")?,
            arguments: block.get("input").map_or("{}", |n| n.raw()).to_owned(),
            custom: false,
            seal: None,
        }),
        "tool_result" => PartKind::ToolResult(ToolResult {
            call_id: text_of(block, "tool_use_id").unwrap_or_default(),
            name: None,
            parts: block
                .get("content")
                .map(|c| content(c, &at.key("content")))
                .unwrap_or_default(),
            is_error: block.get("is_error").and_then(|n| n.bool()) == Some(true),
        }),
        _ => return None,
    })
}

/// Where an image's or a document's bytes are; none for a way of saying it that isn't known.
fn source(block: Node<'_>) -> Option<Source> {
    let source = block.get("source")?;
    let kind = text_of(source, "type")?;
    Some(match kind.as_str() {
        "base64" => Source::Inline {
            media_type: text_of(source, "media_type").unwrap_or_default(),
            data: text_of(source, "data")?,
        },
        "url" => source_of_url(&text_of(source, "url")?),
        "file" => Source::File(text_of(source, "file_id")?),
        "text" => Source::Text(text_of(source, "data")?),
        "content" => Source::Text(chunks(source.get("content")?)?),
        _ => return None,
    })
}

/// A document's content in chunks, one after the other; none when a chunk is no text.
fn chunks(content: Node<'_>) -> Option<String> {
    if let Some(text) = content.text() {
        return Some(text.into_owned());
    }
    let texts: Option<Vec<String>> = content.items().map(|c| text_of(c, "text")).collect();
    texts.map(|t| t.join("\n"))
}

/// What a text block cites. In a request's document `citations` is an object, which holds none.
fn citations(block: Node<'_>) -> Vec<Citation> {
    let list = block.get("citations");
    list.iter().flat_map(Node::items).map(citation).collect()
}

/// One citation.
pub(super) fn citation(node: Node<'_>) -> Citation {
    Citation {
        url: text_of(node, "url"),
        title: text_of(node, "title").or_else(|| text_of(node, "document_title")),
        quote: text_of(node, "cited_text"),
        // The API says where the words stand in what is cited, not where in the answer.
        span: None,
        protocol: ANTHROPIC,
        raw: raw(node),
    }
}
