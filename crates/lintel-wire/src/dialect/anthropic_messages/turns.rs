//! The conversation as turns: who speaks when, and what of it this API takes.
//!
//! The API wants turns of user and assistant that alternate, instructions apart, and every call of a tool answered
//! in the turn after it. What can't stand is left out and named. No text is written here; a turn without parts is
//! one that only the API needs.

use std::collections::HashSet;

use lintel_types::canon::{Message, Part, PartKind, Request, Role};

use super::super::Notes;
use super::models::Model;
use super::write_block::{Place, losses, sayable};

/// Whose turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The user's, results of tools included.
    User,
    /// The model's.
    Assistant,
    /// The application's, between the others.
    System,
}

impl Voice {
    /// The role that is written.
    pub(super) fn role(self) -> &'static str {
        match self {
            Voice::User => "user",
            Voice::Assistant => "assistant",
            Voice::System => "system",
        }
    }

    fn place(self) -> Place {
        match self {
            Voice::User => Place::User,
            Voice::Assistant => Place::Assistant,
            Voice::System => Place::InlineSystem,
        }
    }
}

/// One turn.
#[derive(Debug)]
pub(super) struct Turn<'r> {
    /// Whose.
    pub(super) voice: Voice,
    /// What is said. Empty in a turn that only the API needs.
    pub(super) parts: Vec<&'r Part>,
}

/// The conversation as it is written.
#[derive(Debug, Default)]
pub(super) struct Turns<'r> {
    /// Instructions.
    pub(super) system: Vec<&'r Part>,
    /// Turns.
    pub(super) list: Vec<Turn<'r>>,
}

/// The turns of `request` for `model`.
pub(super) fn plan<'r>(request: &'r Request, model: &Model, notes: &mut Notes) -> Turns<'r> {
    let mut turns = Turns::default();
    let mut rest = request.messages.iter();
    while let Some(message) = rest.next() {
        if message.name.is_some() {
            notes.drop(&message.at.key("name"));
        }
        let voice = match message.role {
            Role::User | Role::Tool => Voice::User,
            Role::Assistant => Voice::Assistant,
            Role::System | Role::Developer => Voice::System,
        };
        if voice != Voice::System {
            turns.say(voice, said(message, voice.place(), notes));
        } else if model.inline_system && turns.may_interrupt(rest.as_slice()) {
            turns.say(voice, said(message, Place::InlineSystem, notes));
        } else {
            if !turns.list.is_empty() {
                notes.emulate(message.at.as_str());
            }
            turns.system.extend(said(message, Place::System, notes));
        }
    }
    turns.pair(notes);
    turns.open(notes);
    turns
}

/// The parts of `message` that can be said.
fn said<'r>(message: &'r Message, place: Place, notes: &mut Notes) -> Vec<&'r Part> {
    let parts = message.parts.iter();
    parts
        .inspect(|part| losses(part, place, notes))
        .filter(|part| sayable(part, place))
        .collect()
}

impl<'r> Turns<'r> {
    /// Whether instructions may stand here, where `rest` follows: after a user's turn, before the model's.
    /// <https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>
    fn may_interrupt(&self, rest: &[Message]) -> bool {
        let system = |m: &&Message| matches!(m.role, Role::System | Role::Developer);
        let next = rest.iter().find(|m| !system(m)).map(|m| m.role);
        let last = self.list.last().map(|t| t.voice);
        matches!(last, Some(Voice::User | Voice::System))
            && matches!(next, None | Some(Role::Assistant))
    }

    fn say(&mut self, voice: Voice, parts: Vec<&'r Part>) {
        match self.list.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.voice == voice => last.parts.extend(parts),
            _ => self.list.push(Turn { voice, parts }),
        }
    }

    /// Keeps calls that are answered in the next turn, and results that answer a call of the turn before; puts
    /// results first.
    fn pair(&mut self, notes: &mut Notes) {
        let calls: Vec<HashSet<&str>> = self.list.iter().map(|t| ids(t, call_id)).collect();
        let results: Vec<HashSet<&str>> = self.list.iter().map(|t| ids(t, result_id)).collect();
        let mut old = std::mem::take(&mut self.list);
        for (i, turn) in old.iter_mut().enumerate() {
            let before = i.checked_sub(1).and_then(|i| calls.get(i));
            let after = results.get(i + 1);
            turn.parts.retain(|part| {
                let kept = match (call_id(part), result_id(part)) {
                    (Some(id), _) => after.is_some_and(|ids| ids.contains(id)),
                    (_, Some(id)) => before.is_some_and(|ids| ids.contains(id)),
                    _ => true,
                };
                if !kept {
                    notes.drop(&part.at);
                }
                kept
            });
            turn.parts.sort_by_key(|part| result_id(part).is_none());
        }
        for turn in old {
            self.say(turn.voice, turn.parts);
        }
    }

    /// The API takes no conversation without a turn. (That the first one be the user's it no longer demands:
    /// recordings show answers to conversations that the model begins.)
    fn open(&mut self, notes: &mut Notes) {
        if self.list.is_empty() {
            notes.emulate("$.messages");
            self.list.push(Turn {
                voice: Voice::User,
                parts: Vec::new(),
            });
        }
    }

    /// Whether the conversation ends inside a loop of tool calls in which the model did not think, or its
    /// thinking is lost: it may then not be told to think by a budget.
    pub(super) fn thoughtless_loop(&self) -> bool {
        let mut back = self.list.iter().rev();
        let (Some(last), Some(before)) = (back.next(), back.next()) else {
            return false;
        };
        let answers = last.parts.iter().any(|p| result_id(p).is_some());
        let thought = matches!(
            before.parts.first().map(|p| &p.kind),
            Some(PartKind::Reasoning(_))
        );
        answers && !thought
    }
}

fn ids<'r>(turn: &Turn<'r>, id: impl Fn(&'r Part) -> Option<&'r str>) -> HashSet<&'r str> {
    turn.parts.iter().filter_map(|p| id(p)).collect()
}

fn call_id(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::ToolCall(call) => Some(&call.id),
        _ => None,
    }
}

fn result_id(part: &Part) -> Option<&str> {
    match &part.kind {
        PartKind::ToolResult(result) => Some(&result.call_id),
        _ => None,
    }
}
