//! Writes a request.

use lintel_types::canon::{Extra, Message, Part, PartKind, Request, Role};

use super::say::{Said, Saying, put};
use super::{settings, thinking, tools};
use crate::dialect::{Encoded, Notes, Target};
use crate::json::write::{self, Object};
use crate::provider::GEMINI;

/// What Google documents for calls whose signature is lost, such as those of another model's: `base64` of
/// `skip_thought_signature_validator`. <https://ai.google.dev/gemini-api/docs/thought-signatures>
pub(super) const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// One content under way.
struct Turn {
    model: bool,
    parts: Vec<Said>,
}

/// Writes `request` for `target`.
pub(super) fn request(request: &Request, target: &Target<'_>) -> Encoded {
    let mut saying = Saying::default();
    let mut system = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    for message in &request.messages {
        if message.name.is_some() {
            saying.notes.drop(&message.at.key("name"));
        }
        match message.role {
            Role::System | Role::Developer => {
                if !turns.is_empty() {
                    saying.notes.emulate(message.at.as_str());
                }
                instruct(message, &mut saying, &mut system);
            }
            role => turn(message, role == Role::Assistant, &mut saying, &mut turns),
        }
    }
    if turns.is_empty() && !system.is_empty() {
        // Google refuses a request without a conversation: its instructions are one.
        let instructs = |m: &&Message| matches!(m.role, Role::System | Role::Developer);
        let moved = request.messages.iter().filter(instructs);
        moved.for_each(|m| saying.notes.emulate(m.at.as_str()));
        turns.push(Turn {
            model: false,
            parts: std::mem::take(&mut system),
        });
    }
    if thinking::demands_signatures(target.model) {
        turns.iter_mut().filter(|t| t.model).for_each(sign);
    }
    let mut notes = std::mem::take(&mut saying.notes);
    let mut body = String::with_capacity(1024);
    write::object(&mut body, |o| {
        if !system.is_empty() {
            o.object("systemInstruction", |s| {
                s.array("parts", |a| put(&system, a));
            });
        }
        o.array("contents", |contents| {
            for turn in &turns {
                contents.object(|t| {
                    t.str("role", if turn.model { "model" } else { "user" });
                    t.array("parts", |a| put(&turn.parts, a));
                });
            }
        });
        rest(request, target, o, &mut notes);
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

/// Everything but the conversation.
fn rest(request: &Request, target: &Target<'_>, o: &mut Object<'_>, notes: &mut Notes) {
    let (own, foreign): (Vec<&Extra>, Vec<&Extra>) =
        request.extras.iter().partition(|e| e.protocol == GEMINI);
    foreign.iter().for_each(|e| notes.drop(&e.at));
    let inside = |of: &str| -> Vec<&Extra> {
        let is_inside = |e: &&&Extra| e.key.split_once('.').is_some_and(|(outer, _)| outer == of);
        own.iter().filter(is_inside).copied().collect()
    };
    tools::write(&request.tools, o, notes);
    let choice = request.tool_choice.as_ref().map(|c| &c.value);
    tools::write_config(choice, &inside("toolConfig"), o);
    settings::write(request, &inside("generationConfig"), target, o, notes);
    for extra in own.iter().filter(|e| !e.key.contains('.')) {
        o.raw(&extra.key, extra.value.as_str());
    }
}

/// Google's instructions are text, and stand before the conversation.
fn instruct<'p>(message: &'p Message, saying: &mut Saying, out: &mut Vec<Said>) {
    let is_text = |p: &&'p Part| matches!(p.kind, PartKind::Text { .. });
    for part in &message.parts {
        if is_text(&part) {
            saying.part(part, out);
        } else {
            saying.notes.drop(&part.at);
        }
    }
}

/// Turns alternate: neighbours of one side are joined.
fn turn(message: &Message, model: bool, saying: &mut Saying, turns: &mut Vec<Turn>) {
    if turns.last().is_none_or(|t| t.model != model) {
        turns.push(Turn {
            model,
            parts: Vec::new(),
        });
    }
    let Some(last) = turns.last_mut() else { return };
    for part in &message.parts {
        saying.part(part, &mut last.parts);
    }
    if last.parts.is_empty() {
        turns.pop();
    }
}

/// The first call of a turn must carry a signature.
fn sign(turn: &mut Turn) {
    if let Some(first) = turn.parts.iter_mut().find(|p| p.call) {
        first.sign(NO_SIGNATURE);
    }
}
