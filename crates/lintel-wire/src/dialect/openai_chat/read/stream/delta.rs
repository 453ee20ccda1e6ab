//! What one delta says, in every spelling that was seen on the wire. It must not know which part is open:
//! [`Choice`] decides what can be told at once.

use lintel_types::canon::{At, Delta, Event, Part, PartKind, Reasoning};

use super::super::super::{citation, thought};
use super::super::{full, parts, reply, said};
use super::choice::{Choice, Lane};
use crate::json::{Kind, Node};

impl Choice {
    /// Reads one entry of a chunk's `choices`.
    pub(super) fn read(&mut self, node: Node<'_>, out: &mut Vec<Event>) {
        for (key, value) in node.members() {
            match &*key {
                "delta" => self.delta(value, out),
                "finish_reason" => {
                    if let Some(word) = full(value) {
                        self.word = Some(word.into_owned());
                    }
                }
                "stop_reason" => self.sequence = full(value).map(|s| s.into_owned()),
                _ => {}
            }
        }
        if self.word.is_some() && (self.open.is_some() || !self.held.is_empty()) {
            self.close(out);
        }
    }

    fn delta(&mut self, delta: Node<'_>, out: &mut Vec<Event>) {
        let (mut content, mut reasoning, mut details) = (None, None, None);
        let mut more = false;
        for (key, value) in delta.members() {
            match &*key {
                "content" => content = Some(value),
                // A host that writes both writes the same twice.
                "reasoning_content" | "reasoning" => reasoning = full(value).or(reasoning),
                "reasoning_details" => details = Some(value),
                "role" => {}
                _ => more |= !value.is_null(),
            }
        }
        self.spelled |= reasoning.is_some();
        if let Some(details) = details {
            self.details(details, out);
        }
        if let Some(text) = reasoning {
            self.say(Lane::Reasoning, text.into_owned(), out);
        }
        if self.details.is_sealed() && !self.busy(Lane::Reasoning) {
            self.start(Lane::Reasoning, out);
        }
        if let Some(seal) = more.then(|| thought::signature(delta)).flatten()
            && !self.busy(Lane::Reasoning)
        {
            self.start(Lane::Reasoning, out);
            self.put(Delta::Seal(seal), out);
        }
        if let Some(content) = content {
            self.content(content, out);
        }
        if more {
            self.rest(delta, out);
        }
    }

    fn content(&mut self, content: Node<'_>, out: &mut Vec<Event>) {
        if let Some(text) = content.text() {
            return self.say(Lane::Text, text.into_owned(), out);
        }
        // Mistral's list.
        for part in content.items() {
            match parts::read(part, At::default()) {
                Some(Part {
                    kind: PartKind::Text { text, .. },
                    ..
                }) => self.say(Lane::Text, text, out),
                Some(Part {
                    kind: PartKind::Reasoning(Reasoning { text, .. }),
                    ..
                }) => self.say(Lane::Reasoning, text, out),
                Some(part) => self.whole(part.kind, out),
                None => {}
            }
        }
    }

    /// Details say again what a string has said, unless there is none, and bring the seal.
    fn details(&mut self, details: Node<'_>, out: &mut Vec<Event>) {
        for detail in details.items() {
            self.details.add(detail);
            if let Some(text) = thought::text_of_detail(detail).filter(|_| !self.spelled) {
                self.say(Lane::Reasoning, text.into_owned(), out);
            }
        }
    }

    /// What stands in a delta beside text and reasoning.
    fn rest(&mut self, delta: Node<'_>, out: &mut Vec<Event>) {
        for (key, value) in delta.members() {
            match &*key {
                "refusal" => {
                    if let Some(text) = full(value) {
                        self.say(Lane::Refusal, text.into_owned(), out);
                    }
                }
                "annotations" => {
                    let _ = self.cite(citation::read(value), out);
                }
                "tool_calls" => value.items().for_each(|entry| {
                    let (at, more) = self.calls.read(entry);
                    self.call(at, more, out);
                }),
                "function_call" if value.kind() == Kind::Object => {
                    if let Some((at, more)) = self.calls.legacy(value) {
                        self.call(at, more, out);
                    }
                }
                "images" => value
                    .items()
                    .filter_map(reply::image)
                    .for_each(|image| self.whole(image, out)),
                "audio" => self.audio(value, out),
                _ => {}
            }
        }
    }

    fn audio(&mut self, node: Node<'_>, out: &mut Vec<Event>) {
        if let Some(words) = said(node, "transcript") {
            self.say(Lane::Text, words.into_owned(), out);
        }
        if let Some(data) = said(node, "data") {
            match self.sound.last_mut() {
                // Base64 joins where nothing was padded.
                Some(last) if !last.ends_with('=') => last.push_str(&data),
                _ => self.sound.push(data.into_owned()),
            }
        }
    }
}
