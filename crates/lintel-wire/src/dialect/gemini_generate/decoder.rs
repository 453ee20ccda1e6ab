//! Reads a stream of chunks. Whether it is whole is known at its end alone: any chunk may be followed by another, also
//! one that says why the model stopped.

use std::collections::BTreeMap;

use lintel_types::Usage;
use lintel_types::canon::{At, Delta, Event, Opening, Part, PartKind, Seal, StreamError, ToolCall};

use super::cite;
use super::ids::Ids;
use super::partial::Partial;
use super::read::{self, Held};
use super::{reply, stop};
use crate::dialect::{Decoder, Way};
use crate::json::{self, Kind, Node};
use crate::provider::gemini::usage as reported;
use crate::provider::read_error;
use crate::surface::gemini_generate::{get, is, list};

/// The reader.
pub(super) struct Chunks {
    ids: Ids,
    begun: bool,
    over: bool,
    usage: Option<Usage>,
    choices: BTreeMap<u32, Choice>,
}

/// One answer under way.
#[derive(Default)]
struct Choice {
    index: u32,
    open: Option<Open>,
    /// Its text so far: places of citations count its bytes.
    text: String,
    calls: bool,
    /// A call whose arguments come in pieces.
    partial: Option<Partial>,
    /// The signature of the text before it. That text's citations come first.
    seal: Option<Seal>,
    /// Addresses and places that were cited already.
    cited: Vec<Cited>,
    /// Why it stopped, as far as it is known.
    stop: Option<String>,
    blocked: bool,
}

/// What tells one citation from another: its address and its place.
type Cited = (Option<String>, Option<(u64, u64)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
}

impl Chunks {
    pub(super) fn new(way: &Way) -> Self {
        Self {
            ids: Ids::of_reply(&way.id),
            begun: false,
            over: false,
            usage: None,
            choices: BTreeMap::new(),
        }
    }

    fn begin(&mut self, root: Node<'_>, out: &mut Vec<Event>) {
        if !self.begun {
            self.begun = true;
            let (id, model, created) = reply::named(root);
            out.push(Event::Start { id, model, created });
        }
    }

    fn choice(&mut self, index: u32) -> (&mut Choice, &mut Ids) {
        let new = || Choice {
            index,
            ..Choice::default()
        };
        let choice = self.choices.entry(index).or_insert_with(new);
        (choice, &mut self.ids)
    }

    fn fail(&mut self, data: &[u8], out: &mut Vec<Event>) {
        for choice in self.choices.values_mut() {
            choice.close(out);
        }
        let error = read_error(data);
        out.push(Event::Error(StreamError {
            message: error.message,
            kind_name: error.kind_name,
            code: error.code,
        }));
        self.over = true;
    }
}

