//! Canonical events as the stream that SDKs of this dialect expect: one message, blocks one after the other with
//! rising indexes, the stop and the whole usage at the end.
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>
//!
//! Everything that shows leaves at once. What this dialect can't say in a stream (media, foreign seals and
//! citations, further choices) is left out.

use lintel_types::Usage;
use lintel_types::canon::{Delta, Event, Opening, PartKind, Stop, StreamError};

use super::super::{Encoder, Way};
use super::{message_id, own_seal, reply, usage, write_block};
use crate::dialect::line;
use crate::json::write::{self, Object};
use crate::provider::ANTHROPIC;
use crate::surface::{self, ANTHROPIC_MESSAGES, ErrorBody};

/// Writes a stream of message events.
pub(super) struct MessageEncoder {
    model: String,
    id: String,
    /// The index of the next block.
    next: u64,
    block: Block,
    stop: Option<Stop>,
    usage: Option<Usage>,
    calls: bool,
    refused: bool,
    over: bool,
    /// One event's data.
    data: String,
}

/// The open part, as far as it is a block.
enum Block {
    /// None is open, or one that isn't shown.
    None,
    /// One that shows when there is something in it.
    Coming(Kind),
    /// One that shows.
    Open(Kind),
    /// A block that started whole.
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Call,
    /// A call whose input is free text, told as the only member of an object.
    Wrapped,
}

impl MessageEncoder {
    /// A writer of one stream.
    pub(super) fn new(way: &Way) -> Self {
        Self {
            model: way.model.clone(),
            id: way.id.clone(),
            next: 0,
            block: Block::None,
            stop: None,
            usage: None,
            calls: false,
            refused: false,
            over: false,
            data: String::with_capacity(256),
        }
    }
}

impl Encoder for MessageEncoder {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, .. } => self.start(id.as_deref(), model.as_deref(), out),
            Event::PartStart { choice: 0, part } => self.part_start(part, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::PartEnd { choice: 0 } => self.part_end(out),
            Event::Stop { choice: 0, stop } => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Error(error) => self.failed(error, out),
            Event::End => self.end(out),
            // How many answers there are is not this dialect's to say: there is one.
            Event::PartStart { .. }
            | Event::Delta { .. }
            | Event::PartEnd { .. }
            | Event::Stop { .. } => {}
        }
    }

    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.over, true) {
            out.extend_from_slice(&surface::spec(ANTHROPIC_MESSAGES).stream_error(error));
        }
    }
}

impl MessageEncoder {
    /// Writes one event of type `name`, whose further members `fill` writes.
    fn emit(&mut self, name: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        self.data.clear();
        write::object(&mut self.data, |o| {
            o.str("type", name);
            fill(o);
        });
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        line::one(&mut self.data);
        out.extend_from_slice(self.data.as_bytes());
        out.extend_from_slice(b"\n\n");
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        let id = message_id(id, &self.id);
        let model = model.unwrap_or(&self.model).to_owned();
        self.emit("message_start", out, |o| {
            o.object("message", |o| {
                reply::head(&id, &model, o);
                o.array("content", |_| {})
                    .null("stop_reason")
                    .null("stop_sequence")
                    .null("stop_details")
                    .object("usage", |o| usage::write(o, None));
            });
        });
    }

