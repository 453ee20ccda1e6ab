//! The conversation as `messages`.
//!
//! Results of tools are text in this dialect: what else a tool gave follows in a message of the user, after
//! the last result of that turn, because nothing may stand between a call and its results.

use lintel_types::canon::{Message, Part, PartKind, Reasoning, Request, Role, Source, ToolResult};

use super::super::super::{Notes, Target};
use super::super::terms::{self, Replay};
use super::super::thought::{self, Said};
use super::{calls, ids, parts};
use crate::hosts::Host;
use crate::json::write::{self, Array, Object};

/// Writes every message.
pub(super) fn write(a: &mut Array<'_>, request: &Request, target: &Target<'_>, notes: &mut Notes) {
    let host = target.host;
    let mut shown: Vec<&Part> = Vec::new();
    let mut rest = request.messages.as_slice();
    while let Some((message, after)) = rest.split_first() {
        let (turn, after) = match message.role {
            Role::Assistant => rest.split_at(turn(rest)),
            _ => (std::slice::from_ref(message), after),
        };
        rest = after;
        if message.role == Role::Tool {
            for part in &message.parts {
                match &part.kind {
                    PartKind::ToolResult(found) => {
                        a.object(|o| result(o, found, part, host, notes));
                        shown.extend(found.parts.iter().filter(|p| !is_text(p)));
                    }
                    _ => notes.drop(&part.at),
                }
            }
            continue;
        }
        show(a, &mut shown, host, notes);
        if message.role == Role::Assistant {
            assistant(a, turn, host, notes);
        } else {
            plain(a, message, host, notes);
        }
    }
    show(a, &mut shown, host, notes);
}

/// How many messages from the first on are one turn of the assistant. Calls of one turn stand in one message here,
/// and so does the reasoning that led to them; other dialects tell them one by one.
fn turn(messages: &[Message]) -> usize {
    let calls = |m: &Message| {
        m.parts
            .iter()
            .any(|p| matches!(p.kind, PartKind::ToolCall(_)))
    };
    let thinks = |m: &Message| {
        let mut parts = m.parts.iter();
        !m.parts.is_empty() && parts.all(|p| matches!(p.kind, PartKind::Reasoning(_)))
    };
    let pairs = messages.iter().zip(messages.iter().skip(1));
    let goes_on = |(before, next): &(&Message, &Message)| {
        next.role == Role::Assistant && (calls(before) || thinks(before) || calls(next))
    };
    1 + pairs.take_while(goes_on).count()
}

fn is_text(part: &Part) -> bool {
    matches!(part.kind, PartKind::Text { .. })
}

fn result(o: &mut Object<'_>, found: &ToolResult, part: &Part, host: &Host, notes: &mut Notes) {
    // This dialect has no word for failure: the text has to say it.
    if found.is_error {
        notes.emulate(part.at.as_str());
    }
    o.str("role", "tool")
        .str("tool_call_id", &ids::fitted(&found.call_id, host));
    let texts: Vec<&Part> = found.parts.iter().filter(|p| is_text(p)).collect();
    let written = Content::of(&texts, Role::Tool, host, notes);
    written.write(o);
    if let Some(mark) = part.cache.as_ref() {
        parts::cache(o, Some(mark), &part.at, host, notes);
    }
}

/// Writes what tools gave beside text.
fn show(a: &mut Array<'_>, shown: &mut Vec<&Part>, host: &Host, notes: &mut Notes) {
    let found = std::mem::take(shown);
    let written = Content::of(&found, Role::User, host, notes);
    if written.is_empty() {
        return;
    }
    for part in &found {
        if !notes.dropped.iter().any(|d| d == part.at.as_str()) {
            notes.emulate(part.at.as_str());
        }
    }
    a.object(|o| {
        o.str("role", "user");
        written.write(o);
    });
}

fn plain(a: &mut Array<'_>, message: &Message, host: &Host, notes: &mut Notes) {
    let found: Vec<&Part> = message.parts.iter().collect();
    let written = Content::of(&found, message.role, host, notes);
    if written.is_empty() && !found.is_empty() {
        return;
    }
    let role = match message.role {
        Role::Developer if terms::is_openai(host) => "developer",
        Role::System | Role::Developer => "system",
        _ => "user",
    };
    a.object(|o| {
        o.str("role", role);
        name(o, message, host, notes);
        written.write(o);
    });
}

fn name(o: &mut Object<'_>, message: &Message, host: &Host, notes: &mut Notes) {
    let Some(name) = &message.name else { return };
    if terms::takes(host, "name") {
        o.str("name", name);
    } else {
        notes.drop(&message.at.key("name"));
    }
}