impl Decoder for Chunks {
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) {
        let root = match json::parse(data) {
            Ok(root) if root.kind() == Kind::Object && !self.over => root,
            _ => return,
        };
        self.begin(root, out);
        if root.get("error").is_some_and(|e| !e.is_null()) {
            return self.fail(data, out);
        }
        if let Some(usage) = get(root, "usageMetadata").and_then(reported::read)
            && self.usage.as_ref() != Some(&usage)
        {
            out.push(Event::Usage(usage.clone()));
            self.usage = Some(usage);
        }
        let feedback = get(root, "promptFeedback");
        if let Some(reason) = feedback.and_then(|f| get(f, "blockReason")?.text()) {
            let (choice, _) = self.choice(0);
            choice.stop = Some(reason.into_owned());
            choice.blocked = true;
        }
        let candidates = root.get("candidates");
        for (i, candidate) in candidates.iter().flat_map(Node::items).enumerate() {
            let index = candidate.get("index").and_then(|n| n.u64());
            let index = index.unwrap_or(i as u64);
            let (choice, ids) = self.choice(u32::try_from(index).unwrap_or(0));
            choice.candidate(candidate, ids, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.over || !self.begun {
            return;
        }
        self.over = true;
        let mut whole = !self.choices.is_empty();
        for choice in self.choices.values_mut() {
            choice.close(out);
            whole &= choice.stop(out);
        }
        // A stream that never said why it stopped was cut.
        if whole {
            out.push(Event::End);
        }
    }
}

impl Choice {
    fn candidate(&mut self, candidate: Node<'_>, ids: &mut Ids, out: &mut Vec<Event>) {
        let parts = candidate.get("content").and_then(|c| c.get("parts"));
        for node in parts.into_iter().flat_map(list) {
            if let Some(held) = read::held(node) {
                self.part(node, held, ids, out);
            }
        }
        for found in cite::read(candidate) {
            self.cite(found, out);
        }
        self.flush_seal(out);
        let reason = get(candidate, "finishReason").and_then(|r| r.text());
        if let Some(reason) = reason.filter(|r| !r.is_empty()) {
            self.stop = Some(reason.into_owned());
        }
    }

    fn part(&mut self, node: Node<'_>, held: Held<'_>, ids: &mut Ids, out: &mut Vec<Event>) {
        self.flush_seal(out);
        if is(&held.key, "functionCall") {
            return self.call(held, ids, out);
        }
        self.finish_partial(out);
        if held.key == "text" {
            return self.text(held, out);
        }
        if let Some(kind) = read::media(&held.key, held.value) {
            self.whole(kind, out);
        } else if !held.key.is_empty() {
            // Its signature is a part of what is kept.
            return self.whole(read::opaque(&held.key, node), out);
        }
        self.seal = held.seal;
    }

    fn text(&mut self, held: Held<'_>, out: &mut Vec<Event>) {
        let text = held.value.text().unwrap_or_default();
        let kind = if held.thought {
            Open::Thought
        } else {
            Open::Text
        };
        if !text.is_empty() {
            self.open(kind, out);
            if kind == Open::Text {
                self.text.push_str(&text);
            }
            self.delta(Delta::Text(text.into_owned()), out);
        }
        match held.seal {
            Some(seal) if held.thought => {
                self.open(Open::Thought, out);
                self.delta(Delta::Seal(seal), out);
                self.end_open(out);
            }
            seal => self.seal = seal,
        }
    }

    /// A call comes whole, or begins, goes on without its name, and ends with a chunk that says no more.
    fn call(&mut self, held: Held<'_>, ids: &mut Ids, out: &mut Vec<Event>) {
        let value = held.value;
        let goes_on = get(value, "willContinue").and_then(|w| w.bool()) == Some(true);
        if get(value, "name").is_some_and(|n| !n.is_null()) {
            self.finish_partial(out);
            let call = read::call(value, held.seal, ids);
            self.partial = Some(Partial::new(call));
        }
        if let Some(partial) = &mut self.partial {
            partial.take(value);
        }
        if !goes_on {
            self.finish_partial(out);
        }
    }

    fn finish_partial(&mut self, out: &mut Vec<Event>) {
        let Some(partial) = self.partial.take() else {
            return;
        };
        self.end_open(out);
        self.calls = true;
        let ToolCall {
            id,
            name,
            arguments,
            custom,
            seal,
        } = partial.whole();
        out.push(Event::PartStart {
            choice: self.index,
            part: Opening::ToolCall { id, name, custom },
        });
        self.delta(Delta::Text(arguments), out);
        if let Some(seal) = seal {
            self.delta(Delta::Seal(seal), out);
        }
        self.part_end(out);
    }

    fn cite(&mut self, found: cite::Found, out: &mut Vec<Event>) {
        let mut citation = found.citation;
        citation.span = cite::in_characters(found.bytes, &self.text);
        // Chunks repeat what was cited before.
        let known = (citation.url.clone(), citation.span);
        if self.cited.contains(&known) {
            return;
        }
        self.cited.push(known);
        self.open(Open::Text, out);
        self.delta(Delta::Citation(citation), out);
    }

    fn flush_seal(&mut self, out: &mut Vec<Event>) {
        let Some(seal) = self.seal.take() else { return };
        self.end_open(out);
        out.push(Event::PartStart {
            choice: self.index,
            part: Opening::Reasoning {
                summary: false,
                id: None,
            },
        });
        self.delta(Delta::Seal(seal), out);
        self.part_end(out);
    }

    fn whole(&mut self, kind: PartKind, out: &mut Vec<Event>) {
        self.end_open(out);
        let part = Part::new(kind, At::default());
        out.push(Event::PartStart {
            choice: self.index,
            part: Opening::Whole(part),
        });
        self.part_end(out);
    }

    fn open(&mut self, kind: Open, out: &mut Vec<Event>) {
        if self.open == Some(kind) {
            return;
        }
        self.end_open(out);
        self.open = Some(kind);
        let part = match kind {
            Open::Text => Opening::Text,
            Open::Thought => Opening::Reasoning {
                summary: true,
                id: None,
            },
        };
        let choice = self.index;
        out.push(Event::PartStart { choice, part });
    }

    fn delta(&self, delta: Delta, out: &mut Vec<Event>) {
        let choice = self.index;
        out.push(Event::Delta { choice, delta });
    }

    fn part_end(&self, out: &mut Vec<Event>) {
        let choice = self.index;
        out.push(Event::PartEnd { choice });
    }

    fn end_open(&mut self, out: &mut Vec<Event>) {
        if self.open.take().is_some() {
            self.part_end(out);
        }
    }

    /// Ends whatever is under way.
    fn close(&mut self, out: &mut Vec<Event>) {
        self.flush_seal(out);
        self.finish_partial(out);
        self.end_open(out);
    }

    /// Says why it stopped, if that is known.
    fn stop(&mut self, out: &mut Vec<Event>) -> bool {
        let Some(word) = &self.stop else { return false };
        let stop = if self.blocked {
            stop::blocked(word)
        } else {
            stop::read(word, self.calls)
        };
        let choice = self.index;
        out.push(Event::Stop { choice, stop });
        true
    }
}
