//! The Responses API as it goes by: what an answer, whole or streamed, says of itself.
//!
//! The type of an event stands in its JSON: event lines are absent at some hosts and late at others. Numbers stand in
//! the response object, which a stream repeats in full at its end. It must not know any item's meaning beyond
//! "this shows".

use lintel_types::{FailureClass, Meter};

use super::{failure, usage};
use crate::hosts::Host;
use crate::json::{self, Node};
use crate::provider::{EventFacts, ReplyFacts, StreamMeter, read_error};
use crate::resources;
use crate::surface::OPENAI_RESPONSES;

/// Reads a whole answer.
pub(super) fn reply(host: &Host, body: &[u8]) -> ReplyFacts {
    let mut facts = ReplyFacts::default();
    let Ok(root) = json::parse(body) else {
        facts.malformed = true;
        return facts;
    };
    look_at_response(host, root, &mut facts);
    facts.keep_made(resources::made(OPENAI_RESPONSES, root));
    facts.content_bytes = root
        .get("output")
        .iter()
        .flat_map(Node::items)
        .map(item_bytes)
        .sum();
    if facts.error.is_none() && root.get("output").is_none() {
        // A proxy's own error in a 200 is no response object at all.
        facts.malformed = true;
    }
    facts
}

/// Reads an answer about a stored response: the response, its input items, or that it is gone.
pub(super) fn about_one(host: &Host, body: &[u8]) -> ReplyFacts {
    let mut facts = ReplyFacts::default();
    match json::parse(body) {
        Ok(root) => look_at_response(host, root, &mut facts),
        Err(_) => facts.malformed = true,
    }
    // How a response ended that was made long ago is no failure of this call.
    facts.error = None;
    facts
}

/// Watches a stream of Responses events.
pub(super) struct ResponsesMeter {
    host: &'static Host,
    facts: ReplyFacts,
    /// Bytes in deltas since an item began.
    of_item: u64,
}

impl ResponsesMeter {
    pub(super) fn new(host: &'static Host) -> Self {
        Self {
            host,
            facts: ReplyFacts::default(),
            of_item: 0,
        }
    }

    /// Bytes that an event shows for the first time. Some items come without deltas, whole at their end.
    fn content(&mut self, kind: &str, root: Node<'_>) -> u64 {
        let bytes = match kind {
            "response.output_item.added" => {
                self.of_item = 0;
                0
            }
            "response.output_item.done" if self.of_item == 0 => {
                root.get("item").map_or(0, item_bytes)
            }
            _ => delta_bytes(kind, root),
        };
        self.of_item += bytes;
        self.facts.content_bytes += bytes;
        bytes
    }
}

impl StreamMeter for ResponsesMeter {
    fn event(&mut self, data: &[u8]) -> EventFacts {
        let mut seen = EventFacts::default();
        if data == b"[DONE]" {
            seen.terminal = true;
            return seen;
        }
        let Ok(root) = json::parse(data) else {
            self.facts.malformed = true;
            // Its numbers can't be read, but the stream did not break off.
            seen.terminal = data.starts_with(br#"{"type":"response.completed""#);
            return seen;
        };
        let had_error = self.facts.error.is_some();
        let kind = root.get("type").and_then(|t| t.text()).unwrap_or_default();
        if let Some(response) = root.get("response") {
            self.facts
                .keep_made(resources::made(OPENAI_RESPONSES, root));
            look_at_response(self.host, response, &mut self.facts);
        }
        match &*kind {
            // A cancelled answer is one that was in the background.
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled" => seen.terminal = true,
            "error" => self.facts.error = Some(class_of(root)),
            // Without a type: an error in the form of other surfaces.
            "" if root.get("error").is_some_and(|e| !e.is_null()) => {
                self.facts.error = Some(class_of(root));
            }
            _ => seen.content = self.content(&kind, root) > 0,
        }
        seen.error = self.facts.error.is_some() && !had_error;
        seen
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

/// Bytes of one delta, whatever it is of, or of a part of an image.
fn delta_bytes(kind: &str, root: Node<'_>) -> u64 {
    if kind.ends_with(".partial_image") {
        text_bytes(root.get("partial_image_b64"))
    } else if kind.ends_with(".delta") {
        text_bytes(root.get("delta"))
    } else {
        0
    }
}

fn text_bytes(node: Option<Node<'_>>) -> u64 {
    match node {
        Some(n) if n.kind() == json::Kind::String => n.raw().len().saturating_sub(2) as u64,
        Some(n) if n.kind() == json::Kind::Object => super::content_bytes(n),
        _ => 0,
    }
}

/// Bytes that the model made in one item: texts, reasoning, arguments. What tools brought in isn't counted.
fn item_bytes(item: Node<'_>) -> u64 {
    let list = |key: &str| -> u64 {
        let parts = item.get(key);
        let each = parts.iter().flat_map(Node::items);
        each.map(|p| text_bytes(p.get("text")) + text_bytes(p.get("refusal")))
            .sum()
    };
    let one = |key: &str| text_bytes(item.get(key));
    let kind = item.get("type").and_then(|t| t.text()).unwrap_or_default();
    match &*kind {
        "message" => list("content"),
        "reasoning" => list("content") + list("summary"),
        "image_generation_call" => one("result"),
        "apply_patch_call" => text_bytes(item.get("operation")),
        "shell_call" | "local_shell_call" | "computer_call" => text_bytes(item.get("action")),
        _ => one("arguments") + one("input") + one("code"),
    }
}

/// Reads a response object: how it stands, its usage, its error.
fn look_at_response(host: &Host, response: Node<'_>, facts: &mut ReplyFacts) {
    for (key, value) in response.members() {
        match &*key {
            "status" => {
                let status = value.text().filter(|s| ended(s));
                let word = reason(response).or(status.map(|s| s.into_owned()));
                facts.finish_reason = word.or(facts.finish_reason.take());
            }
            "usage" if value.kind() == json::Kind::Object => {
                let read = usage::read(value, host.hidden_reasoning);
                let raw = value.raw().to_owned();
                match read {
                    Some(mut usage) => {
                        if usage.get(Meter::WebSearch) == 0 {
                            usage.add(Meter::WebSearch, usage::searches(response));
                        }
                        facts.usage = Some(usage);
                        facts.raw_usage = Some(raw);
                    }
                    None => {
                        facts.raw_usage.get_or_insert(raw);
                    }
                }
            }
            "error" if !value.is_null() => facts.error = Some(class_of(response)),
            _ => {}
        }
    }
}

/// A status that an answer keeps. Answers in the background are `queued` and `in_progress` first.
fn ended(status: &str) -> bool {
    !matches!(status, "queued" | "in_progress" | "")
}

/// Why the answer is incomplete.
fn reason(response: Node<'_>) -> Option<String> {
    let reason = response.at(&["incomplete_details", "reason"])?.text()?;
    (!reason.is_empty()).then(|| reason.into_owned())
}

/// The class of an error inside a 200. Its code is a word and no status, so the word decides.
fn class_of(holder: Node<'_>) -> FailureClass {
    let error = read_error(holder.raw().as_bytes());
    let status = match error.code_text() {
        "rate_limit_exceeded" | "insufficient_quota" => 429,
        "invalid_prompt" | "invalid_request_error" | "model_not_found" => 400,
        code if code.contains("image") => 400,
        "server_is_overloaded" | "slow_down" | "vector_store_timeout" => 503,
        _ => 200,
    };
    failure::class(status, &error)
}

#[cfg(test)]
mod tests;
