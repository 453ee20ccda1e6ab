//! Reads a stream: events become canonical ones. The type stands in the JSON; unknown types are passed over.
//!
//! An event that repeats what deltas have brought adds only what they left out, so hosts that send no deltas, or no
//! events for some items, lose nothing. Items are told apart by their place: ids can change between two events.

use lintel_types::canon::{At, Delta, Event, Opening, PartKind, Seal, StreamError};

use super::items;
use super::lanes::Lanes;
use super::reply;
use crate::dialect::Decoder;
use crate::hosts::Host;
use crate::json::{self, Node};
use crate::provider::read_error;

pub(super) struct ResponsesDecoder {
    host: &'static Host,
    lanes: Lanes,
    started: bool,
    over: bool,
    called: bool,
    refused: bool,
    /// The places of items that have come whole.
    whole: Vec<String>,
    /// The host counts no items: their places are their ids.
    by_id: bool,
}

impl ResponsesDecoder {
    pub(super) fn new(host: &'static Host) -> Self {
        Self {
            host,
            lanes: Lanes::default(),
            started: false,
            over: false,
            called: false,
            refused: false,
            whole: Vec::new(),
            by_id: false,
        }
    }

    fn start(&mut self, response: Option<Node<'_>>, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let (id, model, created) = response.map(reply::head).unwrap_or_default();
            out.push(Event::Start { id, model, created });
        }
    }

    fn dispatch(&mut self, kind: &str, event: Node<'_>, out: &mut Vec<Event>) {
        let item = self.place(event);
        let indexed = |letter: char, index: &str| {
            let index = event.get(index).and_then(|i| i.u64()).unwrap_or(0);
            format!("{item}{letter}{index}")
        };
        let content = || indexed('c', "content_index");
        match kind {
            "response.output_item.added" => {
                if let Some(node) = event.get("item") {
                    self.item_added(&item, node, out);
                }
            }
            "response.content_part.added" | "response.content_part.done" => {
                let part = event.get("part");
                self.content_part(&content(), part, event, kind.ends_with("done"), out);
            }
            "response.output_text.delta" | "response.output_text.done" => {
                self.grow(&content(), Opening::Text, event, "text", out);
            }
            "response.refusal.delta" | "response.refusal.done" => {
                self.refused = true;
                self.grow(&content(), Opening::Refusal, event, "refusal", out);
            }
            "response.reasoning_text.delta"
            | "response.reasoning_text.done"
            | "response.reasoning.delta"
            | "response.reasoning.done" => {
                let opening = reasoning(false, event);
                self.grow(&content(), opening, event, "text", out);
            }
            "response.reasoning_summary_part.added"
            | "response.reasoning_summary_text.delta"
            | "response.reasoning_summary_text.done" => {
                let key = indexed('s', "summary_index");
                self.grow(&key, reasoning(true, event), event, "text", out);
            }
            "response.output_text.annotation.added" => {
                self.lanes.begin(&content(), Opening::Text, out);
                if let Some(note) = event.get("annotation").filter(|n| !n.is_null()) {
                    let citation = Delta::Citation(items::citation(note));
                    self.lanes.delta(&content(), citation, out);
                }
            }
            "response.function_call_arguments.delta"
            | "response.function_call_arguments.done"
            | "response.custom_tool_call_input.delta"
            | "response.custom_tool_call_input.done" => {
                let whole = if kind.contains("custom") {
                    "input"
                } else {
                    "arguments"
                };
                // Without its item no call has a name: then the item brings everything at its end.
                self.more(&format!("{item}a"), event, whole, out);
            }
            "response.output_item.done" => {
                if let Some(node) = event.get("item") {
                    self.item_done(&item, node, out);
                }
            }
            _ => {}
        }
    }

    /// The place of the event's item.
    fn place(&mut self, event: Node<'_>) -> String {
        if let Some(index) = event.get("output_index").and_then(|i| i.u64()) {
            return index.to_string();
        }
        let id = event.get("item_id").or_else(|| event.at(&["item", "id"]));
        self.by_id |= id.is_some();
        id.and_then(|i| i.text()).unwrap_or_default().into_owned()
    }

    /// A part that may be new goes on.
    fn grow(
        &mut self,
        key: &str,
        opening: Opening,
        event: Node<'_>,
        whole: &str,
        out: &mut Vec<Event>,
    ) {
        self.lanes.begin(key, opening, out);
        self.more(key, event, whole, out);
    }

    fn more(&mut self, key: &str, event: Node<'_>, whole: &str, out: &mut Vec<Event>) {
        if let Some(delta) = event.get("delta").and_then(|d| d.text()) {
            self.lanes.delta(key, Delta::Text(delta.into_owned()), out);
        } else if let Some(text) = event.get(whole).and_then(|t| t.text()) {
            self.lanes.rest(key, &text, out);
        }
    }

    fn item_added(&mut self, place: &str, item: Node<'_>, out: &mut Vec<Event>) {
        for part in items::output(item, &At::default()) {
            if let PartKind::ToolCall(call) = part.kind {
                self.called = true;
                let key = format!("{place}a");
                let opening = Opening::ToolCall {
                    id: call.id,
                    name: call.name,
                    custom: call.custom,
                };
                self.lanes.begin(&key, opening, out);
                self.lanes.rest(&key, &call.arguments, out);
            }
        }
    }

    fn content_part(
        &mut self,
        key: &str,
        part: Option<Node<'_>>,
        event: Node<'_>,
        done: bool,
        out: &mut Vec<Event>,
    ) {
        let Some(part) = part else { return };
        let kind = part.get("type").and_then(|t| t.text()).unwrap_or_default();
        let (opening, text) = match &*kind {
            "output_text" => (Opening::Text, "text"),
            "refusal" => {
                self.refused = true;
                (Opening::Refusal, "refusal")
            }
            "reasoning_text" => (reasoning(false, event), "text"),
            _ => return,
        };
        // The seal of reasoning comes with the end of its item.
        let ends = done && &*kind != "reasoning_text";
        self.lanes.begin(key, opening, out);
        if let Some(text) = part.get(text).and_then(|t| t.text()) {
            self.lanes.rest(key, &text, out);
        }
        self.citations(key, part, out);
        if ends {
            self.lanes.end(key, out);
        }
    }

    /// Citations of a whole part that have not come by themselves.
    fn citations(&mut self, key: &str, part: Node<'_>, out: &mut Vec<Event>) {
        let come = self.lanes.citations(key);
        let notes = part.get("annotations");
        for note in notes.iter().flat_map(Node::items).skip(come) {
            let citation = Delta::Citation(items::citation(note));
            self.lanes.delta(key, citation, out);
        }
    }

    fn item_done(&mut self, place: &str, item: Node<'_>, out: &mut Vec<Event>) {
        if self.whole.iter().any(|p| p == place) {
            return;
        }
        self.whole.push(place.to_owned());
        let kind = item.get("type").and_then(|t| t.text()).unwrap_or_default();
        match &*kind {
            "message" => {
                let content = item.get("content");
                for (i, part) in content.iter().flat_map(Node::items).enumerate() {
                    self.content_part(&format!("{place}c{i}"), Some(part), item, true, out);
                }
            }
            "reasoning" => self.reasoning_done(place, item, out),
            "function_call" | "custom_tool_call" => {
                self.item_added(place, item, out);
                self.lanes.end(&format!("{place}a"), out);
            }
            _ => {
                for part in items::output(item, &At::new(format!("$.output[{place}]"))) {
                    let key = format!("{place}w");
                    self.lanes.begin(&key, Opening::Whole(part), out);
                    self.lanes.end(&key, out);
                }
            }
        }
    }

    fn reasoning_done(&mut self, place: &str, item: Node<'_>, out: &mut Vec<Event>) {
        let id = item
            .get("id")
            .and_then(|i| i.text())
            .map(|i| i.into_owned());
        let opening = |summary| Opening::Reasoning {
            summary,
            id: id.clone(),
        };
        let mut last = None;
        for (list, letter, summary) in [("summary", 's', true), ("content", 'c', false)] {
            let texts = item.get(list);
            for (i, text) in texts.iter().flat_map(Node::items).enumerate() {
                let key = format!("{place}{letter}{i}");
                let text = text.get("text").and_then(|t| t.text()).unwrap_or_default();
                self.lanes.begin(&key, opening(summary), out);
                self.lanes.rest(&key, &text, out);
                last = Some(key);
            }
        }
        if let Some(seal) = items::seal(item) {
            let key = last.clone().unwrap_or_else(|| format!("{place}s0"));
            self.lanes.begin(&key, opening(true), out);
            self.sealed(&key, seal, out);
            last = Some(key);
        }
        if let Some(key) = last {
            self.lanes.end(&key, out);
        }
    }

    fn sealed(&mut self, key: &str, seal: Seal, out: &mut Vec<Event>) {
        self.lanes.delta(key, Delta::Seal(seal), out);
    }

    /// The whole response: what has not come by itself, and its end.
    fn end(&mut self, response: Node<'_>, out: &mut Vec<Event>) {
        let output = response.get("output");
        for (i, item) in output.iter().flat_map(Node::items).enumerate() {
            let id = item.get("id").filter(|_| self.by_id);
            let place = id.and_then(|id| id.text()).map(|id| id.into_owned());
            self.item_done(&place.unwrap_or_else(|| i.to_string()), item, out);
        }
        self.lanes.flush(out);
        out.extend(reply::usage(response, self.host).map(Event::Usage));
        out.push(Event::Stop {
            choice: 0,
            stop: reply::stop(response, self.called, self.refused),
        });
        out.push(Event::End);
        self.over = true;
    }

    fn fail(&mut self, holder: Node<'_>, out: &mut Vec<Event>) {
        let response = holder.get("response");
        self.start(response, out);
        self.lanes.flush(out);
        let usage = response.and_then(|r| reply::usage(r, self.host));
        out.extend(usage.map(Event::Usage));
        let error = read_error(response.unwrap_or(holder).raw().as_bytes());
        // A flat event's own type says only that it is an error.
        let kind = error.kind_name.filter(|k| k != "error");
        out.push(Event::Error(StreamError {
            message: error.message,
            kind_name: kind,
            code: error.code.filter(|c| c != "null"),
        }));
        self.over = true;
    }
}

fn reasoning(summary: bool, event: Node<'_>) -> Opening {
    let id = event.get("item_id").or_else(|| event.get("id"));
    Opening::Reasoning {
        summary,
        id: id.and_then(|i| i.text()).map(|i| i.into_owned()),
    }
}

impl Decoder for ResponsesDecoder {
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let Ok(root) = json::parse(data) else { return };
        if self.over {
            return;
        }
        let kind = root.get("type").and_then(|t| t.text()).unwrap_or_default();
        let response = root.get("response");
        match &*kind {
            "error" | "response.failed" | "response.cancelled" => return self.fail(root, out),
            "" if root.get("error").is_some_and(|e| !e.is_null()) => return self.fail(root, out),
            "" => return,
            _ => self.start(response, out),
        }
        match (&*kind, response) {
            ("response.completed" | "response.incomplete", Some(response)) => {
                self.end(response, out);
            }
            _ => self.dispatch(&kind, root, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.over {
            self.lanes.flush(out);
            self.over = true;
        }
    }
}
