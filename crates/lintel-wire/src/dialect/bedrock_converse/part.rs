//! Parts to content blocks, in requests.

use std::borrow::Cow;

use lintel_types::canon::{
    At, CacheMark, Citation, Part, PartKind, Reasoning, Seal, Source, ToolCall, ToolResult,
};

use super::block::REDACTED;
use super::citation;
use super::media::{AUDIO, DOCUMENTS, Formats, IMAGES, Names, VIDEOS};
use super::model::Model;
use crate::dialect::Notes;
use crate::json::write::{self, Object};
use crate::json::{self, Kind};
use crate::provider::BEDROCK;

/// A list of blocks under way.
#[derive(Default)]
pub(super) struct Blocks(String);

impl Blocks {
    /// Adds one block.
    pub(super) fn add(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        self.next();
        write::object(&mut self.0, fill);
    }

    /// Adds one block that is JSON already.
    pub(super) fn add_raw(&mut self, block: &str) {
        self.next();
        self.0.push_str(block);
    }

    fn next(&mut self) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list as a JSON array.
    pub(super) fn json(&self) -> String {
        format!("[{}]", self.0)
    }

    /// Adds a cache point, where there is something to cache and a model that can.
    pub(super) fn mark(
        &mut self,
        mark: Option<&CacheMark>,
        at: &At,
        model: Model<'_>,
        notes: &mut Notes,
    ) {
        let Some(mark) = mark else { return };
        if self.is_empty() || !model.caches() {
            return notes.drop(&at.key("cache_control"));
        }
        let ttl = mark.ttl.as_deref();
        let known = ttl.filter(|t| matches!(*t, "5m" | "1h"));
        if known != ttl {
            notes.emulate(at.key("cache_control").as_str());
        }
        self.add(|o| {
            o.object("cachePoint", |o| {
                o.str("type", "default").str_if("ttl", known);
            });
        });
    }
}

/// Writes parts of one request.
pub(super) struct Writer<'a, 'n> {
    pub(super) model: Model<'a>,
    pub(super) notes: &'n mut Notes,
    pub(super) names: Names,
}

impl Writer<'_, '_> {
    /// Writes a part of a turn; nothing, but a name, when Bedrock can't be told it.
    pub(super) fn part(&mut self, part: &Part, out: &mut Blocks) {
        match &part.kind {
            PartKind::Text { text, citations } => self.text(text, citations, &part.at, out),
            PartKind::Refusal(text) => {
                self.notes.emulate(part.at.as_str());
                self.text(text, &[], &part.at, out);
            }
            PartKind::Reasoning(reasoning) => self.reasoning(reasoning, &part.at, out),
            PartKind::ToolCall(call) => self.call(call, &part.at, out),
            PartKind::ToolResult(result) => self.result(result, out),
            _ => self.shown(part, out),
        }
        let (mark, model) = (part.cache.as_ref(), self.model);
        out.mark(mark, &part.at, model, self.notes);
    }

    /// What can stand in a turn and in a tool's result alike.
    fn shown(&mut self, part: &Part, out: &mut Blocks) {
        match &part.kind {
            PartKind::Image { source, detail } => {
                if detail.as_deref().is_some_and(|d| d != "auto") {
                    self.notes.drop(&part.at.key("detail"));
                }
                self.media("image", &IMAGES, source, &part.at, out);
            }
            PartKind::Audio(source) => self.media("audio", &AUDIO, source, &part.at, out),
            PartKind::Video(source) => self.media("video", &VIDEOS, source, &part.at, out),
            PartKind::Document { .. } => self.document(part, out),
            PartKind::Opaque { protocol, raw, .. } if *protocol == BEDROCK => {
                out.add_raw(raw.as_str());
            }
            _ => self.notes.drop(&part.at),
        }
    }

    fn text(&mut self, text: &str, citations: &[Citation], at: &At, out: &mut Blocks) {
        // An empty block is refused.
        if text.is_empty() {
            return;
        }
        let own = citations.iter().filter(|c| c.protocol == BEDROCK);
        let own: Vec<String> = own.map(citation::json).collect();
        if own.len() < citations.len() {
            self.notes.drop(&at.key("citations"));
        }
        out.add(|o| cited(o, text, &own));
    }

