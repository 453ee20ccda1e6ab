//! Writes a stream: each canonical event becomes the events of this dialect that show it, at once.
//!
//! Keeps the order that SDKs rely on: an item is added, its parts are added, grow and are done, the item is done; then
//! the whole response. Sequence numbers have no gaps, an item's id never changes. A stream that fails ends with `error`
//! and `response.failed`, as the provider's own do.

use lintel_types::Usage;
use lintel_types::canon::{Delta, Event, Opening, Stop, StreamError};

use super::answer::{Head, Standing, response};
use super::item::{Content, Item, Items, content, done_members, place, reasoning_text, summary};
use crate::dialect::line;
use crate::dialect::{Encoder, Way};
use crate::json::write::{self, Object};
use crate::provider::OPENAI;
use crate::surface::{ErrorBody, code_text, error_event};

pub(super) struct ResponsesEncoder {
    way: Way,
    head: Option<Head>,
    items: Items,
    /// Where the open part stands in its item.
    part: Option<usize>,
    /// Reasoning that has begun, and whether its item has: nothing shows before there is text or a seal of ours.
    thought: Option<(Opening, bool)>,
    usage: Option<Usage>,
    stop: Option<Stop>,
    sequence: u64,
    over: bool,
    buffer: String,
}

impl ResponsesEncoder {
    pub(super) fn new(way: &Way) -> Self {
        Self {
            way: way.clone(),
            head: None,
            items: Items::new(way),
            part: None,
            thought: None,
            usage: None,
            stop: None,
            sequence: 0,
            over: false,
            buffer: String::new(),
        }
    }

