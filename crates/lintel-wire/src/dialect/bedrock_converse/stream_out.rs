//! Canonical events to a client's stream of AWS frames.
//!
//! Order, as SDKs demand it: `messageStart`, then for each block its start (tools and images alone), deltas and
//! stop, then `messageStop`, then `metadata`. One choice is written: the dialect knows no more.

use lintel_types::canon::{Delta, Event, Opening, Part, PartKind, Seal, StreamError};
use lintel_types::{Kind, Usage};

use super::block::REDACTED;
use super::{citation, media, stop, usage};
use crate::aws_events;
use crate::dialect::Encoder;
use crate::json::write::{self, Object};
use crate::provider::BEDROCK;
use crate::surface::{BEDROCK_CONVERSE, ErrorBody, spec};

/// Writes one stream.
#[derive(Default)]
pub(super) struct Writer {
    open: Option<Open>,
    /// The index of the next block.
    next: u64,
    calls: bool,
    usage: Option<Usage>,
    /// The stream has ended: nothing comes after it.
    over: bool,
}

/// The block that is open.
#[derive(Clone, Copy)]
struct Open {
    kind: OpenKind,
    /// Something of it has been written.
    shown: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenKind {
    Text,
    Reasoning,
    Call,
    /// Nothing that is written.
    Silent,
}

fn frame(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
    let mut payload = String::with_capacity(96);
    write::object(&mut payload, fill);
    out.extend_from_slice(&aws_events::event(name, payload.as_bytes()));
}

impl Writer {
    fn start(&mut self, part: &Opening, out: &mut Vec<u8>) {
        let mut open = Open {
            kind: OpenKind::Silent,
            shown: false,
        };
        match part {
            Opening::Text | Opening::Refusal => open.kind = OpenKind::Text,
            Opening::Reasoning { .. } => open.kind = OpenKind::Reasoning,
            Opening::ToolCall { id, name, .. } => {
                open.kind = OpenKind::Call;
                self.calls = true;
                self.block_start(out, |o| {
                    o.object("toolUse", |o| {
                        o.str("toolUseId", id).str("name", name);
                    });
                });
            }
            Opening::Whole(part) => self.whole(part, out),
        }
        self.open = Some(open);
    }

    fn block_start(&self, out: &mut Vec<u8>, start: impl FnOnce(&mut Object<'_>)) {
        frame(out, "contentBlockStart", |o| {
            o.object("start", start).int("contentBlockIndex", self.next);
        });
    }

    fn block_delta(&self, out: &mut Vec<u8>, delta: impl FnOnce(&mut Object<'_>)) {
        frame(out, "contentBlockDelta", |o| {
            o.object("delta", delta).int("contentBlockIndex", self.next);
        });
    }

    fn block_stop(&mut self, out: &mut Vec<u8>) {
        frame(out, "contentBlockStop", |o| {
            o.int("contentBlockIndex", self.next);
        });
        self.next += 1;
    }

    /// An image is all that comes whole and has a word in streams.
    fn whole(&mut self, part: &Part, out: &mut Vec<u8>) {
        let PartKind::Image { source, .. } = &part.kind else {
            return;
        };
        let Some(placed) = media::IMAGES.place(source) else {
            return;
        };
        self.block_start(out, |o| {
            o.object("image", |o| placed.write_format(o));
        });
        self.block_delta(out, |o| {
            o.object("image", |o| placed.write_source(o));
        });
        self.block_stop(out);
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let Some(open) = self.open else { return };
        let shown = match (open.kind, delta) {
            (OpenKind::Text, Delta::Text(text)) => {
                self.block_delta(out, |o| {
                    o.str("text", text);
                });
                true
            }
            (OpenKind::Text, Delta::Citation(cited)) => {
                let cited = citation::json(cited);
                self.block_delta(out, |o| {
                    o.raw("citation", &cited);
                });
                true
            }
            (OpenKind::Reasoning, Delta::Text(text)) => {
                self.block_delta(out, |o| {
                    o.object("reasoningContent", |o| {
                        o.str("text", text);
                    });
                });
                true
            }
            (OpenKind::Reasoning, Delta::Seal(seal)) => self.seal(seal, out),
            (OpenKind::Call, Delta::Text(text)) if !text.is_empty() => {
                self.block_delta(out, |o| {
                    o.object("toolUse", |o| {
                        o.str("input", text);
                    });
                });
                true
            }
            _ => false,
        };
        if let Some(open) = &mut self.open {
            open.shown |= shown;
        }
    }

    fn seal(&self, seal: &Seal, out: &mut Vec<u8>) -> bool {
        if seal.protocol != BEDROCK {
            return false;
        }
        self.block_delta(out, |o| {
            o.object("reasoningContent", |o| {
                match seal.data.strip_prefix(REDACTED) {
                    Some(data) => o.str("redactedContent", data),
                    None => o.str("signature", &seal.data),
                };
            });
        });
        true
    }

    fn part_end(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        if open.kind == OpenKind::Call && !open.shown {
            // A call without arguments: clients parse what they have gathered.
            self.block_delta(out, |o| {
                o.object("toolUse", |o| {
                    o.str("input", "{}");
                });
            });
        }
        if open.shown || open.kind == OpenKind::Call {
            self.block_stop(out);
        }
    }

    fn failed(&mut self, error: &StreamError, out: &mut Vec<u8>) {
        let name = error.kind_name.as_deref().unwrap_or_default();
        let kind = match name.to_ascii_lowercase() {
            n if n.contains("overloaded") || n.contains("unavailable") => Kind::Overloaded,
            n if n.contains("rate_limit") || n.contains("throttling") => Kind::RateLimited,
            n if n.contains("invalid_request") || n.contains("validation") => Kind::InvalidRequest,
            n if n.contains("internalserver") => Kind::Internal,
            _ => Kind::Upstream,
        };
        let body = ErrorBody {
            message: error.message.as_str().into(),
            kind_name: None,
            kind,
            status: None,
            code: None,
            param: None,
            request_id: None,
        };
        self.error(&body, out);
    }
}

impl Encoder for Writer {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { .. } => frame(out, "messageStart", |o| {
                o.str("role", "assistant");
            }),
            Event::PartStart { choice: 0, part } => self.start(part, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::PartEnd { choice: 0 } => self.part_end(out),
            Event::Stop { choice: 0, stop } => frame(out, "messageStop", |o| {
                o.str("stopReason", stop::word(Some(stop), self.calls));
            }),
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Error(error) => self.failed(error, out),
            Event::End => {
                self.over = true;
                frame(out, "metadata", |o| usage::write(o, self.usage.as_ref()));
            }
            // Further choices have no place.
            _ => {}
        }
    }

    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.over, true) {
            out.extend_from_slice(&spec(BEDROCK_CONVERSE).stream_error(error));
        }
    }
}
