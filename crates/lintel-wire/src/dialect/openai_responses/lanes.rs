//! Parts of a stream that may interleave, put one after the other as the grammar of events demands.
//!
//! The first lane's deltas leave at once. Text and reasoning give way when something else begins, and go on as a new
//! part if more of them comes; a call of a tool can't be cut, so what comes meanwhile waits for its end.

use std::collections::VecDeque;

use lintel_types::canon::{Delta, Event, Opening};

/// The lanes of one answer.
#[derive(Default)]
pub(super) struct Lanes {
    queue: VecDeque<Lane>,
    finished: Vec<Lane>,
}

struct Lane {
    key: String,
    opening: Opening,
    /// Deltas that wait for their turn.
    waiting: Vec<Delta>,
    started: bool,
    ended: bool,
    /// The text, and how many citations, that came so far.
    text: String,
    citations: usize,
}

impl Lane {
    fn new(key: &str, opening: Opening) -> Self {
        Self {
            key: key.to_owned(),
            opening,
            waiting: Vec::new(),
            started: false,
            ended: false,
            text: String::new(),
            citations: 0,
        }
    }

    fn gives_way(&self) -> bool {
        !matches!(self.opening, Opening::ToolCall { .. } | Opening::Whole(_))
    }
}

impl Lanes {
    /// Whether a part called `key` has begun.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: &str) -> Option<&Lane> {
        let mut all = self.queue.iter().chain(&self.finished);
        all.find(|l| l.key == key)
    }

    /// Begins the part called `key`, unless it has begun.
    pub(super) fn begin(&mut self, key: &str, opening: Opening, out: &mut Vec<Event>) {
        if !self.knows(key) {
            self.queue.push_back(Lane::new(key, opening));
            self.pump(out);
        }
    }

    /// The part called `key` goes on.
    pub(super) fn delta(&mut self, key: &str, delta: Delta, out: &mut Vec<Event>) {
        if matches!(&delta, Delta::Text(text) if text.is_empty()) {
            return;
        }
        if !self.queue.iter().any(|l| l.key == key) && !self.reopen(key, out) {
            return;
        }
        let first = self.queue.front().is_some_and(|l| l.key == key);
        if let Some(lane) = self.queue.iter_mut().find(|l| l.key == key) {
            match &delta {
                Delta::Text(text) => lane.text.push_str(text),
                Delta::Citation(_) => lane.citations += 1,
                Delta::Seal(_) => {}
            }
            if first && lane.started {
                out.push(Event::Delta { choice: 0, delta });
            } else {
                lane.waiting.push(delta);
            }
        }
    }

    /// A part that gave way goes on as a new one.
    fn reopen(&mut self, key: &str, out: &mut Vec<Event>) -> bool {
        let at = self
            .finished
            .iter()
            .position(|l| l.key == key && l.gives_way());
        let Some(at) = at else { return false };
        let mut lane = self.finished.remove(at);
        (lane.started, lane.ended) = (false, false);
        self.queue.push_back(lane);
        self.pump(out);
        true
    }

    /// The whole text of the part called `key` is `text`: sends what hasn't come yet. Where what came is no
    /// beginning of it, what came stands.
    pub(super) fn rest(&mut self, key: &str, text: &str, out: &mut Vec<Event>) {
        let come = self.find(key).map_or("", |l| l.text.as_str());
        let rest = text.strip_prefix(come).unwrap_or_default().to_owned();
        self.delta(key, Delta::Text(rest), out);
    }

    /// How many citations of the part called `key` have come.
    pub(super) fn citations(&self, key: &str) -> usize {
        self.find(key).map_or(0, |l| l.citations)
    }

    /// The part called `key` is whole.
    pub(super) fn end(&mut self, key: &str, out: &mut Vec<Event>) {
        if let Some(lane) = self.queue.iter_mut().find(|l| l.key == key) {
            lane.ended = true;
        }
        self.pump(out);
    }

    /// Every part is whole.
    pub(super) fn flush(&mut self, out: &mut Vec<Event>) {
        self.queue.iter_mut().for_each(|l| l.ended = true);
        self.pump(out);
    }

    /// Sends what may leave.
    fn pump(&mut self, out: &mut Vec<Event>) {
        loop {
            let others = self.queue.len() > 1;
            let Some(lane) = self.queue.front_mut() else {
                return;
            };
            if !lane.started {
                lane.started = true;
                let part = lane.opening.clone();
                out.push(Event::PartStart { choice: 0, part });
                let waiting = std::mem::take(&mut lane.waiting);
                out.extend(
                    waiting
                        .into_iter()
                        .map(|delta| Event::Delta { choice: 0, delta }),
                );
            }
            if !(lane.ended || others && lane.gives_way()) {
                return;
            }
            out.push(Event::PartEnd { choice: 0 });
            self.finished.extend(self.queue.pop_front());
        }
    }
}
