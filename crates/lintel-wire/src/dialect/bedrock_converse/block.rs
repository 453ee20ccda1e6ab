//! One content block to a part. Lenient: a block of a kind that isn't known is kept whole.

use lintel_types::canon::{
    At, CacheMark, Part, PartKind, RawJson, Reasoning, Seal, ToolCall, ToolResult,
};

use super::citation;
use super::media::{AUDIO, DOCUMENTS, Formats, IMAGES, VIDEOS};
use crate::json::Node;
use crate::provider::BEDROCK;

/// What stands before sealed reasoning in its seal, to tell it from a signature.
pub(super) const REDACTED: &str = "redacted:";

/// Reads a list of blocks. A cache point marks the part before it.
pub(super) fn list(blocks: Node<'_>, at: &At, assistant: bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, block) in blocks.items().enumerate() {
        match (cache_point(block), parts.last_mut()) {
            (Some(mark), Some(before)) if before.cache.is_none() => before.cache = Some(mark),
            _ => parts.push(Part::new(
                kind(block, &at.index(index), assistant),
                at.index(index),
            )),
        }
    }
    parts
}

/// The mark of a `cachePoint` block or tool.
pub(super) fn cache_point(block: Node<'_>) -> Option<CacheMark> {
    let ttl = block.get("cachePoint")?.get("ttl").and_then(|t| t.text());
    Some(CacheMark {
        ttl: ttl.map(|t| t.into_owned()),
    })
}

/// Reads one block. `assistant` tells whose: what a provider's own tools did stands in the model's turn.
pub(super) fn kind(block: Node<'_>, at: &At, assistant: bool) -> PartKind {
    let member = block.members().find(|(key, _)| key != "type");
    let Some((key, value)) = member else {
        return opaque("unknown", block);
    };
    let known = match &*key {
        "text" => value.text().map(PartKind::text),
        "image" => IMAGES.read(value).map(|source| PartKind::Image {
            source,
            detail: None,
        }),
        "audio" => media(&AUDIO, value, PartKind::Audio),
        "video" => media(&VIDEOS, value, PartKind::Video),
        "document" => document(value),
        "reasoningContent" => reasoning(value).map(PartKind::Reasoning),
        "toolUse" => call(value).map(PartKind::ToolCall),
        "toolResult" if !assistant => result(value, at).map(PartKind::ToolResult),
        "citationsContent" => Some(PartKind::Text {
            text: cited_text(value),
            citations: citation::list(value),
        }),
        _ => None,
    };
    known.unwrap_or_else(|| opaque(&key, block))
}

fn opaque(kind: &str, block: Node<'_>) -> PartKind {
    PartKind::Opaque {
        kind: kind.to_owned(),
        protocol: BEDROCK,
        raw: RawJson::new(block.raw()),
    }
}

fn media(
    formats: &Formats,
    value: Node<'_>,
    kind: fn(lintel_types::canon::Source) -> PartKind,
) -> Option<PartKind> {
    formats.read(value).map(kind)
}

fn text(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key)?.text().map(|t| t.into_owned())
}

fn document(value: Node<'_>) -> Option<PartKind> {
    Some(PartKind::Document {
        source: DOCUMENTS.read(value)?,
        title: text(value, "name"),
        context: text(value, "context"),
        citations: value.at(&["citations", "enabled"]).and_then(|c| c.bool()),
    })
}

/// Reads `reasoningContent`.
pub(super) fn reasoning(value: Node<'_>) -> Option<Reasoning> {
    if let Some(data) = text(value, "redactedContent") {
        return Some(Reasoning {
            seal: Some(seal(format!("{REDACTED}{data}"))),
            ..Reasoning::default()
        });
    }
    let inner = value.get("reasoningText")?;
    let signature = text(inner, "signature").filter(|s| !s.is_empty());
    Some(Reasoning {
        text: text(inner, "text").unwrap_or_default(),
        seal: signature.map(seal),
        ..Reasoning::default()
    })
}

/// A seal of Bedrock's.
pub(super) fn seal(data: String) -> Seal {
    Seal {
        protocol: BEDROCK,
        data,
    }
}

/// Whether a tool's use is the provider's own affair.
pub(super) fn is_server_tool(value: Node<'_>) -> bool {
    value.get("type").and_then(|t| t.text()).as_deref() == Some("server_tool_use")
}

fn call(value: Node<'_>) -> Option<ToolCall> {
    if is_server_tool(value) {
        return None;
    }
    Some(ToolCall {
        id: text(value, "toolUseId").unwrap_or_default(),
        name: text(value, "name")?,
        arguments: value.get("input").map_or("{}", |i| i.raw()).to_owned(),
        custom: false,
        seal: None,
    })
}

fn result(value: Node<'_>, at: &At) -> Option<ToolResult> {
    let at = at.key("toolResult").key("content");
    let content = value.get("content");
    let mut parts = Vec::new();
    for (index, block) in content.iter().flat_map(Node::items).enumerate() {
        let at = at.index(index);
        // JSON is text to every other dialect.
        let kind = match block.get("json") {
            Some(json) => PartKind::text(json.raw()),
            None => kind(block, &at, false),
        };
        parts.push(Part::new(kind, at));
    }
    Some(ToolResult {
        call_id: text(value, "toolUseId")?,
        name: None,
        parts,
        is_error: value.get("status").and_then(|s| s.text()).as_deref() == Some("error"),
    })
}

fn cited_text(value: Node<'_>) -> String {
    let content = value.get("content");
    let pieces = content.iter().flat_map(Node::items);
    pieces.filter_map(|p| text(p, "text")).collect()
}
