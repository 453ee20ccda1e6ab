//! The client's stream: one chunk for every canonical event that shows.
//!
//! What all chunks have in common is written once, when the answer begins: a stream is thousands of small writes.

use std::fmt::Write as _;

use lintel_types::Usage;
use lintel_types::canon::{Delta, Event, Opening, PartKind, Reasoning, StreamError};

use super::super::super::line;
use super::super::super::media::url_of;
use super::super::super::{Encoder, Way};
use super::super::{citation, stop, thought};
use super::{reply, usage};
use crate::json::write::{self, Object};
use crate::surface::{self, ErrorBody, OPENAI_CHAT};

/// Writes one stream.
pub(crate) struct Chunks {
    way: Way,
    /// Every chunk up to its choices.
    head: String,
    /// The chunk under way; kept for its capacity.
    line: String,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    over: bool,
}

/// What has been told of one choice.
struct Choice {
    index: u32,
    greeted: bool,
    /// Calls so far; the open one is the last.
    calls: u64,
    open: Open,
    /// Citations so far.
    cited: u64,
    /// Characters of text in parts that are closed, and in the open one.
    before: u64,
    length: u64,
}

/// The part that is open.
enum Open {
    Text,
    Refusal,
    Reasoning { summary: bool, id: Option<String> },
    Call { custom: bool },
    Whole,
}

impl Chunks {
    /// A writer for one stream to `way`'s client.
    pub(crate) fn new(way: &Way) -> Self {
        let mut chunks = Self {
            way: way.clone(),
            head: String::new(),
            line: String::with_capacity(512),
            choices: Vec::with_capacity(1),
            usage: None,
            over: false,
        };
        chunks.begin(None, None, None);
        chunks
    }

