//! Whole answers: a target's message as a canonical reply, and a reply as the message that SDKs expect.

use lintel_types::canon::{At, Choice, Part, PartKind, Reply, Stop, StopReason};

use super::super::{BadReply, Encoded, JSON_TOOL, Notes, Way};
use super::write_block::{self, Input};
use super::{message_id, own_seal, read_block, stop, usage};
use crate::json::write::{self, Array, Object};
use crate::json::{self, Kind, Node};
use crate::provider::{ANTHROPIC, AnthropicCounts};

/// Reads `body`.
pub(super) fn read(body: &[u8], way: &Way) -> Result<Reply, BadReply> {
    let root = json::parse(body).map_err(|e| BadReply(e.to_string()))?;
    let Some(content) = root.get("content").filter(|c| c.kind() == Kind::Array) else {
        return Err(BadReply("`content` is no array: this is no message".into()));
    };
    let mut parts = read_block::content(content, &At::new("$.content"));
    if way.json_tool {
        parts.iter_mut().for_each(unwrap);
    }
    let calls = parts.iter().any(is_call);
    let choice = Choice {
        stop: read_stop(root).map(|s| settled(s, way.json_tool, calls)),
        parts,
        logprobs: None,
    };
    let mut counts = AnthropicCounts::default();
    root.get("usage").into_iter().for_each(|u| counts.update(u));
    Ok(Reply {
        id: said(root, "id"),
        model: said(root, "model"),
        created: None,
        choices: vec![choice],
        usage: counts.usage(),
    })
}

/// The member `key`, unless it is empty.
pub(super) fn said(node: Node<'_>, key: &str) -> Option<String> {
    read_block::text_of(node, key).filter(|t| !t.is_empty())
}

/// Why the answer ended, as `node` (a message, or the delta of one) says it.
pub(super) fn read_stop(node: Node<'_>) -> Option<Stop> {
    let word = read_block::text_of(node, "stop_reason")?;
    let sequence = read_block::text_of(node, "stop_sequence");
    stop::read(&word, sequence.as_deref())
}

/// The stop of an answer whose text came as the call of a tool that the client knows nothing of.
pub(super) fn settled(mut stop: Stop, json_tool: bool, calls: bool) -> Stop {
    if json_tool && !calls && stop.reason == StopReason::ToolUse {
        stop.reason = StopReason::EndTurn;
        stop.word = "end_turn".into();
    }
    stop
}

fn is_call(part: &Part) -> bool {
    matches!(part.kind, PartKind::ToolCall(_))
}

fn unwrap(part: &mut Part) {
    if let PartKind::ToolCall(call) = &mut part.kind
        && call.name == JSON_TOOL
    {
        part.kind = PartKind::text(std::mem::take(&mut call.arguments));
    }
}

/// Writes `reply`.
pub(super) fn write(reply: &Reply, way: &Way) -> Encoded {
    let mut notes = Notes::default();
    let mut body = String::with_capacity(1_024);
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    for i in 1..reply.choices.len() {
        notes.drop_path(&format!("$.choices[{i}]"));
    }
    if choice.logprobs.is_some() {
        notes.drop_path("$.choices[0].logprobs");
    }
    write::object(&mut body, |o| {
        let model = reply.model.as_deref().unwrap_or(&way.model);
        head(&message_id(reply.id.as_deref(), &way.id), model, o);
        o.array("content", |a| {
            choice.parts.iter().for_each(|p| block(p, a, &mut notes));
        });
        let calls = choice.parts.iter().any(is_call);
        stopped(choice.stop.as_ref(), calls, refused(choice), o);
        o.object("usage", |o| usage::write(o, reply.usage.as_ref()));
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

/// The members that a message begins with.
pub(super) fn head(id: &str, model: &str, o: &mut Object<'_>) {
    o.str("id", id)
        .str("type", "message")
        .str("role", "assistant")
        .str("model", model);
}

/// The members that say why it ended.
pub(super) fn stopped(stop: Option<&Stop>, calls: bool, refused: bool, o: &mut Object<'_>) {
    let word = match stop::word(stop, calls) {
        "end_turn" if refused => "refusal",
        word => word,
    };
    let sequence = stop.and_then(|s| s.sequence.as_deref());
    o.str("stop_reason", word)
        .str_or_null("stop_sequence", sequence)
        .null("stop_details");
}

fn refused(choice: &Choice) -> bool {
    let refusal = |p: &Part| matches!(p.kind, PartKind::Refusal(_));
    choice.parts.iter().any(refusal)
}

fn block(part: &Part, a: &mut Array<'_>, notes: &mut Notes) {
    match &part.kind {
        PartKind::Text { text, citations } => {
            if citations.iter().any(|c| c.protocol != ANTHROPIC) {
                notes.drop(&part.at.key("citations"));
            }
            if !text.is_empty() {
                a.object(|o| {
                    o.str("type", "text").str("text", text);
                    write_block::own_citations(citations, o);
                });
            }
        }
        PartKind::Refusal(text) => {
            a.object(|o| {
                o.str("type", "text").str("text", text);
            });
        }
        PartKind::Reasoning(reasoning) => {
            let own = own_seal(reasoning.seal.as_ref());
            if own.is_none() && reasoning.seal.is_some() {
                notes.drop(&part.at);
            }
            if own.is_some() || !reasoning.text.is_empty() {
                a.object(|o| {
                    write_block::thinking(&reasoning.text, own.unwrap_or_default(), o);
                });
            }
        }
        PartKind::ToolCall(call) => {
            if call.seal.is_some() {
                notes.drop(&part.at);
            }
            if matches!(write_block::input(call), Input::Wrapped) {
                notes.emulate(part.at.as_str());
            }
            a.object(|o| write_block::tool_use(call, &call.id, o));
        }
        PartKind::Opaque { protocol, raw, .. } if *protocol == ANTHROPIC => {
            a.raw(raw.as_str());
        }
        // An answer of this dialect has no media, and no results but those of its own tools.
        PartKind::Image { .. }
        | PartKind::Audio(_)
        | PartKind::Video(_)
        | PartKind::Document { .. }
        | PartKind::ToolResult(_)
        | PartKind::Opaque { .. } => notes.drop(&part.at),
    }
}
