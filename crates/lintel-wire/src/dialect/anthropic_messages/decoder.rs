//! A target's stream as canonical events. <https://platform.claude.com/docs/en/build-with-claude/streaming>
//!
//! Takes the type from the JSON, never from the event line, and blocks by their index. A block that begins while
//! another is open is held back until that one ends, so that parts never overlap whatever the target sends.

use std::collections::VecDeque;

use lintel_types::canon::{At, Delta, Event, Opening, StreamError};

use super::super::{Decoder, Way};
use super::reply::{read_stop, said, settled};
use crate::json::{self, Node};
use crate::provider::{AnthropicCounts, read_error};

mod block;

use block::Block;

/// Reads a stream of message events.
pub(super) struct MessageDecoder {
    json_tool: bool,
    started: bool,
    stopped: bool,
    over: bool,
    /// A tool of the client's has been called.
    calls: bool,
    counts: AnthropicCounts,
    /// The open block, then those that are held back, in order.
    blocks: VecDeque<Block>,
}

impl MessageDecoder {
    /// A reader of one stream.
    pub(super) fn new(way: &Way) -> Self {
        Self {
            json_tool: way.json_tool,
            started: false,
            stopped: false,
            over: false,
            calls: false,
            counts: AnthropicCounts::default(),
            blocks: VecDeque::new(),
        }
    }
}

impl Decoder for MessageDecoder {
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let Ok(root) = json::parse(data) else {
            return;
        };
        if self.over {
            return;
        }
        let kind = root.get("type").and_then(|t| t.text());
        match kind.as_deref() {
            Some("content_block_delta") => self.delta(root, out),
            Some("content_block_start") => self.block_start(root, out),
            Some("content_block_stop") => self.block_stop(index(root), out),
            Some("message_start") => self.message_start(root.get("message"), out),
            Some("message_delta") => self.message_delta(root, out),
            Some("message_stop") => {
                self.start(None, out);
                self.close_all(out);
                self.over = true;
                out.push(Event::End);
            }
            Some("error") => self.error(root, out),
            // ping and whatever comes next.
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        self.start(None, out);
        self.close_all(out);
        self.over = true;
        // What was cut before it said why it ended must not look whole.
        if self.stopped {
            out.push(Event::End);
        }
    }
}

fn index(root: Node<'_>) -> u64 {
    root.get("index").and_then(|i| i.u64()).unwrap_or(0)
}

impl MessageDecoder {
    fn start(&mut self, message: Option<Node<'_>>, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start {
                id: message.and_then(|m| said(m, "id")),
                model: message.and_then(|m| said(m, "model")),
                created: None,
            });
        }
    }

    fn message_start(&mut self, message: Option<Node<'_>>, out: &mut Vec<Event>) {
        self.start(message, out);
        self.usage(message.and_then(|m| m.get("usage")), out);
    }

    fn usage(&mut self, node: Option<Node<'_>>, out: &mut Vec<Event>) {
        if let Some(node) = node {
            self.counts.update(node);
            out.extend(self.counts.usage().map(Event::Usage));
        }
    }

    fn message_delta(&mut self, root: Node<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        self.usage(root.get("usage"), out);
        let stop = root.get("delta").and_then(read_stop);
        if let Some(stop) = stop.filter(|_| !self.stopped) {
            self.close_all(out);
            self.stopped = true;
            let stop = settled(stop, self.json_tool, self.calls);
            out.push(Event::Stop { choice: 0, stop });
        }
    }

    fn block_start(&mut self, root: Node<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        let Some(node) = root.get("content_block").filter(|_| !self.stopped) else {
            return;
        };
        let index = index(root);
        // An index that begins again ends what had it before.
        self.block_stop(index, out);
        let at = At::new(format!("$.content[{index}]"));
        let mut block = Block::new(index, node, at, self.json_tool);
        self.calls |= block.is_call();
        if self.blocks.is_empty() {
            block.flush(out);
        }
        self.blocks.push_back(block);
    }

    fn delta(&mut self, root: Node<'_>, out: &mut Vec<Event>) {
        let Some(delta) = root.get("delta") else {
            return;
        };
        let index = index(root);
        let place = self
            .blocks
            .iter()
            .position(|b| b.index == index && !b.ended);
        if let Some((place, block)) = place.and_then(|p| Some((p, self.blocks.get_mut(p)?))) {
            block.delta(delta);
            if place == 0 {
                block.flush(out);
            }
        }
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let held = self
            .blocks
            .iter_mut()
            .find(|b| b.index == index && !b.ended);
        if let Some(block) = held {
            block.end();
            self.release(out);
        }
    }

    /// Gives on what no open block is before.
    fn release(&mut self, out: &mut Vec<Event>) {
        while let Some(first) = self.blocks.front_mut() {
            first.flush(out);
            if !first.ended {
                return;
            }
            self.blocks.pop_front();
        }
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        self.blocks.iter_mut().for_each(Block::end);
        self.release(out);
    }

    fn error(&mut self, root: Node<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        self.over = true;
        let error = read_error(root.raw().as_bytes());
        out.push(Event::Error(StreamError {
            message: error.message,
            kind_name: error.kind_name,
            code: error.code,
        }));
    }
}

/// A delta of choice 0, the only one there is.
fn more(delta: Delta) -> Event {
    Event::Delta { choice: 0, delta }
}

fn begin(part: Opening) -> Event {
    Event::PartStart { choice: 0, part }
}