    fn begin(&mut self, id: Option<&str>, model: Option<&str>, created: Option<u64>) {
        let way = &self.way;
        self.head.clear();
        self.head.push_str("data: ");
        write::object(&mut self.head, |o| {
            match id {
                Some(id) => o.str("id", id),
                None => o.str("id", &reply::id_of(way)),
            };
            o.str("object", "chat.completion.chunk")
                .int("created", created.unwrap_or(way.now))
                .str("model", model.unwrap_or(&way.model));
        });
        // The object stays open: each chunk goes on from here.
        self.head.pop();
        self.head.push_str(r#","choices":["#);
    }

    /// Writes a chunk of one choice.
    fn chunk(
        &mut self,
        index: u32,
        finish: Option<&str>,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Object<'_>, &mut Choice),
    ) {
        let Self {
            head,
            line,
            choices,
            way,
            ..
        } = self;
        let choice = find(choices, index);
        line.clear();
        line.push_str(head);
        // Writing to a String can't fail.
        let _ = write!(line, r#"{{"index":{index},"delta":"#);
        write::object(line, |o| {
            if !std::mem::replace(&mut choice.greeted, true) {
                o.str("role", "assistant");
            }
            fill(o, choice);
        });
        line.push_str(r#","logprobs":null,"finish_reason":"#);
        match finish {
            Some(word) => write::string(line, word),
            None => line.push_str("null"),
        }
        line::one(line);
        // Whoever asked for usage is told in every chunk that it is still to come.
        line.push_str(if way.include_usage {
            "}],\"usage\":null}\n\n"
        } else {
            "}]}\n\n"
        });
        out.extend_from_slice(line.as_bytes());
    }

    fn open(&mut self, index: u32, part: &Opening, out: &mut Vec<u8>) {
        let choice = find(&mut self.choices, index);
        choice.before += std::mem::take(&mut choice.length);
        choice.open = match part {
            Opening::Text => Open::Text,
            Opening::Refusal => Open::Refusal,
            Opening::Reasoning { summary, id } => Open::Reasoning {
                summary: *summary,
                id: id.clone(),
            },
            Opening::ToolCall { custom, .. } => {
                choice.calls += 1;
                Open::Call { custom: *custom }
            }
            Opening::Whole(_) => Open::Whole,
        };
        match part {
            Opening::ToolCall { id, name, custom } => {
                self.chunk(index, None, out, |o, choice| {
                    call(o, choice, |o| {
                        o.str("id", id);
                        let (kind, words) = if *custom {
                            ("custom", "input")
                        } else {
                            ("function", "arguments")
                        };
                        o.str("type", kind).object(kind, |o| {
                            o.str("name", name).str(words, "");
                        });
                    });
                });
            }
            Opening::Whole(part) => self.whole(index, &part.kind, out),
            _ => {}
        }
    }

    /// What comes whole: an image or sound. Other dialects' own parts have no word here.
    fn whole(&mut self, index: u32, kind: &PartKind, out: &mut Vec<u8>) {
        match kind {
            PartKind::Image { source, .. } => {
                let Some(url) = url_of(source) else { return };
                self.chunk(index, None, out, |o, _| {
                    o.array("images", |a| {
                        a.object(|o| reply::image(o, &url));
                    });
                });
            }
            PartKind::Audio(lintel_types::canon::Source::Inline { data, .. }) => {
                let way = self.way.clone();
                self.chunk(index, None, out, |o, _| {
                    o.object("audio", |o| reply::sound(o, data, &way));
                });
            }
            _ => {}
        }
    }

    fn delta(&mut self, index: u32, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(text) => self.chunk(index, None, out, |o, choice| match &choice.open {
                Open::Text => {
                    choice.length += text.chars().count() as u64;
                    o.str("content", text);
                }
                Open::Refusal => {
                    o.str("refusal", text);
                }
                Open::Reasoning { .. } => {
                    o.str("reasoning_content", text);
                }
                Open::Call { custom: false } => call(o, choice, |o| {
                    o.object("function", |o| {
                        o.str("arguments", text);
                    });
                }),
                Open::Call { custom: true } => call(o, choice, |o| {
                    o.object("custom", |o| {
                        o.str("input", text);
                    });
                }),
                Open::Whole => {}
            }),
            Delta::Citation(cited) if cited.url.is_some() => {
                self.chunk(index, None, out, |o, choice| {
                    o.array("annotations", |a| {
                        a.object(|o| {
                            // Clients that put a stream together tell the items of a list apart by their index.
                            o.int("index", choice.cited);
                            citation::write(o, cited, choice.before, choice.length);
                        });
                    });
                    choice.cited += 1;
                });
            }
            Delta::Citation(_) => {}
            Delta::Seal(seal) => self.seal(index, seal, out),
        }
    }

    /// A seal of this dialect goes back to who made it; any other means nothing to this client.
    fn seal(&mut self, index: u32, seal: &lintel_types::canon::Seal, out: &mut Vec<u8>) {
        match &find(&mut self.choices, index).open {
            Open::Reasoning { summary, id } => {
                let reasoning = Reasoning {
                    summary: *summary,
                    id: id.clone(),
                    ..Reasoning::default()
                };
                let mut said = thought::Said::default();
                if said.seal(&reasoning, seal) {
                    self.chunk(index, None, out, |o, _| said.write_seals(o));
                }
            }
            Open::Call { .. } => {
                if let Some(extra) = thought::extra_of(seal) {
                    self.chunk(index, None, out, |o, choice| {
                        call(o, choice, |o| {
                            o.raw("extra_content", extra);
                        });
                    });
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.way.include_usage {
            let Self {
                head, line, usage, ..
            } = self;
            line.clear();
            line.push_str(head);
            line.push_str(r#"],"usage":"#);
            write::object(line, |o| usage::write(o, usage.as_ref()));
            line.push_str("}\n\n");
            out.extend_from_slice(line.as_bytes());
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.over = true;
    }

    fn failed(&mut self, error: &StreamError, out: &mut Vec<u8>) {
        self.error(&ErrorBody::inside(error), out);
    }
}

/// The choice `index`, which may be new.
fn find(choices: &mut Vec<Choice>, index: u32) -> &mut Choice {
    let at = choices.iter().position(|c| c.index == index);
    let at = at.unwrap_or_else(|| {
        choices.push(Choice {
            index,
            greeted: false,
            calls: 0,
            cited: 0,
            open: Open::Whole,
            before: 0,
            length: 0,
        });
        choices.len() - 1
    });
    #[allow(
        clippy::indexing_slicing,
        reason = "`at` was found in the list or is its last"
    )]
    &mut choices[at]
}

/// Writes the delta of the open call.
fn call(o: &mut Object<'_>, choice: &Choice, fill: impl FnOnce(&mut Object<'_>)) {
    o.array("tool_calls", |a| {
        a.object(|o| {
            o.int("index", choice.calls.saturating_sub(1));
            fill(o);
        });
    });
}

impl Encoder for Chunks {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                self.begin(id.as_deref(), model.as_deref(), *created);
                // As OpenAI begins: the role, and nothing said yet.
                self.chunk(0, None, out, |o, _| {
                    o.str("content", "").null("refusal");
                });
            }
            Event::PartStart { choice, part } => self.open(*choice, part, out),
            Event::Delta { choice, delta } => self.delta(*choice, delta, out),
            Event::PartEnd { .. } => {}
            Event::Stop { choice, stop } => {
                let calls = find(&mut self.choices, *choice).calls > 0;
                let word = stop::word(Some(stop), calls);
                self.chunk(*choice, Some(word), out, |_, _| {});
            }
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Error(error) => self.failed(error, out),
            Event::End => self.end(out),
        }
    }

    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.over, true) {
            out.extend_from_slice(&surface::spec(OPENAI_CHAT).stream_error(error));
        }
    }
}
