//! One block of a stream, from its start to its stop, and the events that it becomes.
//!
//! Events are kept here until they are flushed: at once when the block is the open one.

use lintel_types::canon::{At, Delta, Event, Opening, Part, PartKind, RawJson};

use super::super::super::JSON_TOOL;
use super::super::read_block::{self, citation, text_of};
use super::super::seal;
use super::{begin, more};
use crate::json::{self, Node};
use crate::provider::ANTHROPIC;

/// One block.
pub(super) struct Block {
    /// Its index in the stream.
    pub(super) index: u64,
    /// Its stop has come.
    pub(super) ended: bool,
    form: Form,
    ready: Vec<Event>,
}

enum Form {
    Text,
    Reasoning,
    /// A call, or the text that stands in one.
    Call {
        /// What the start holds as input; written when no delta says more.
        input: String,
        /// Arguments have come.
        told: bool,
        /// It is shown as a call.
        shown: bool,
    },
    /// A type that is carried whole, once it is whole.
    Whole(Whole),
}

struct Whole {
    /// The block as it started.
    start: String,
    at: At,
    /// What the deltas add: JSON of `input`, text of `content`, of `text`.
    input: String,
    content: Option<String>,
    text: Option<String>,
}

impl Block {
    /// The block that starts as `node`.
    pub(super) fn new(index: u64, node: Node<'_>, at: At, json_tool: bool) -> Self {
        let kind = text_of(node, "type").unwrap_or_default();
        let text = |key: &str| text_of(node, key).unwrap_or_default();
        let mut ready = Vec::new();
        let form = match kind.as_str() {
            "text" => {
                ready.push(begin(Opening::Text));
                push_text(&mut ready, text("text"));
                let cited = node.get("citations");
                let cited = cited.iter().flat_map(Node::items).map(citation);
                ready.extend(cited.map(|c| more(Delta::Citation(c))));
                Form::Text
            }
            "thinking" => {
                ready.push(begin(Opening::Reasoning {
                    summary: false,
                    id: None,
                }));
                push_text(&mut ready, text("thinking"));
                ready.extend(seal(&text("signature")).map(|s| more(Delta::Seal(s))));
                Form::Reasoning
            }
            "tool_use" => {
                let shown = !(json_tool && text("name") == JSON_TOOL);
                ready.push(begin(if shown {
                    Opening::ToolCall {
                        id: text("id"),
                        name: text("name"),
                        custom: false,
                    }
                } else {
                    Opening::Text
                }));
                Form::Call {
                    input: node.get("input").map_or("{}", |n| n.raw()).to_owned(),
                    told: false,
                    shown,
                }
            }
            _ => Form::Whole(Whole {
                start: node.raw().to_owned(),
                at,
                input: String::new(),
                content: None,
                text: None,
            }),
        };
        Self {
            index,
            ended: false,
            form,
            ready,
        }
    }

    /// Whether it calls a tool of the client's.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.form, Form::Call { shown: true, .. })
    }

    /// Takes in `delta`. What doesn't belong to such a block, or isn't known, is passed over.
    pub(super) fn delta(&mut self, delta: Node<'_>) {
        let ready = &mut self.ready;
        let text = |key: &str| text_of(delta, key).unwrap_or_default();
        let kind = delta.get("type").and_then(|t| t.text());
        match (&mut self.form, kind.as_deref().unwrap_or_default()) {
            (Form::Text, "text_delta") => push_text(ready, text("text")),
            (Form::Text, "citations_delta") => {
                let cited = delta.get("citation").map(citation);
                ready.extend(cited.map(|c| more(Delta::Citation(c))));
            }
            (Form::Reasoning, "thinking_delta") => push_text(ready, text("thinking")),
            (Form::Reasoning, "signature_delta") => {
                ready.extend(seal(&text("signature")).map(|s| more(Delta::Seal(s))));
            }
            (Form::Call { told, .. }, "input_json_delta") => {
                let json = text("partial_json");
                *told |= !json.is_empty();
                push_text(ready, json);
            }
            (Form::Whole(whole), "input_json_delta") => whole.input.push_str(&text("partial_json")),
            (Form::Whole(whole), "compaction_delta") => {
                grow(&mut whole.content, &text("content"));
            }
            (Form::Whole(whole), "text_delta") => grow(&mut whole.text, &text("text")),
            _ => {}
        }
    }

    /// Its stop has come, or must be taken for come.
    pub(super) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        match &mut self.form {
            Form::Call { input, told, .. } if !*told => {
                push_text(&mut self.ready, std::mem::take(input));
            }
            Form::Whole(whole) => self.ready.push(begin(Opening::Whole(whole.part()))),
            _ => {}
        }
        self.ready.push(Event::PartEnd { choice: 0 });
    }

    /// Gives what is ready.
    pub(super) fn flush(&mut self, out: &mut Vec<Event>) {
        out.append(&mut self.ready);
    }
}

fn push_text(ready: &mut Vec<Event>, text: String) {
    if !text.is_empty() {
        ready.push(more(Delta::Text(text)));
    }
}

fn grow(slot: &mut Option<String>, more: &str) {
    slot.get_or_insert_default().push_str(more);
}

impl Whole {
    fn part(&self) -> Part {
        let at = self.at.clone();
        let text = self.joined();
        match json::parse(text.as_bytes()) {
            // A redacted block has a canonical word; the others are opaque.
            Ok(node) => read_block::part(node, at),
            Err(_) => {
                let kind = PartKind::Opaque {
                    kind: String::new(),
                    protocol: ANTHROPIC,
                    raw: RawJson::new(self.start.as_str()),
                };
                Part::new(kind, at)
            }
        }
    }

    /// The block with what the deltas added.
    fn joined(&self) -> String {
        let input = Some(&self.input).filter(|i| json::parse(i.as_bytes()).is_ok());
        let added = [
            ("input", input.cloned()),
            ("content", self.content.as_deref().map(json::write::quoted)),
            ("text", self.text.as_deref().map(json::write::quoted)),
        ];
        let nothing = added.iter().all(|(_, value)| value.is_none());
        let start = match json::parse(self.start.as_bytes()) {
            Ok(start) if !nothing => start,
            _ => return self.start.clone(),
        };
        let mut out = String::with_capacity(self.start.len() + self.input.len());
        json::write::object(&mut out, |o| {
            let of = |key: &str| added.iter().find(|(k, v)| *k == key && v.is_some());
            for (key, value) in start.members().filter(|(key, _)| of(key).is_none()) {
                o.raw(&key, value.raw());
            }
            for (key, value) in &added {
                if let Some(value) = value {
                    o.raw(key, value);
                }
            }
        });
        out
    }
}