    fn part_start(&mut self, part: &Opening, out: &mut Vec<u8>) {
        self.block = match part {
            Opening::Text => Block::Coming(Kind::Text),
            Opening::Refusal => {
                self.refused = true;
                Block::Coming(Kind::Text)
            }
            Opening::Reasoning { .. } => Block::Coming(Kind::Thinking),
            Opening::ToolCall { id, name, custom } => {
                self.calls = true;
                self.open(out, |o| {
                    o.str("type", "tool_use")
                        .str("id", id)
                        .str("name", name)
                        .raw("input", "{}");
                });
                if *custom {
                    self.part_of_input(r#"{"input":""#, out);
                    Block::Open(Kind::Wrapped)
                } else {
                    Block::Open(Kind::Call)
                }
            }
            Opening::Whole(part) => self.whole(&part.kind, out),
        };
    }

    /// A part that comes whole: blocks of this dialect start with all that is in them.
    fn whole(&mut self, kind: &PartKind, out: &mut Vec<u8>) -> Block {
        match kind {
            PartKind::Opaque { protocol, raw, .. } if *protocol == ANTHROPIC => {
                let index = self.index();
                self.emit("content_block_start", out, |o| {
                    o.int("index", index).raw("content_block", raw.as_str());
                });
                Block::Whole
            }
            PartKind::Reasoning(reasoning) => match own_seal(reasoning.seal.as_ref()) {
                Some(data) => {
                    self.open(out, |o| write_block::thinking(&reasoning.text, data, o));
                    Block::Whole
                }
                None => Block::None,
            },
            PartKind::Text { text, .. } if !text.is_empty() => {
                self.open(out, |o| {
                    o.str("type", "text").str("text", text);
                });
                Block::Whole
            }
            _ => Block::None,
        }
    }

    fn index(&mut self) -> u64 {
        let index = self.next;
        self.next += 1;
        index
    }

    fn open(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let index = self.index();
        self.emit("content_block_start", out, |o| {
            o.int("index", index).object("content_block", fill);
        });
    }

    /// The open block of text or thinking shows from now on.
    fn show(&mut self, out: &mut Vec<u8>) -> Option<Kind> {
        let kind = match self.block {
            Block::Open(kind) => return Some(kind),
            Block::Coming(kind) => kind,
            Block::None | Block::Whole => return None,
        };
        self.open(out, |o| match kind {
            Kind::Thinking => write_block::thinking("", "", o),
            _ => {
                o.str("type", "text").str("text", "");
            }
        });
        self.block = Block::Open(kind);
        Some(kind)
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) if text.is_empty() => {}
            Delta::Text(text) => match self.show(out) {
                Some(Kind::Text) => self.more("text_delta", "text", text, out),
                Some(Kind::Thinking) => self.more("thinking_delta", "thinking", text, out),
                Some(Kind::Call) => self.part_of_input(text, out),
                Some(Kind::Wrapped) => {
                    let quoted = write::quoted(text);
                    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
                    self.part_of_input(inside, out);
                }
                None => {}
            },
            Delta::Citation(citation) if citation.protocol == ANTHROPIC => {
                if self.show(out) == Some(Kind::Text) {
                    self.block_delta("citations_delta", out, |o| {
                        o.raw("citation", citation.raw.as_str());
                    });
                }
            }
            Delta::Seal(seal) => {
                let data = own_seal(Some(seal)).filter(|_| self.thinking());
                if let Some(data) = data {
                    self.show(out);
                    self.more("signature_delta", "signature", data, out);
                }
            }
            Delta::Citation(_) => {}
        }
    }

    fn thinking(&self) -> bool {
        matches!(
            self.block,
            Block::Coming(Kind::Thinking) | Block::Open(Kind::Thinking)
        )
    }

    fn part_of_input(&mut self, json: &str, out: &mut Vec<u8>) {
        self.more("input_json_delta", "partial_json", json, out);
    }

    fn more(&mut self, kind: &str, key: &str, text: &str, out: &mut Vec<u8>) {
        self.block_delta(kind, out, |o| {
            o.str(key, text);
        });
    }

    fn block_delta(&mut self, kind: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let index = self.next.saturating_sub(1);
        self.emit("content_block_delta", out, |o| {
            o.int("index", index).object("delta", |o| {
                o.str("type", kind);
                fill(o);
            });
        });
    }

    fn part_end(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.block, Block::None) {
            Block::None | Block::Coming(_) => return,
            Block::Open(Kind::Wrapped) => self.part_of_input(r#""}"#, out),
            Block::Open(_) | Block::Whole => {}
        }
        let index = self.next.saturating_sub(1);
        self.emit("content_block_stop", out, |o| {
            o.int("index", index);
        });
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        let (stop, usage) = (self.stop.take(), self.usage.take());
        let (calls, refused) = (self.calls, self.refused);
        self.emit("message_delta", out, |o| {
            o.object("delta", |o| {
                reply::stopped(stop.as_ref(), calls, refused, o)
            })
            .object("usage", |o| usage::write(o, usage.as_ref()));
        });
        self.emit("message_stop", out, |_| {});
    }

    fn failed(&mut self, error: &StreamError, out: &mut Vec<u8>) {
        self.over = true;
        self.emit("error", out, |o| {
            o.object("error", |o| {
                o.str("type", error.kind_name.as_deref().unwrap_or("api_error"))
                    .str("message", &error.message);
                if let Some(code) = &error.code {
                    o.raw("code", code);
                }
            });
        });
    }
}
