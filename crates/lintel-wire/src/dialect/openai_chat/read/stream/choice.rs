//! One choice of a stream: which part is open, and what waits for it to close.
//!
//! Text, reasoning and refusals give way to whatever comes next. A call stays open until its arguments are
//! whole: what comes in between is held back, so that parts never overlap and the next call need not wait
//! for the end of the stream.

use lintel_types::canon::{
    At, Citation, Delta, Event, Opening, Part, PartKind, Source, Stop, StopReason,
};

use super::super::super::super::JSON_TOOL;
use super::super::super::stop;
use super::super::parts;
use super::calls::Calls;
use super::details::Details;

/// What kind of part something belongs to; a call by its place in the list of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Text,
    Refusal,
    Reasoning,
    Call(usize),
}

/// One choice.
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) open: Option<Lane>,
    /// What came while a call was open that isn't whole.
    pub(super) held: Vec<(Lane, String)>,
    pub(super) calls: Calls,
    pub(super) details: Details,
    /// Citations that no text has taken yet.
    citations: Vec<Citation>,
    /// Reasoning was spelled as a string: details repeat it.
    pub(super) spelled: bool,
    pub(super) sound: Vec<String>,
    pub(super) word: Option<String>,
    pub(super) sequence: Option<String>,
    json_tool: bool,
    unwrapped: bool,
}

impl Choice {
    pub(super) fn new(index: u32, ids: String, json_tool: bool) -> Self {
        Self {
            index,
            open: None,
            held: Vec::new(),
            calls: Calls::new(ids),
            details: Details::default(),
            citations: Vec::new(),
            spelled: false,
            sound: Vec::new(),
            word: None,
            sequence: None,
            json_tool,
            unwrapped: false,
        }
    }

    /// More text for a part of `lane`.
    pub(super) fn say(&mut self, lane: Lane, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        if self.busy(lane) {
            return self.hold(lane, text);
        }
        self.start(lane, out);
        self.put(Delta::Text(text), out);
    }

    /// More arguments for a call.
    pub(super) fn call(&mut self, at: usize, more: String, out: &mut Vec<Event>) {
        let lane = Lane::Call(at);
        if self.open != Some(lane) && self.calls.is_begun(at) {
            // It was whole: what comes late is of no use.
            return;
        }
        if self.busy(lane) || !self.calls.is_named(at) {
            self.hold(lane, more);
        } else {
            self.start(lane, out);
            self.feed(at, more, out);
        }
        self.drain(false, out);
    }

    /// Arguments for the open call.
    fn feed(&mut self, at: usize, more: String, out: &mut Vec<Event>) {
        if !more.is_empty() {
            self.calls.grow(at, &more);
            self.put(Delta::Text(more), out);
        }
    }

    /// Whether something else than `lane` is open and can't be closed.
    pub(super) fn busy(&self, lane: Lane) -> bool {
        match self.open {
            Some(open) if open == lane => false,
            Some(Lane::Call(at)) => !self.calls.is_whole(at),
            _ => !self.held.is_empty(),
        }
    }

    fn hold(&mut self, lane: Lane, text: String) {
        // Text goes on where text was last; a call is one, whatever stands between its pieces.
        let waiting = match lane {
            Lane::Call(_) => self.held.iter_mut().find(|(of, _)| *of == lane),
            _ => self.held.last_mut().filter(|(of, _)| *of == lane),
        };
        match waiting {
            Some((_, waiting)) => waiting.push_str(&text),
            None => self.held.push((lane, text)),
        }
    }

    /// Tells what was held back, as far as the open call allows. `all`: nothing more comes.
    fn drain(&mut self, all: bool, out: &mut Vec<Event>) {
        while !self.held.is_empty() {
            if let Some(Lane::Call(at)) = self.open
                && !self.calls.is_whole(at)
                && !all
            {
                return;
            }
            let (lane, text) = self.held.remove(0);
            match lane {
                Lane::Call(at) if !self.calls.is_named(at) => {
                    if !all {
                        return self.held.insert(0, (lane, text));
                    }
                }
                Lane::Call(at) => {
                    self.start(lane, out);
                    self.feed(at, text, out);
                }
                _ => {
                    self.start(lane, out);
                    self.put(Delta::Text(text), out);
                }
            }
        }
    }

    /// Opens a part of `lane`, unless it is open; what else is open closes.
    pub(super) fn start(&mut self, lane: Lane, out: &mut Vec<Event>) {
        if self.open == Some(lane) {
            return;
        }
        self.shut(out);
        let (part, seal) = match lane {
            Lane::Text => (Opening::Text, None),
            Lane::Refusal => (Opening::Refusal, None),
            Lane::Reasoning => (self.details.opening(), None),
            Lane::Call(at) => self
                .calls
                .begin(at, |call| self.json_tool && call == JSON_TOOL),
        };
        self.unwrapped |= matches!((lane, &part), (Lane::Call(_), Opening::Text));
        self.open = Some(lane);
        let choice = self.index;
        out.push(Event::PartStart { choice, part });
        if let Some(seal) = seal {
            self.put(Delta::Seal(seal), out);
        }
        if lane == Lane::Text {
            for citation in std::mem::take(&mut self.citations) {
                self.put(Delta::Citation(citation), out);
            }
        }
    }

    pub(super) fn put(&self, delta: Delta, out: &mut Vec<Event>) {
        let choice = self.index;
        out.push(Event::Delta { choice, delta });
    }

    /// Closes the open part.
    fn shut(&mut self, out: &mut Vec<Event>) {
        let Some(lane) = self.open.take() else {
            return;
        };
        if lane == Lane::Reasoning
            && let Some(seal) = self.details.take_seal()
        {
            self.put(Delta::Seal(seal), out);
        }
        let choice = self.index;
        out.push(Event::PartEnd { choice });
    }

    pub(super) fn whole(&mut self, kind: PartKind, out: &mut Vec<Event>) {
        if self.busy(Lane::Text) {
            // An open call can't be interrupted, and an image can't be held as text.
            return;
        }
        self.shut(out);
        let choice = self.index;
        let part = Opening::Whole(Part::new(kind, At::default()));
        out.push(Event::PartStart { choice, part });
        out.push(Event::PartEnd { choice });
    }

    /// Adds citations to the text that is open, or else to the next one; false when there are none.
    pub(super) fn cite(
        &mut self,
        found: impl Iterator<Item = Citation>,
        out: &mut Vec<Event>,
    ) -> bool {
        let before = self.citations.len();
        self.citations.extend(found);
        let some = self.citations.len() > before;
        if self.open == Some(Lane::Text) {
            for citation in std::mem::take(&mut self.citations) {
                self.put(Delta::Citation(citation), out);
            }
        }
        some
    }

    /// Closes everything.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        self.drain(true, out);
        if self.details.is_sealed() {
            self.start(Lane::Reasoning, out);
        }
        self.shut(out);
        for data in std::mem::take(&mut self.sound) {
            // Streams of sound are raw samples.
            let media_type = parts::media_type("pcm16");
            self.whole(PartKind::Audio(Source::Inline { media_type, data }), out);
        }
    }

    /// Whether the host has said why it stopped.
    pub(super) fn has_stopped(&self) -> bool {
        self.word.is_some()
    }

    /// Why it stopped.
    pub(super) fn stop(&self) -> Event {
        let calls = self.calls.any_begun();
        let mut stop: Stop = stop::read(self.word.as_deref(), self.sequence.clone(), calls);
        if self.unwrapped && stop.reason == StopReason::ToolUse {
            stop.reason = StopReason::EndTurn;
        }
        let choice = self.index;
        Event::Stop { choice, stop }
    }
}
