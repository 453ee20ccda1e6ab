//! Writes a message as a stream of events.
//!
//! `message_start`; for each block `content_block_start`, a `ping` after the first one, one
//! `content_block_delta` a token, `content_block_stop`; `message_delta` with the final usage; `message_stop`.

use serde::Serialize;
use serde_json::Value;

use super::Usage;
use super::whole::{Block, Message};
use crate::sandbox::ask::Ask;
use crate::sandbox::dialect::{Frame, Ids};
use crate::sandbox::reply::{Content, Counts, Reply};
use crate::sandbox::text;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block<'a>,
    },
    Ping,
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Stop<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta<'a> {
    TextDelta { text: &'a str },
    InputJsonDelta { partial_json: &'a str },
}

#[derive(Serialize)]
struct Stop<'a> {
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
}

impl Event<'_> {
    fn frame(&self) -> Frame {
        let (name, token) = match self {
            Event::MessageStart { .. } => ("message_start", false),
            Event::ContentBlockStart { .. } => ("content_block_start", false),
            Event::Ping => ("ping", false),
            Event::ContentBlockDelta { .. } => ("content_block_delta", true),
            Event::ContentBlockStop { .. } => ("content_block_stop", false),
            Event::MessageDelta { .. } => ("message_delta", false),
            Event::MessageStop => ("message_stop", false),
        };
        Frame {
            bytes: super::event(name, self),
            token,
        }
    }
}

pub(super) fn events(reply: &Reply, ids: &Ids<'_>, _: &Ask) -> Vec<Frame> {
    let mut frames = vec![start(reply, ids).frame()];
    let Some(spoken) = reply.choices.first() else {
        return frames;
    };
    match &spoken.content {
        Content::Text(text) => {
            let deltas = text::tokens(text).map(|text| Delta::TextDelta { text });
            block(&mut frames, 0, Block::Text { text: "" }, deltas);
        }
        Content::Calls(calls) => {
            for (i, call) in calls.iter().enumerate() {
                let input = Value::Object(Default::default());
                let head = Block::ToolUse {
                    id: super::call_id(ids, i),
                    name: &call.name,
                    input,
                };
                block(
                    &mut frames,
                    i,
                    head,
                    text::tokens(&call.arguments)
                        .map(|partial_json| Delta::InputJsonDelta { partial_json }),
                );
            }
        }
    }
    let (stop_reason, stop_sequence) = super::stop(&spoken.finish);
    let usage = super::usage(reply.counts, reply.report);
    frames.push(
        Event::MessageDelta {
            delta: Stop {
                stop_reason,
                stop_sequence,
            },
            usage,
        }
        .frame(),
    );
    frames.push(Event::MessageStop.frame());
    frames
}

/// The message without content; its usage has the input, and one output token, as the real one has.
fn start<'a>(reply: &Reply, ids: &Ids<'a>) -> Event<'a> {
    let counts = Counts {
        output: reply.counts.output.min(1),
        reasoning: 0,
        ..reply.counts
    };
    let message = Message {
        id: super::message_id(ids),
        r#type: "message",
        role: "assistant",
        model: ids.model,
        content: Vec::new(),
        stop_reason: None,
        stop_sequence: None,
        usage: super::usage(counts, reply.report),
    };
    Event::MessageStart { message }
}

fn block<'a>(
    frames: &mut Vec<Frame>,
    index: usize,
    head: Block<'a>,
    deltas: impl Iterator<Item = Delta<'a>>,
) {
    frames.push(
        Event::ContentBlockStart {
            index,
            content_block: head,
        }
        .frame(),
    );
    if index == 0 {
        frames.push(Event::Ping.frame());
    }
    frames.extend(deltas.map(|delta| Event::ContentBlockDelta { index, delta }.frame()));
    frames.push(Event::ContentBlockStop { index }.frame());
}
