//! The Anthropic protocol.

use http::HeaderValue;
use lintel_types::{FailureClass, Protocol, Surface};

use super::{Call, EventFacts, ProviderError, ProviderSpec, ReplyFacts, StreamMeter};
use crate::hosts::{Host, anthropic_compatible};
use crate::json::{self, Node};
use crate::resources;
use crate::surface::ANTHROPIC_MESSAGES;

mod failure;
mod usage;

pub(crate) use usage::Counts;

/// The protocol's name.
pub const ANTHROPIC: Protocol = Protocol::new("anthropic");

/// What is assumed of a compatible host that is no row.
static GENERIC: Host = anthropic_compatible("anthropic-compatible", "", &[]);

/// The API version that is sent when the client named none.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The protocol.
pub(super) struct Anthropic;

impl ProviderSpec for Anthropic {
    fn protocol(&self) -> Protocol {
        ANTHROPIC
    }

    fn generic_host(&self) -> &'static Host {
        &GENERIC
    }

    fn request_headers(&self) -> &'static [&'static str] {
        &["anthropic-version", "anthropic-beta"]
    }

    fn default_headers(&self) -> &'static [(&'static str, HeaderValue)] {
        static DEFAULTS: [(&str, HeaderValue); 1] = [("anthropic-version", VERSION)];
        &DEFAULTS
    }

    fn endpoint(&self, surface: Surface) -> Option<&'static str> {
        (surface == ANTHROPIC_MESSAGES).then_some("/v1/messages")
    }

    fn conversation(&self) -> Surface {
        ANTHROPIC_MESSAGES
    }

    /// Base URLs are written with and without `/v1`.
    fn path(&self, call: &Call<'_>) -> String {
        let prefix = call.prefix.strip_suffix("/v1").unwrap_or(call.prefix);
        let path = self.endpoint(call.surface).unwrap_or_default();
        format!("{prefix}{path}{}", call.query_text())
    }

    fn reply(&self, _host: &'static Host, _surface: Surface, body: &[u8]) -> ReplyFacts {
        let mut meter = MessageMeter::default();
        match json::parse(body) {
            Ok(root) if is_type(root, "error") => meter.error(root),
            Ok(root) => {
                meter.message(root);
                meter.made(root);
                meter.facts.malformed = root.get("content").is_none();
            }
            Err(_) => meter.facts.malformed = true,
        }
        meter.facts
    }

    fn meter(&self, _host: &'static Host, _surface: Surface) -> Box<dyn StreamMeter> {
        Box::<MessageMeter>::default()
    }

    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass {
        failure::class(status, error)
    }
}

fn is_type(root: Node<'_>, name: &str) -> bool {
    root.get("type").and_then(|t| t.text()).as_deref() == Some(name)
}

/// Watches a stream of message events.
#[derive(Default)]
struct MessageMeter {
    facts: ReplyFacts,
    counts: usage::Counts,
}

impl StreamMeter for MessageMeter {
    fn event(&mut self, data: &[u8]) -> EventFacts {
        let mut seen = EventFacts::default();
        let Ok(root) = json::parse(data) else {
            self.facts.malformed = true;
            return seen;
        };
        // The type comes from the JSON, never from the event line: some hosts misplace that line.
        match root.get("type").and_then(|t| t.text()).as_deref() {
            Some("message_start") => {
                self.made(root);
                let message = root.get("message");
                message.into_iter().for_each(|m| self.message(m));
            }
            Some("content_block_start") => {
                self.made(root);
                let before = self.facts.content_bytes;
                root.get("content_block")
                    .into_iter()
                    .for_each(|b| self.content(b));
                // A block that starts with its content, or one whose mere start shows: a tool call.
                seen.content = self.facts.content_bytes > before;
            }
            Some("content_block_delta") => {
                seen.content = true;
                root.get("delta").into_iter().for_each(|d| self.content(d));
            }
            Some("message_delta") => {
                self.made(root);
                root.get("usage").into_iter().for_each(|u| self.usage(u));
                root.at(&["delta", "stop_reason"])
                    .into_iter()
                    .for_each(|r| self.stop(r));
            }
            Some("message_stop") => seen.terminal = true,
            Some("error") => {
                seen.error = true;
                self.error(root);
            }
            // ping, content_block_stop and whatever comes next.
            _ => {}
        }
        seen
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

impl MessageMeter {
    fn message(&mut self, message: Node<'_>) {
        message.get("usage").into_iter().for_each(|u| self.usage(u));
        message
            .get("stop_reason")
            .into_iter()
            .for_each(|r| self.stop(r));
        message
            .get("content")
            .iter()
            .flat_map(Node::items)
            .for_each(|b| self.content(b));
    }

    /// Containers and files that the answer made.
    fn made(&mut self, root: Node<'_>) {
        self.facts
            .keep_made(resources::made(ANTHROPIC_MESSAGES, root));
    }

    fn usage(&mut self, node: Node<'_>) {
        if node.kind() == json::Kind::Object {
            self.counts.update(node);
            self.facts.usage = self.counts.usage();
            self.facts.raw_usage = Some(node.raw().to_owned());
        }
    }

    fn stop(&mut self, reason: Node<'_>) {
        if let Some(text) = reason.text() {
            self.facts.finish_reason = Some(text.into_owned());
        }
    }

    fn content(&mut self, node: Node<'_>) {
        for (key, value) in node.members() {
            match &*key {
                "text" | "thinking" | "partial_json" => {
                    self.facts.content_bytes += value.raw().len().saturating_sub(2) as u64;
                }
                "input" | "content" | "data" | "citation" => {
                    self.facts.content_bytes += value.raw().len().saturating_sub(2) as u64;
                }
                _ => {}
            }
        }
    }

    fn error(&mut self, root: Node<'_>) {
        self.facts.error = Some(failure::class(
            200,
            &super::read_error(root.raw().as_bytes()),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::generic;

    fn run(events: &[&str]) -> (Vec<EventFacts>, ReplyFacts) {
        let mut meter = Anthropic.meter(generic(ANTHROPIC), ANTHROPIC_MESSAGES);
        let facts = events.iter().map(|e| meter.event(e.as_bytes())).collect();
        (facts, meter.facts().clone())
    }

    #[test]
    fn the_last_usage_overrides_field_by_field() {
        let (events, facts) = run(&[
            r#"{"type":"message_start","message":{"content":[],"usage":{"input_tokens":1051,"cache_read_input_tokens":7,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}"#,
            r#"{"type":"novel_event","x":1}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":4727,"output_tokens":9}}"#,
            r#"{"type":"message_stop"}"#,
        ]);
        let content: Vec<_> = events.iter().map(|e| e.content).collect();
        assert_eq!(content, [false, false, false, true, false, false, false]);
        assert!(events.last().unwrap().terminal);
        let usage = facts.usage.unwrap();
        assert_eq!((usage.input_tokens(), usage.output_tokens()), (4734, 9));
        assert_eq!(facts.finish_reason.as_deref(), Some("end_turn"));
    }

    #[test]
    fn an_error_event_is_seen() {
        let (events, facts) = run(&[
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        ]);
        assert!(events[0].error);
        assert_eq!(facts.error, Some(FailureClass::Overloaded));
    }
}
