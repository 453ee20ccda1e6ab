//! The block of a stream that is open, and what is gathered of one that is given as a whole.

use lintel_types::canon::{PartKind, RawJson, Source};

use super::super::media::IMAGES;
use crate::json::{self, Node, write};
use crate::provider::BEDROCK;

/// The block that is open.
pub(super) struct Open {
    pub(super) index: u64,
    pub(super) kind: OpenKind,
}

/// What it is.
#[derive(PartialEq, Eq)]
pub(super) enum OpenKind {
    Text,
    Reasoning,
    /// A call, or the answer in a schema's stand-in.
    Call,
    /// A provider's own tool at work: its key, its start as JSON, the input as text, the items of its result.
    Whole {
        key: String,
        start: String,
        text: String,
        items: Vec<String>,
    },
    /// An image of this format (as JSON), and its bytes.
    Image {
        format: String,
        source: Option<Source>,
    },
}

impl OpenKind {
    /// A provider's own tool, begun by `start`.
    pub(super) fn whole(key: &str, start: Node<'_>) -> Self {
        OpenKind::Whole {
            key: key.to_owned(),
            start: start.raw().to_owned(),
            text: String::new(),
            items: Vec::new(),
        }
    }

    /// An image, begun by `start`.
    pub(super) fn image(start: Node<'_>) -> Self {
        OpenKind::Image {
            format: start.get("format").map_or("null", |f| f.raw()).to_owned(),
            source: None,
        }
    }

    /// Whether it is told piece by piece, as a part that has begun.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, OpenKind::Text | OpenKind::Reasoning | OpenKind::Call)
    }

    /// Whether nothing else can go on before it ends.
    pub(super) fn must_end(&self) -> bool {
        matches!(self, OpenKind::Call | OpenKind::Whole { .. })
    }

    /// Takes more of a block that is given as a whole.
    pub(super) fn gather(&mut self, key: &str, value: Node<'_>) {
        match self {
            OpenKind::Whole { text, items, .. } => {
                let input = value.get("input").and_then(|i| i.text());
                text.push_str(&input.unwrap_or_default());
                items.extend(value.items().map(|i| i.raw().to_owned()));
            }
            OpenKind::Image { format, source } if key == "image" => {
                let mut whole = String::new();
                write::object(&mut whole, |o| {
                    let bytes = value.get("source").map_or("{}", |s| s.raw());
                    o.raw("format", format).raw("source", bytes);
                });
                let read = json::parse(whole.as_bytes()).ok();
                *source = read.and_then(|n| IMAGES.read(n)).or(source.take());
            }
            _ => {}
        }
    }

    /// The part that was gathered.
    pub(super) fn part(self) -> Option<PartKind> {
        match self {
            OpenKind::Image { source, .. } => source.map(|source| PartKind::Image {
                source,
                detail: None,
            }),
            OpenKind::Whole {
                key,
                start,
                text,
                items,
            } => Some(tool(key, &start, &text, &items)),
            OpenKind::Text | OpenKind::Reasoning | OpenKind::Call => None,
        }
    }
}

/// A provider's own tool at work, as a block: what its start said, and what came of it.
fn tool(key: String, start: &str, text: &str, items: &[String]) -> PartKind {
    let mut raw = String::new();
    write::object(&mut raw, |o| {
        o.object(&key, |o| {
            let start = json::parse(start.as_bytes()).ok();
            for (key, value) in start.iter().flat_map(Node::members) {
                o.raw(&key, value.raw());
            }
            if key == "toolUse" {
                let input = Some(text).filter(|t| json::parse(t.as_bytes()).is_ok());
                o.raw("input", input.unwrap_or("{}"));
            } else {
                o.raw("content", &format!("[{}]", items.join(",")));
            }
        });
    });
    PartKind::Opaque {
        kind: key,
        protocol: BEDROCK,
        raw: RawJson::new(raw),
    }
}
