//! Amazon Bedrock's protocol: its Converse operations.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! The model stands in the path, and the path says whether a stream is wanted. Requests are signed elsewhere
//! ([`crate::sigv4`]) or carry a Bedrock API key as a bearer token.

use http::HeaderMap;
use lintel_types::{FailureClass, Protocol, Surface};

use super::{Call, EventFacts, ProviderError, ProviderSpec, ReplyFacts, StreamMeter, read_error};
use crate::framing::FramingKind;
use crate::hosts::{Host, bedrock_compatible};
use crate::json::{self, Node};
use crate::percent;
use crate::surface::BEDROCK_CONVERSE;

mod failure;
pub(crate) mod usage;

/// The protocol's name.
pub const BEDROCK: Protocol = Protocol::new("bedrock");

/// What is assumed of a compatible host that is no row.
static GENERIC: Host = bedrock_compatible("bedrock-compatible", "", &[]);

/// The protocol.
pub(super) struct Bedrock;

impl ProviderSpec for Bedrock {
    fn protocol(&self) -> Protocol {
        BEDROCK
    }

    fn generic_host(&self) -> &'static Host {
        &GENERIC
    }

    fn request_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn endpoint(&self, surface: Surface) -> Option<&'static str> {
        (surface == BEDROCK_CONVERSE).then_some("/model/{modelId}/converse")
    }

    fn conversation(&self) -> Surface {
        BEDROCK_CONVERSE
    }

    fn path(&self, call: &Call<'_>) -> String {
        let operation = if call.stream {
            "converse-stream"
        } else {
            "converse"
        };
        let model = percent::segment(call.model);
        format!("{}/model/{model}/{operation}", call.prefix)
    }

    fn framing(&self, _surface: Surface) -> FramingKind {
        FramingKind::AwsEvents
    }

    /// AWS names an error in a header, or in the body's `__type`.
    fn error(&self, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        let mut error = read_error(body);
        let header = headers
            .get("x-amzn-errortype")
            .and_then(|v| v.to_str().ok());
        let named = header.map(str::to_owned).or_else(|| {
            let root = json::parse(body).ok()?;
            root.get("__type")?.text().map(|t| t.into_owned())
        });
        if let Some(named) = named {
            error.kind_name = Some(failure::bare(&named).to_owned());
        }
        error
    }

    fn reply(&self, _host: &'static Host, _surface: Surface, body: &[u8]) -> ReplyFacts {
        let mut meter = ConverseMeter::default();
        let Ok(root) = json::parse(body) else {
            meter.facts.malformed = true;
            return meter.facts;
        };
        let content = root.at(&["output", "message", "content"]);
        content.iter().flat_map(Node::items).for_each(|block| {
            meter.block(block);
        });
        meter.stop(root);
        meter.usage(root);
        meter.facts.malformed = root.get("output").is_none();
        meter.facts
    }

    fn meter(&self, _host: &'static Host, _surface: Surface) -> Box<dyn StreamMeter> {
        Box::<ConverseMeter>::default()
    }

    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass {
        failure::class(status, error)
    }
}

/// Watches a stream of Converse events, each of them `{"<event-type>":{…}}`.
#[derive(Default)]
struct ConverseMeter {
    facts: ReplyFacts,
    /// The last events: why it stopped, and what was used. Either may come first.
    stopped: bool,
    reported: bool,
}

impl StreamMeter for ConverseMeter {
    fn event(&mut self, data: &[u8]) -> EventFacts {
        let mut seen = EventFacts::default();
        let Ok(root) = json::parse(data) else {
            self.facts.malformed = true;
            return seen;
        };
        let Some((name, event)) = root.members().next() else {
            return seen;
        };
        match &*name {
            "contentBlockStart" => seen.content = self.grown(|m| m.start(event)),
            "contentBlockDelta" => {
                let delta = event.get("delta").unwrap_or(event);
                seen.content = self.grown(|m| m.block(delta));
            }
            "messageStop" => {
                self.stop(event);
                self.stopped = true;
                seen.terminal = self.reported;
            }
            "metadata" => {
                self.usage(event);
                self.reported = true;
                seen.terminal = self.stopped;
            }
            "exception" => {
                seen.error = true;
                self.facts.error = Some(failure::of_event(event));
            }
            // messageStart, contentBlockStop and whatever comes next.
            _ => {}
        }
        seen
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

impl ConverseMeter {
    fn grown(&mut self, look: impl FnOnce(&mut Self)) -> bool {
        let before = self.facts.content_bytes;
        look(self);
        self.facts.content_bytes > before
    }

    fn stop(&mut self, node: Node<'_>) {
        if let Some(reason) = node.get("stopReason").and_then(|r| r.text()) {
            self.facts.finish_reason = Some(reason.into_owned());
        }
    }

    fn usage(&mut self, node: Node<'_>) {
        let usage = node.get("usage");
        if let Some(usage) = usage.filter(|u| u.kind() == json::Kind::Object) {
            self.facts.usage = usage::read(usage);
            self.facts.raw_usage = Some(usage.raw().to_owned());
        }
    }

    /// A block that starts shows when it is a call: its name is content.
    fn start(&mut self, event: Node<'_>) {
        if let Some(name) = event.at(&["start", "toolUse", "name"]) {
            self.count(name);
        }
    }

    fn block(&mut self, block: Node<'_>) {
        for (key, value) in block.members() {
            match &*key {
                "text" => self.count(value),
                "toolUse" => value.get("input").into_iter().for_each(|i| self.count(i)),
                "reasoningContent" => {
                    let inner = value.get("reasoningText").unwrap_or(value);
                    for key in ["text", "redactedContent"] {
                        inner.get(key).into_iter().for_each(|t| self.count(t));
                    }
                }
                "citationsContent" => {
                    let content = value.get("content");
                    let pieces = content.iter().flat_map(Node::items);
                    pieces.for_each(|piece| self.block(piece));
                }
                "citation" | "toolResult" | "image" => self.count(value),
                _ => {}
            }
        }
    }

    fn count(&mut self, node: Node<'_>) {
        let quotes = 2 * usize::from(node.kind() == json::Kind::String);
        self.facts.content_bytes += node.raw().len().saturating_sub(quotes) as u64;
    }
}

#[cfg(test)]
mod tests;
