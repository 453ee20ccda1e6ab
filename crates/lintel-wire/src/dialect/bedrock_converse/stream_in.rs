//! A target's stream to canonical events.
//!
//! Blocks come one after the other, each with its index; only blocks of tools say where they begin. A block
//! whose end doesn't come ends where the next begins, but for a call: what comes beside an open call is held
//! back until that has ended.

use lintel_types::canon::{At, Delta, Event, Opening, Part, StreamError};

use super::{block, citation, stop};
use crate::dialect::{Decoder, JSON_TOOL};
use crate::json::{self, Node};
use crate::provider::bedrock_usage;
use crate::scrub::scrub;

mod open;

use open::{Open, OpenKind};

/// Reads one stream.
pub(super) struct Reader {
    json_tool: bool,
    started: bool,
    open: Option<Open>,
    /// Events of other blocks while a call is open: data as it came.
    held: Vec<Vec<u8>>,
    /// Calls that the client may see.
    calls: bool,
    stopped: bool,
    used: bool,
    over: bool,
}

impl Reader {
    pub(super) fn new(json_tool: bool) -> Self {
        Self {
            json_tool,
            started: false,
            open: None,
            held: Vec::new(),
            calls: false,
            stopped: false,
            used: false,
            over: false,
        }
    }

    fn start(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start {
                id: None,
                model: None,
                created: None,
            });
        }
    }

    /// Whether an event of block `index` must wait for an open call to end.
    fn waits(&self, index: u64) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|o| o.index != index && o.kind.must_end())
    }

    fn block_event(&mut self, name: &str, event: Node<'_>, data: &[u8], out: &mut Vec<Event>) {
        let index = event
            .get("contentBlockIndex")
            .and_then(|i| i.u64())
            .unwrap_or(0);
        if self.waits(index) {
            self.held.push(data.to_vec());
            return;
        }
        let at = self.open.as_ref().map(|o| o.index);
        match name {
            "contentBlockStart" => {
                self.close(out);
                if let Some(start) = event.get("start") {
                    self.begin(index, start, out);
                }
            }
            "contentBlockDelta" => {
                if at.is_some_and(|open| open != index) {
                    self.close(out);
                }
                if let Some(delta) = event.get("delta") {
                    self.delta(index, delta, out);
                }
            }
            _ if at == Some(index) => {
                self.close(out);
                self.release(out);
            }
            _ => {}
        }
    }

    /// Gives what was held back while a call was open.
    fn release(&mut self, out: &mut Vec<Event>) {
        for data in std::mem::take(&mut self.held) {
            self.event(&data, out);
        }
    }

    fn begin(&mut self, index: u64, start: Node<'_>, out: &mut Vec<Event>) {
        let Some((key, value)) = start.members().next() else {
            return;
        };
        let text = |key: &str| {
            let text = value.get(key).and_then(|t| t.text());
            text.map(|t| t.into_owned()).unwrap_or_default()
        };
        let kind = match &*key {
            "toolUse" if !block::is_server_tool(value) => {
                let name = text("name");
                let answer = self.json_tool && name == JSON_TOOL;
                self.calls |= !answer;
                let part = match answer {
                    true => Opening::Text,
                    false => Opening::ToolCall {
                        id: text("toolUseId"),
                        name,
                        custom: false,
                    },
                };
                out.push(Event::PartStart { choice: 0, part });
                OpenKind::Call
            }
            "image" => OpenKind::image(value),
            "toolUse" | "toolResult" => OpenKind::whole(&key, value),
            // A block that only says that it begins: its first delta tells what it is.
            _ => return,
        };
        self.open = Some(Open { index, kind });
    }

    fn delta(&mut self, index: u64, delta: Node<'_>, out: &mut Vec<Event>) {
        let Some((key, value)) = delta.members().next() else {
            return;
        };
        match &*key {
            "text" => {
                self.ensure(index, OpenKind::Text, out);
                self.say(value, out);
            }
            "citation" => {
                self.ensure(index, OpenKind::Text, out);
                if self.is(&OpenKind::Text) {
                    let delta = Delta::Citation(citation::read(value));
                    out.push(Event::Delta { choice: 0, delta });
                }
            }
            "reasoningContent" => {
                self.ensure(index, OpenKind::Reasoning, out);
                self.reason(value, out);
            }
            "toolUse" if self.is(&OpenKind::Call) => {
                value
                    .get("input")
                    .into_iter()
                    .for_each(|i| self.say(i, out));
            }
            "toolUse" | "toolResult" | "image" => {
                self.open
                    .iter_mut()
                    .for_each(|o| o.kind.gather(&key, value));
            }
            _ => {}
        }
    }

    fn is(&self, kind: &OpenKind) -> bool {
        self.open.as_ref().is_some_and(|o| o.kind == *kind)
    }

    /// Opens a part of text or reasoning, unless the block is open already.
    fn ensure(&mut self, index: u64, kind: OpenKind, out: &mut Vec<Event>) {
        if self.open.is_some() {
            return;
        }
        let part = match kind {
            OpenKind::Reasoning => Opening::Reasoning {
                summary: false,
                id: None,
            },
            _ => Opening::Text,
        };
        out.push(Event::PartStart { choice: 0, part });
        self.open = Some(Open { index, kind });
    }

    fn say(&mut self, value: Node<'_>, out: &mut Vec<Event>) {
        let visible = self.open.as_ref().is_some_and(|o| o.kind.is_told());
        let text = value.text().filter(|t| !t.is_empty() && visible);
        if let Some(text) = text {
            let delta = Delta::Text(text.into_owned());
            out.push(Event::Delta { choice: 0, delta });
        }
    }

    fn reason(&mut self, value: Node<'_>, out: &mut Vec<Event>) {
        if !self.is(&OpenKind::Reasoning) {
            return;
        }
        if let Some(text) = value.get("text") {
            self.say(text, out);
        }
        let text = |key: &str| value.get(key).and_then(|t| t.text());
        let redacted = text("redactedContent").map(|d| format!("{}{d}", block::REDACTED));
        let signature = text("signature").map(|s| s.into_owned());
        if let Some(data) = redacted.or(signature).filter(|s| !s.is_empty()) {
            let delta = Delta::Seal(block::seal(data));
            out.push(Event::Delta { choice: 0, delta });
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        let Some(open) = self.open.take() else { return };
        if open.kind.is_told() {
            out.push(Event::PartEnd { choice: 0 });
        } else if let Some(kind) = open.kind.part() {
            let part = Opening::Whole(Part::new(kind, At::default()));
            out.push(Event::PartStart { choice: 0, part });
            out.push(Event::PartEnd { choice: 0 });
        }
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        while self.open.is_some() || !self.held.is_empty() {
            self.close(out);
            self.release(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.over, true) {
            out.push(Event::End);
        }
    }
}

impl Decoder for Reader {
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let Ok(root) = json::parse(data) else { return };
        let Some((name, event)) = root.members().next().filter(|_| !self.over) else {
            return;
        };
        self.start(out);
        match &*name {
            "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" if !self.stopped => {
                self.block_event(&name, event, data, out);
            }
            "messageStop" => {
                self.close_all(out);
                if let Some(mut stop) = stop::read(event).filter(|_| !self.stopped) {
                    self.stopped = true;
                    if self.json_tool {
                        stop::without_json_tool(&mut stop, self.calls);
                    }
                    out.push(Event::Stop { choice: 0, stop });
                }
            }
            "metadata" => {
                self.used = true;
                out.extend(event.get("usage").and_then(bedrock_usage).map(Event::Usage));
            }
            "exception" => {
                let text = |key: &str| event.get(key).and_then(|t| t.text());
                out.push(Event::Error(StreamError {
                    message: scrub(&text("message").unwrap_or_default()),
                    kind_name: text("type").map(|t| t.into_owned()),
                    code: None,
                }));
                self.over = true;
            }
            // messageStart and whatever comes next.
            _ => {}
        }
        // The last two events come in either order.
        if self.stopped && self.used {
            self.end(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        self.start(out);
        self.close_all(out);
        if self.stopped {
            self.end(out);
        }
    }
}
