//! Writes a message as one JSON body.

use serde::Serialize;
use serde_json::Value;

use super::Usage;
use crate::sandbox::dialect::Ids;
use crate::sandbox::reply::{Content, Reply, Spoken};

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: String,
    pub(super) r#type: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'a str>,
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: String,
        name: &'a str,
        input: Value,
    },
}

pub(super) fn body(reply: &Reply, ids: &Ids<'_>) -> Vec<u8> {
    let spoken = reply.choices.first();
    let (stop_reason, stop_sequence) = spoken.map(|s| super::stop(&s.finish)).unzip();
    let message = Message {
        id: super::message_id(ids),
        r#type: "message",
        role: "assistant",
        model: ids.model,
        content: spoken.map(|s| blocks(s, ids)).unwrap_or_default(),
        stop_reason,
        stop_sequence: stop_sequence.flatten(),
        usage: super::usage(reply.counts, reply.report),
    };
    serde_json::to_vec(&message).unwrap_or_default()
}

fn blocks<'a>(spoken: &'a Spoken, ids: &Ids<'_>) -> Vec<Block<'a>> {
    match &spoken.content {
        Content::Text(text) => vec![Block::Text { text }],
        Content::Calls(calls) => calls
            .iter()
            .enumerate()
            .map(|(i, call)| Block::ToolUse {
                id: super::call_id(ids, i),
                name: &call.name,
                // Arguments that the token limit cut are no JSON: the real API has no way to show them whole either.
                input: serde_json::from_str(&call.arguments)
                    .unwrap_or_else(|_| Value::Object(Default::default())),
            })
            .collect(),
    }
}
