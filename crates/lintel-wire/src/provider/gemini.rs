//! The Gemini protocol: Google's own, at the Gemini API and at Vertex AI.
//! <https://ai.google.dev/api/generate-content>
//!
//! Model and verb stand in the path. A stream has no last event: it is whole when its body ends after a chunk
//! that says why the model stopped.

use lintel_types::{FailureClass, Protocol, Surface};

use super::{Call, EventFacts, ProviderError, ProviderSpec, ReplyFacts, StreamMeter};
use crate::hosts::{Auth, Host, openai_compatible};
use crate::json::{self, Node};
use crate::percent;
use crate::surface::GEMINI_GENERATE;

mod failure;
pub(crate) mod usage;

/// The protocol's name.
pub const GEMINI: Protocol = Protocol::new("gemini");

/// What is assumed of a host that is no row.
static GENERIC: Host = gemini_compatible("gemini-compatible", "", &[]);

/// A row of a host that speaks Google's protocol.
pub(crate) const fn gemini_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        protocol: GEMINI,
        auth: Auth::XGoogApiKey,
        usage_unasked: true,
        ..openai_compatible(name, base_url, hostnames)
    }
}

/// The protocol.
pub(super) struct Gemini;

impl ProviderSpec for Gemini {
    fn protocol(&self) -> Protocol {
        GEMINI
    }

    fn generic_host(&self) -> &'static Host {
        &GENERIC
    }

    fn request_headers(&self) -> &'static [&'static str] {
        &["x-goog-api-client"]
    }

    fn endpoint(&self, surface: Surface) -> Option<&'static str> {
        (surface == GEMINI_GENERATE).then_some("/models/{model}:generateContent")
    }

    fn conversation(&self) -> Surface {
        GEMINI_GENERATE
    }

    /// Without it a stream is one JSON array.
    fn translated_query(&self, stream: bool) -> &'static str {
        if stream { "alt=sse" } else { "" }
    }

    fn path(&self, call: &Call<'_>) -> String {
        path(call, collection(call.model))
    }

    /// A stream that wasn't asked for as server-sent events is an array of its chunks.
    fn reply(&self, _host: &'static Host, _surface: Surface, body: &[u8]) -> ReplyFacts {
        let mut facts = ReplyFacts::default();
        match json::parse(body) {
            Ok(root) if root.kind() == json::Kind::Array => {
                let chunks = root.items().map(|chunk| look(chunk, &mut facts));
                facts.malformed = chunks.filter(|promised| *promised).count() == 0;
            }
            Ok(root) => facts.malformed = !look(root, &mut facts),
            Err(_) => facts.malformed = true,
        }
        facts
    }

    fn meter(&self, _host: &'static Host, _surface: Surface) -> Box<dyn StreamMeter> {
        Box::<ChunkMeter>::default()
    }

    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass {
        failure::class(status, error)
    }
}

/// The path of a call whose model stands below `collection`.
pub(super) fn path(call: &Call<'_>, collection: &str) -> String {
    let mut path = String::with_capacity(96);
    path.push_str(call.prefix);
    path.push_str(collection);
    percent::encode(call.model, &mut path);
    path.push_str(if call.stream {
        ":streamGenerateContent"
    } else {
        ":generateContent"
    });
    // Other values of `alt` ask for forms that can't be metered, such as protobuf.
    if call.query.split('&').any(|member| member == "alt=sse") {
        path.push_str("?alt=sse");
    }
    path
}

/// Where the model's name belongs: names that say it themselves, such as `tunedModels/x`, stay as they are.
fn collection(model: &str) -> &'static str {
    if model.starts_with("models/") || model.starts_with("tunedModels/") {
        "/"
    } else {
        "/models/"
    }
}

/// Watches a stream of chunks.
#[derive(Default)]
struct ChunkMeter {
    facts: ReplyFacts,
}

impl StreamMeter for ChunkMeter {
    fn event(&mut self, data: &[u8]) -> EventFacts {
        let Ok(root) = json::parse(data) else {
            self.facts.malformed = true;
            return EventFacts::default();
        };
        let bytes_before = self.facts.content_bytes;
        let error_before = self.facts.error.is_some();
        look(root, &mut self.facts);
        EventFacts {
            content: self.facts.content_bytes > bytes_before,
            // Any chunk may be followed by another: only the end of the body is the end.
            terminal: false,
            usage_only: false,
            error: self.facts.error.is_some() && !error_before,
        }
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

/// Reads one chunk or one whole answer into `facts`. False when it is nothing that the protocol promises: an
/// answer without candidates is promised, a blocked prompt has none.
fn look(root: Node<'_>, facts: &mut ReplyFacts) -> bool {
    let mut promised = false;
    for (key, value) in root.members() {
        match &*key {
            "candidates" => value.items().for_each(|c| look_at_candidate(c, facts)),
            "promptFeedback" => {
                let blocked = value.get("blockReason").and_then(|r| r.text());
                if let Some(reason) = blocked {
                    facts.finish_reason = Some(reason.into_owned());
                }
            }
            "usageMetadata" => look_at_usage(value, facts),
            "error" if !value.is_null() => {
                let error = super::read_error(root.raw().as_bytes());
                facts.error = Some(failure::class(200, &error));
            }
            _ => continue,
        }
        promised = true;
    }
    promised
}

/// Every chunk says what has been used so far; with server-side tools the numbers may fall again. The last that can
/// be read count: Vertex AI says nothing but `trafficType` until its last chunk.
fn look_at_usage(node: Node<'_>, facts: &mut ReplyFacts) {
    match usage::read(node) {
        Some(usage) => {
            facts.usage = Some(usage);
            facts.raw_usage = Some(node.raw().to_owned());
        }
        None => {
            facts.raw_usage.get_or_insert_with(|| node.raw().to_owned());
        }
    }
}

fn look_at_candidate(candidate: Node<'_>, facts: &mut ReplyFacts) {
    if let Some(reason) = candidate.get("finishReason").and_then(|r| r.text()) {
        facts.finish_reason = Some(reason.into_owned());
    }
    let parts = candidate.at(&["content", "parts"]);
    for part in parts.iter().flat_map(Node::items) {
        for (key, value) in part.members() {
            if !matches!(&*key, "thought" | "thoughtSignature") {
                facts.content_bytes += content_bytes(value);
            }
        }
    }
}

/// Bytes of what a part holds: a text without its quotes, anything else as written.
fn content_bytes(node: Node<'_>) -> u64 {
    match node.kind() {
        json::Kind::String => node.raw().len().saturating_sub(2) as u64,
        json::Kind::Object => node.raw().len() as u64,
        _ => 0,
    }
}

#[cfg(test)]
pub(crate) mod tests;