fn assistant(a: &mut Array<'_>, turn: &[Message], host: &Host, notes: &mut Notes) {
    let replay = terms::replay(host);
    let mut said = Said::default();
    let (mut found, mut called, mut sound) = (Vec::new(), Vec::new(), None);
    for part in turn.iter().flat_map(|m| &m.parts) {
        match &part.kind {
            PartKind::Reasoning(reasoning) => {
                if !remember(&mut said, reasoning, replay) {
                    notes.drop(&part.at);
                }
            }
            PartKind::ToolCall(call) => called.push((call, &part.at)),
            PartKind::Audio(Source::File(id)) if terms::is_openai(host) => sound = Some(id),
            _ => {
                // What followed a call now stands before it.
                if !called.is_empty() {
                    notes.emulate(part.at.as_str());
                }
                found.push(part);
            }
        }
    }
    let thinking = Some(&said.text).filter(|t| replay == Replay::Part && !t.is_empty());
    let written = Content::after(thinking.map(String::as_str), &found, host, notes);
    let something = !written.is_empty() || !called.is_empty() || sound.is_some();
    if !something && turn.iter().any(|m| !m.parts.is_empty()) {
        return;
    }
    a.object(|o| {
        o.str("role", "assistant");
        for message in turn.iter().take(1) {
            name(o, message, host, notes);
        }
        if written.is_empty() && (!called.is_empty() || sound.is_some()) {
            o.null("content");
        } else {
            written.write(o);
        }
        let bare = said.text.is_empty() && !called.is_empty();
        if bare && terms::wants_reasoning_with_calls(host) {
            o.str("reasoning_content", "");
        }
        match replay {
            Replay::Content => said.write(o, "reasoning_content"),
            Replay::Plain | Replay::Detailed => said.write(o, "reasoning"),
            Replay::Signature => said.write_seals(o),
            Replay::Never | Replay::Part => {}
        }
        if let Some(id) = sound {
            o.object("audio", |o| {
                o.str("id", id);
            });
        }
        calls::write(o, &called, Some(host), notes);
    });
}

/// Takes in reasoning that the host is to have back; false when something of it stays behind.
fn remember(said: &mut Said, reasoning: &Reasoning, replay: Replay) -> bool {
    let whole = match (&reasoning.seal, replay) {
        (_, Replay::Never) => return false,
        (None, Replay::Signature) => return false,
        (None, _) => true,
        (Some(_), Replay::Plain | Replay::Part) => return false,
        // Sealed reasoning goes back to its maker as it was, or not at all.
        (Some(seal), _) if !said.seal(reasoning, seal) => return false,
        (Some(_), _) => true,
    };
    said.text.push_str(&reasoning.text);
    whole
}

/// Content on its way out: a string where it is one text, else parts.
enum Content<'p> {
    Text(&'p str),
    Parts(String),
}

impl<'p> Content<'p> {
    fn of(found: &[&'p Part], role: Role, host: &Host, notes: &mut Notes) -> Self {
        if let [only] = found
            && let PartKind::Text { text, citations } = &only.kind
            && citations.is_empty()
            && only.cache.is_none()
        {
            return Content::Text(text);
        }
        Self::listed(None, found, role, host, notes)
    }

    /// The same for the assistant, after `thinking` that is a part of it.
    fn after(thinking: Option<&str>, found: &[&'p Part], host: &Host, notes: &mut Notes) -> Self {
        match thinking {
            None => Self::of(found, Role::Assistant, host, notes),
            thinking => Self::listed(thinking, found, Role::Assistant, host, notes),
        }
    }

    fn listed(
        thinking: Option<&str>,
        found: &[&'p Part],
        role: Role,
        host: &Host,
        notes: &mut Notes,
    ) -> Self {
        let mut out = String::new();
        write::array(&mut out, |a| {
            if let Some(text) = thinking {
                thought::write_part(a, text);
            }
            for part in found {
                parts::write(a, part, role, host, notes);
            }
        });
        Content::Parts(out)
    }

    fn is_empty(&self) -> bool {
        match self {
            Content::Text(_) => false,
            Content::Parts(list) => list == "[]",
        }
    }

    fn write(&self, o: &mut Object<'_>) {
        match self {
            Content::Text(text) => o.str("content", text),
            Content::Parts(_) if self.is_empty() => o.str("content", ""),
            Content::Parts(list) => o.raw("content", list),
        };
    }
}