    /// Writes one event of this dialect.
    fn emit(&mut self, out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&Self, &mut Object<'_>)) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        write::object(&mut buffer, |o| {
            o.str("type", kind);
            o.int("sequence_number", self.sequence);
            fill(self, o);
        });
        line::one(&mut buffer);
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(buffer.as_bytes());
        out.extend_from_slice(b"\n\n");
        self.sequence += 1;
        self.buffer = buffer;
    }

    /// An event about the open item.
    fn emit_item(
        &mut self,
        out: &mut Vec<u8>,
        kind: &str,
        fill: impl FnOnce(&Item, usize, &mut Object<'_>),
    ) {
        let part = self.part.unwrap_or(0);
        self.emit(out, kind, |this, o| {
            if let Some((index, item)) = this.items.open() {
                o.str("item_id", item.id())
                    .int("output_index", index as u64);
                fill(item, part, o);
            }
        });
    }

    fn emit_response(&mut self, out: &mut Vec<u8>, kind: &str, standing: &Standing) {
        self.emit(out, kind, |this, o| {
            o.object("response", |o| {
                if let Some(head) = &this.head {
                    response(
                        o,
                        head,
                        standing,
                        &this.items,
                        this.usage.as_ref(),
                        &this.way,
                    );
                }
            });
        });
    }

    fn start(&mut self, head: Head, out: &mut Vec<u8>) {
        self.head = Some(head);
        for kind in ["response.created", "response.in_progress"] {
            self.emit_response(out, kind, &Standing::InProgress);
        }
    }

    /// The open item is added, or done.
    fn emit_whole_item(&mut self, out: &mut Vec<u8>, kind: &str, status: &str) {
        self.emit(out, kind, |this, o| {
            if let Some((index, item)) = this.items.open() {
                o.int("output_index", index as u64);
                match item {
                    Item::Raw(json) => {
                        o.raw("item", json);
                    }
                    item => {
                        o.object("item", |o| item.write(status, o));
                    }
                }
            }
        });
    }

    fn close_item(&mut self, out: &mut Vec<u8>, status: &str) {
        if self.items.open().is_some() {
            self.emit_whole_item(out, "response.output_item.done", status);
            self.items.close();
        }
    }

    fn part_start(&mut self, opening: &Opening, out: &mut Vec<u8>) {
        (self.part, self.thought) = (None, None);
        if matches!(opening, Opening::Reasoning { .. }) {
            self.thought = Some((opening.clone(), false));
        } else if self.begin_item(opening, out) && !matches!(opening, Opening::Whole(_)) {
            self.begin_part(opening, out);
        }
    }

    /// The item of what begins is open. False when it has no form here.
    fn begin_item(&mut self, opening: &Opening, out: &mut Vec<u8>) -> bool {
        if self.items.continues(opening) {
            return true;
        }
        self.close_item(out, "completed");
        let has_form = self.items.push(opening);
        if has_form {
            self.emit_whole_item(out, "response.output_item.added", "in_progress");
        }
        has_form
    }

    fn begin_part(&mut self, opening: &Opening, out: &mut Vec<u8>) {
        self.part = Some(self.items.part(opening));
        match opening {
            Opening::Reasoning { .. } => {
                let kind = "response.reasoning_summary_part.added";
                self.emit_item(out, kind, |_, part, o| {
                    o.int("summary_index", part as u64);
                    o.object("part", |o| summary("", o));
                });
            }
            Opening::Text | Opening::Refusal => {
                self.emit_content_part(out, "response.content_part.added");
            }
            _ => {}
        }
    }

    /// Whether reasoning shows once `delta` has come.
    fn begin_thought(&mut self, delta: &Delta, out: &mut Vec<u8>) -> bool {
        let Some((opening, begun)) = self.thought.take() else {
            return self.part.is_some();
        };
        let text = matches!(delta, Delta::Text(_));
        let seal = matches!(delta, Delta::Seal(seal) if seal.protocol == OPENAI);
        let begun = begun || ((text || seal) && self.begin_item(&opening, out));
        if begun && text && self.part.is_none() {
            self.begin_part(&opening, out);
        }
        self.thought = Some((opening, begun));
        begun
    }

    fn emit_content_part(&mut self, out: &mut Vec<u8>, kind: &str) {
        self.emit_item(out, kind, |item, part, o| {
            o.int("content_index", part as u64);
            if let Some(content) = content(item, part) {
                o.object("part", |o| content.write(o));
            }
        });
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if !self.begin_thought(delta, out) || !self.items.grow(delta) {
            return;
        }
        match delta {
            Delta::Text(text) => {
                let kind = self.words().0;
                self.emit_item(out, kind, |item, part, o| {
                    place(item, part, o);
                    o.str("delta", text);
                    if matches!(content(item, part), Some(Content::Text { .. })) {
                        o.raw("logprobs", "[]");
                    }
                });
            }
            Delta::Citation(_) => {
                let kind = "response.output_text.annotation.added";
                self.emit_item(out, kind, |item, part, o| {
                    o.int("content_index", part as u64);
                    if let Some(Content::Text { annotations, .. }) = content(item, part) {
                        o.int(
                            "annotation_index",
                            annotations.len().saturating_sub(1) as u64,
                        );
                        o.raw("annotation", annotations.last().map_or("null", |a| a));
                    }
                });
            }
            // Shown by the item when it is done.
            Delta::Seal(_) => {}
        }
    }

    /// The types of the events that grow and end the open part.
    fn words(&self) -> (&'static str, &'static str) {
        let part = self.part.unwrap_or(0);
        match self.items.open().map(|(_, item)| item) {
            Some(Item::Reasoning { .. }) => (
                "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done",
            ),
            Some(Item::Call { custom: true, .. }) => (
                "response.custom_tool_call_input.delta",
                "response.custom_tool_call_input.done",
            ),
            Some(Item::Call { .. }) => (
                "response.function_call_arguments.delta",
                "response.function_call_arguments.done",
            ),
            Some(item) if matches!(content(item, part), Some(Content::Refusal(_))) => {
                ("response.refusal.delta", "response.refusal.done")
            }
            _ => ("response.output_text.delta", "response.output_text.done"),
        }
    }

    fn part_end(&mut self, out: &mut Vec<u8>) {
        let thought = self.thought.take();
        if self.part.is_none() {
            // Sealed reasoning may go on in another part; anything else without parts is whole.
            if thought.is_none() {
                self.close_item(out, "completed");
            }
            return;
        }
        let kind = self.words().1;
        self.emit_item(out, kind, |item, part, o| {
            place(item, part, o);
            done_members(item, part, o);
        });
        match self.items.open().map(|(_, item)| item) {
            Some(Item::Call { .. }) => self.close_item(out, "completed"),
            Some(Item::Reasoning { .. }) => {
                let kind = "response.reasoning_summary_part.done";
                self.emit_item(out, kind, |item, part, o| {
                    o.int("summary_index", part as u64);
                    o.object("part", |o| summary(reasoning_text(item, part), o));
                });
            }
            _ => self.emit_content_part(out, "response.content_part.done"),
        }
        self.part = None;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let standing = Standing::of(self.stop.as_ref(), self.items.list());
        let last = self.items.list().len();
        self.close_item(out, standing.of_item(last.saturating_sub(1), last));
        let kind = match standing {
            Standing::Incomplete(_) => "response.incomplete",
            _ => "response.completed",
        };
        self.emit_response(out, kind, &standing);
        self.over = true;
    }

    fn provider_error(&mut self, error: &StreamError, out: &mut Vec<u8>) {
        self.error(&ErrorBody::inside(error), out);
    }
}

impl Encoder for ResponsesEncoder {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                let head = Head::new(id.as_deref(), model.as_deref(), *created, &self.way);
                self.start(head, out);
            }
            // One answer is all that this dialect has.
            Event::PartStart { choice: 0, part } => self.part_start(part, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::PartEnd { choice: 0 } => self.part_end(out),
            Event::Stop { choice: 0, stop } => self.stop = Some(stop.clone()),
            Event::PartStart { .. }
            | Event::Delta { .. }
            | Event::PartEnd { .. }
            | Event::Stop { .. } => {}
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Error(error) => self.provider_error(error, out),
            Event::End => self.end(out),
        }
    }

    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        if self.head.is_none() {
            self.head = Some(Head::new(None, None, None, &self.way));
        }
        out.extend_from_slice(error_event(error, self.sequence).as_bytes());
        self.sequence += 1;
        let code = code_text(error);
        let code = match code.trim_matches('"') {
            "null" => "server_error",
            code => code,
        };
        let failed = Standing::Failed(code.to_owned(), error.message.clone().into_owned());
        self.emit_response(out, "response.failed", &failed);
        self.over = true;
    }
}
