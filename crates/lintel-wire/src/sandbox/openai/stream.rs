//! Writes a chat completion as a stream of chunks.
//!
//! Each answer: a chunk with the role, one a token, one with the finish reason. Then, if asked for, the
//! usage chunk without choices (every other chunk then says `usage: null`), and `[DONE]`.

use bytes::Bytes;
use serde::Serialize;

use super::{FINGERPRINT, TIER, Usage};
use crate::sandbox::ask::Ask;
use crate::sandbox::dialect::{Frame, Ids};
use crate::sandbox::reply::{Call, Content, Reply, Spoken};
use crate::sandbox::text;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    /// Absent, null or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Role {
        role: &'static str,
        content: Option<&'static str>,
        refusal: Option<()>,
    },
    Text {
        content: &'a str,
    },
    Calls {
        tool_calls: [CallDelta<'a>; 1],
    },
    End {},
}

#[derive(Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: FunctionDelta<'a>,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// What all chunks of a stream share, and the frames so far.
struct Writer<'a> {
    ids: &'a Ids<'a>,
    id: String,
    created: u64,
    /// Whether chunks say `usage: null`.
    null_usage: bool,
    frames: Vec<Frame>,
}

pub(super) fn events(reply: &Reply, ids: &Ids<'_>, ask: &Ask) -> Vec<Frame> {
    let id = super::completion_id(ids);
    let usage = super::usage(reply.counts, reply.report).filter(|_| ask.include_usage);
    let mut out = Writer {
        ids,
        id,
        created: super::created(ids),
        null_usage: usage.is_some(),
        frames: Vec::new(),
    };
    for (index, spoken) in reply.choices.iter().enumerate() {
        out.spoken(index, spoken);
    }
    if usage.is_some() {
        out.chunk(&[], Some(usage), false);
    }
    out.frames.push(Frame {
        bytes: Bytes::from_static(b"data: [DONE]\n\n"),
        token: false,
    });
    out.frames
}

impl Writer<'_> {
    fn spoken(&mut self, index: usize, spoken: &Spoken) {
        let content = matches!(spoken.content, Content::Text(_)).then_some("");
        self.delta(
            index,
            Delta::Role {
                role: "assistant",
                content,
                refusal: None,
            },
            None,
            false,
        );
        match &spoken.content {
            Content::Text(text) => {
                for content in text::tokens(text) {
                    self.delta(index, Delta::Text { content }, None, true);
                }
            }
            Content::Calls(calls) => {
                for (i, call) in calls.iter().enumerate() {
                    self.call(index, i, call);
                }
            }
        }
        self.delta(
            index,
            Delta::End {},
            Some(super::finish_reason(&spoken.finish)),
            false,
        );
    }

    fn call(&mut self, choice: usize, index: usize, call: &Call) {
        let id = Some(super::call_id(self.ids, choice, index));
        let function = FunctionDelta {
            name: Some(&call.name),
            arguments: "",
        };
        let head = CallDelta {
            index,
            id,
            r#type: Some("function"),
            function,
        };
        self.delta(choice, Delta::Calls { tool_calls: [head] }, None, false);
        for arguments in text::tokens(&call.arguments) {
            let function = FunctionDelta {
                name: None,
                arguments,
            };
            let more = CallDelta {
                index,
                id: None,
                r#type: None,
                function,
            };
            self.delta(choice, Delta::Calls { tool_calls: [more] }, None, true);
        }
    }

    fn delta(
        &mut self,
        index: usize,
        delta: Delta<'_>,
        finish_reason: Option<&'static str>,
        token: bool,
    ) {
        let choice = Choice {
            index,
            delta,
            logprobs: None,
            finish_reason,
        };
        self.chunk(&[choice], self.null_usage.then_some(None), token);
    }

    fn chunk(&mut self, choices: &[Choice<'_>], usage: Option<Option<Usage>>, token: bool) {
        let bytes = super::event(&Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: self.ids.model,
            service_tier: TIER,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        });
        self.frames.push(Frame { bytes, token });
    }
}