    fn reasoning(&mut self, reasoning: &Reasoning, at: &At, out: &mut Blocks) {
        match reasoning.seal.as_ref().filter(|s| s.protocol == BEDROCK) {
            Some(seal) => out.add(|o| sealed(o, &reasoning.text, seal)),
            None => self.notes.drop(at),
        }
    }

    fn call(&mut self, call: &ToolCall, at: &At, out: &mut Blocks) {
        if call.seal.as_ref().is_some_and(|s| s.protocol != BEDROCK) {
            self.notes.drop(at);
        }
        let (input, same) = input(&call.arguments);
        if !same || call.custom {
            self.notes.emulate(at.as_str());
        }
        out.add(|o| {
            o.object("toolUse", |o| {
                o.str("toolUseId", &self.model.tool_id(&call.id))
                    .str("name", &call.name)
                    .raw("input", &input);
            });
        });
    }

    fn result(&mut self, result: &ToolResult, out: &mut Blocks) {
        let mut content = Blocks::default();
        for part in &result.parts {
            match &part.kind {
                PartKind::Text { text, citations } => {
                    self.text(text, citations, &part.at, &mut content);
                }
                PartKind::Audio(_) => self.notes.drop(&part.at),
                _ => self.shown(part, &mut content),
            }
        }
        out.add(|o| {
            o.object("toolResult", |o| {
                o.str("toolUseId", &self.model.tool_id(&result.call_id))
                    .raw("content", &content.json());
                if result.is_error {
                    o.str("status", "error");
                }
            });
        });
    }

    fn media(&mut self, key: &str, formats: &Formats, source: &Source, at: &At, out: &mut Blocks) {
        match formats.place(source) {
            Some(placed) => out.add(|o| {
                o.object(key, |o| placed.write(o));
            }),
            None => self.notes.drop(at),
        }
    }

    fn document(&mut self, part: &Part, out: &mut Blocks) {
        let PartKind::Document {
            source,
            title,
            context,
            citations,
        } = &part.kind
        else {
            return;
        };
        let Some(placed) = DOCUMENTS.place(source) else {
            return self.notes.drop(&part.at);
        };
        let (name, same) = self.names.of(title.as_deref());
        if !same {
            self.notes.emulate(part.at.as_str());
        }
        out.add(|o| {
            o.object("document", |o| {
                o.str("name", &name);
                placed.write(o);
                o.str_if("context", context.as_deref());
                if let Some(enabled) = *citations {
                    o.object("citations", |o| {
                        o.bool("enabled", enabled);
                    });
                }
            });
        });
    }
}

/// Writes text with its citations, which are JSON.
pub(super) fn cited(o: &mut Object<'_>, text: &str, citations: &[String]) {
    if citations.is_empty() {
        o.str("text", text);
        return;
    }
    o.object("citationsContent", |o| {
        o.array("content", |a| {
            a.object(|o| {
                o.str("text", text);
            });
        });
        o.array("citations", |a| {
            citations.iter().for_each(|c| {
                a.raw(c);
            });
        });
    });
}

/// Writes reasoning with a seal of ours.
pub(super) fn sealed(o: &mut Object<'_>, text: &str, seal: &Seal) {
    o.object("reasoningContent", |o| {
        match seal.data.strip_prefix(REDACTED) {
            Some(data) => {
                o.str("redactedContent", data);
            }
            None => {
                o.object("reasoningText", |o| {
                    o.str("text", text).str("signature", &seal.data);
                });
            }
        }
    });
}

/// A call's arguments as the object that they must be, and whether they are one.
pub(super) fn input(arguments: &str) -> (Cow<'_, str>, bool) {
    if arguments.trim().is_empty() {
        return (Cow::Borrowed("{}"), true);
    }
    let object = json::parse(arguments.as_bytes()).is_ok_and(|n| n.kind() == Kind::Object);
    if object {
        return (Cow::Borrowed(arguments), true);
    }
    let mut out = String::with_capacity(arguments.len() + 16);
    write::object(&mut out, |o| {
        o.str("input", arguments);
    });
    (Cow::Owned(out), false)
}
