//! A target's stream as canonical events. <https://platform.claude.com/docs/en/build-with-claude/streaming>
//!
//! Takes the type from the JSON, never from the event line, and blocks by their index. A block that begins while
//! another is open is held back until that one ends, so that parts never overlap whatever the target sends.

use std::borrow::Cow;
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
        let said = Said::of(root);
        match &*said.kind {
            "content_block_delta" => self.delta(&said, out),
            "content_block_start" => self.block_start(&said, out),
            "content_block_stop" => self.block_stop(said.index, out),
            "message_start" => self.message_start(said.message, out),
            "message_delta" => self.message_delta(&said, out),
            "message_stop" => {
                self.start(None, out);
                self.close_all(out);
                self.over = true;
                out.push(Event::End);
            }
            "error" => self.error(root, out),
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

/// The members of an event, found in one walk over it: most events are a few bytes of text in an answer of
/// hundreds, and each walk costs as much as reading them.
#[derive(Default)]
struct Said<'a> {
    kind: Cow<'a, str>,
    index: u64,
    delta: Option<Node<'a>>,
    block: Option<Node<'a>>,
    message: Option<Node<'a>>,
    usage: Option<Node<'a>>,
}

impl<'a> Said<'a> {
    fn of(root: Node<'a>) -> Self {
        let mut said = Self::default();
        for (key, value) in root.members() {
            match &*key {
                "type" => said.kind = value.text().unwrap_or_default(),
                "index" => said.index = value.u64().unwrap_or(0),
                "delta" => said.delta = Some(value),
                "content_block" => said.block = Some(value),
                "message" => said.message = Some(value),
                "usage" => said.usage = Some(value),
                _ => {}
            }
        }
        said
    }
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

    fn message_delta(&mut self, said: &Said<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        self.usage(said.usage, out);
        let stop = said.delta.and_then(read_stop);
        if let Some(stop) = stop.filter(|_| !self.stopped) {
            self.close_all(out);
            self.stopped = true;
            let stop = settled(stop, self.json_tool, self.calls);
            out.push(Event::Stop { choice: 0, stop });
        }
    }

    fn block_start(&mut self, said: &Said<'_>, out: &mut Vec<Event>) {
        self.start(None, out);
        let Some(node) = said.block.filter(|_| !self.stopped) else {
            return;
        };
        let index = said.index;
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

    fn delta(&mut self, said: &Said<'_>, out: &mut Vec<Event>) {
        let Some(delta) = said.delta else {
            return;
        };
        let index = said.index;
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
