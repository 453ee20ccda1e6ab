//! Writes a stream of chunks. A call leaves when it is whole, as Google's SDKs expect it; why the answer stopped leaves
//! last of all, together with the usage, which may come later than the reason.

use lintel_types::Usage;
use lintel_types::canon::{
    Citation, Delta, Event, Opening, Part, PartKind, Reasoning, Seal, Stop, ToolCall,
};

use super::cite::{self, Cited};
use super::say::{self, Said, Saying, put};
use super::{reply, stop, usage};
use crate::dialect::line;
use crate::dialect::{Encoder, Way};
use crate::json::write::{self, Object};
use crate::provider::GEMINI;
use crate::surface::{ErrorBody, GEMINI_GENERATE, spec};

/// The writer.
pub(super) struct Chunks {
    id: String,
    model: String,
    created: u64,
    usage: Option<Usage>,
    choices: Vec<Choice>,
    over: bool,
}

/// One answer under way.
struct Choice {
    index: u32,
    open: Open,
    /// Its text so far: places of citations count its bytes.
    text: String,
    citations: Vec<Citation>,
    stop: Option<Stop>,
}

/// What is open in it.
enum Open {
    Nothing,
    Text,
    Thought(Option<Seal>),
    Call(ToolCall),
}

impl Chunks {
    pub(super) fn new(way: &Way) -> Self {
        Self {
            id: way.id.clone(),
            model: way.model.clone(),
            created: way.now,
            usage: None,
            choices: Vec::new(),
            over: false,
        }
    }

    /// Runs `act` on a choice, which is made where there is none, and writes the parts that it says.
    fn on(&mut self, index: u32, out: &mut Vec<u8>, act: impl FnOnce(&mut Choice, &mut Vec<Said>)) {
        let mut parts = Vec::new();
        if !self.choices.iter().any(|c| c.index == index) {
            self.choices.push(Choice {
                index,
                open: Open::Nothing,
                text: String::new(),
                citations: Vec::new(),
                stop: None,
            });
        }
        if let Some(choice) = self.choices.iter_mut().find(|c| c.index == index) {
            act(choice, &mut parts);
        }
        if parts.is_empty() {
            return;
        }
        self.chunk(out, |o| {
            o.array("candidates", |a| {
                a.object(|c| {
                    content(&parts, c);
                    c.int("index", u64::from(index));
                });
            });
        });
    }

    fn chunk(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let mut text = String::with_capacity(256);
        text.push_str("data: ");
        write::object(&mut text, |o| {
            fill(o);
            reply::name(&self.id, &self.model, self.created, o);
        });
        line::one(&mut text);
        text.push_str("\r\n\r\n");
        out.extend_from_slice(text.as_bytes());
    }

    fn end(&self, out: &mut Vec<u8>) {
        self.chunk(out, |o| {
            o.array("candidates", |a| {
                for choice in &self.choices {
                    a.object(|c| choice.last(c));
                }
            });
            if let Some(used) = &self.usage {
                usage::write(used, o);
            }
        });
    }
}

impl Encoder for Chunks {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model, created } => {
                self.id = id.clone().unwrap_or(std::mem::take(&mut self.id));
                self.model = model.clone().unwrap_or(std::mem::take(&mut self.model));
                self.created = created.unwrap_or(self.created);
            }
            Event::PartStart { choice, part } => {
                self.on(*choice, out, |c, parts| c.start(part, parts));
            }
            Event::Delta { choice, delta } => {
                self.on(*choice, out, |c, parts| c.delta(delta, parts));
            }
            Event::PartEnd { choice } => self.on(*choice, out, Choice::end),
            Event::Stop { choice, stop } => {
                self.on(*choice, out, |c, _| c.stop = Some(stop.clone()));
            }
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Error(error) => self.error(&ErrorBody::inside(error), out),
            Event::End => {
                self.over = true;
                self.end(out);
            }
        }
    }

    fn error(&mut self, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        out.extend_from_slice(&spec(GEMINI_GENERATE).stream_error(error));
    }
}

fn content(parts: &[Said], o: &mut Object<'_>) {
    o.object("content", |c| {
        c.array("parts", |a| put(parts, a)).str("role", "model");
    });
}

impl Choice {
    fn start(&mut self, part: &Opening, out: &mut Vec<Said>) {
        self.open = match part {
            Opening::Text | Opening::Refusal => Open::Text,
            Opening::Reasoning { .. } => Open::Thought(None),
            Opening::ToolCall { id, name, custom } => Open::Call(ToolCall {
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
                custom: *custom,
                seal: None,
            }),
            Opening::Whole(part) => {
                if let PartKind::Text { text, .. } = &part.kind {
                    self.text.push_str(text);
                }
                say(part, out);
                Open::Nothing
            }
        };
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<Said>) {
        match (&mut self.open, delta) {
            (Open::Text, Delta::Text(more)) => {
                self.text.push_str(more);
                if !more.is_empty() {
                    out.push(say::text(more));
                }
            }
            (Open::Thought(_), Delta::Text(more)) => thought(more, None, out),
            (Open::Call(call), Delta::Text(more)) => call.arguments.push_str(more),
            (Open::Thought(seal), Delta::Seal(new)) => *seal = Some(new.clone()),
            (Open::Call(call), Delta::Seal(new)) => call.seal = Some(new.clone()),
            (_, Delta::Citation(citation)) => self.citations.push(citation.clone()),
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Vec<Said>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing | Open::Text | Open::Thought(None) => {}
            Open::Thought(Some(seal)) if seal.protocol == GEMINI => thought("", Some(seal), out),
            // Another's seal means nothing to Google's clients.
            Open::Thought(Some(_)) => {}
            Open::Call(call) => say(
                &Part::new(PartKind::ToolCall(call), Default::default()),
                out,
            ),
        }
    }

    /// The candidate's last chunk. SDKs take a content without parts for a broken one.
    fn last(&self, o: &mut Object<'_>) {
        content(&[say::text("")], o);
        if let Some(stop) = &self.stop {
            o.str("finishReason", stop::word(stop));
        }
        o.int("index", u64::from(self.index));
        let text = self.text.as_str();
        let cited: Vec<Cited<'_>> = self.citations.iter().map(|c| (0, text, c)).collect();
        cite::write(&cited, o);
    }
}

/// What can't be said is left out: a stream's head has left already, so there is nowhere to name it.
fn say(part: &Part, out: &mut Vec<Said>) {
    let mut saying = Saying {
        answer: true,
        ..Saying::default()
    };
    saying.part(part, out);
}

fn thought(text: &str, seal: Option<Seal>, out: &mut Vec<Said>) {
    if text.is_empty() && seal.is_none() {
        return;
    }
    let kind = PartKind::Reasoning(Reasoning {
        text: text.to_owned(),
        seal,
        ..Reasoning::default()
    });
    say(&Part::new(kind, Default::default()), out);
}
