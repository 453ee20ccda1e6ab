//! A target's stream: chunks become canonical events. Each choice is followed by itself in [`choice`].
//!
//! Stops and usage leave at the end of the stream, not with the chunk that brings them: hosts send text after a
//! `finish_reason`, and usage in every chunk, of which only the last counts.

use lintel_types::Usage;
use lintel_types::canon::{Event, StreamError};

use super::super::super::{Decoder, Way};
use super::super::citation;
use crate::hosts::Host;
use crate::json::{self, Kind, Node};
use crate::provider::openai::usage;
use crate::provider::read_error;

mod calls;
mod choice;
mod delta;
mod details;

use choice::Choice;

/// Reads one stream.
pub(crate) struct Chunks {
    host: &'static Host,
    json_tool: bool,
    /// Begins the ids of calls that come without one.
    id: String,
    started: bool,
    over: bool,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    cited: bool,
}

impl Chunks {
    /// A reader for one stream of `way`'s target.
    pub(crate) fn new(way: &Way) -> Self {
        Self {
            host: way.host,
            json_tool: way.json_tool,
            id: way.id.clone(),
            started: false,
            over: false,
            choices: Vec::with_capacity(1),
            usage: None,
            cited: false,
        }
    }

    fn chunk(&mut self, root: Node<'_>, data: &[u8], out: &mut Vec<Event>) {
        let chunk = Chunk::of(root);
        let filled = chunk.choices.is_some_and(|c| c.items().next().is_some());
        let used = chunk
            .usage
            .and_then(|u| usage::read(u, self.host.hidden_reasoning));
        let erred = chunk.error.is_some();
        // Azure's first chunk names neither model nor time: nothing begins before something is said.
        if !filled && used.is_none() && !erred {
            return;
        }
        if !self.started {
            self.started = true;
            out.push(chunk.start());
        }
        self.usage = used.or(self.usage.take());
        for node in chunk.choices.iter().flat_map(Node::items) {
            let index = node.get("index").and_then(|i| i.u64()).unwrap_or(0);
            self.choice(u32::try_from(index).unwrap_or(0))
                .read(node, out);
        }
        if let Some(list) = chunk.citations.filter(|_| !self.cited)
            && let [only] = self.choices.as_mut_slice()
        {
            self.cited = only.cite(citation::read_list(list), out);
        }
        if erred {
            self.error(data, out);
        }
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let at = self.choices.iter().position(|c| c.index == index);
        let at = at.unwrap_or_else(|| {
            let ids = format!("call_{}_{index}_", self.id);
            self.choices.push(Choice::new(index, ids, self.json_tool));
            self.choices.len() - 1
        });
        #[allow(
            clippy::indexing_slicing,
            reason = "`at` was found in the list or is its last"
        )]
        &mut self.choices[at]
    }

    fn error(&mut self, data: &[u8], out: &mut Vec<Event>) {
        self.over = true;
        out.extend(self.usage.take().map(Event::Usage));
        let error = read_error(data);
        out.push(Event::Error(StreamError {
            message: error.message,
            kind_name: error.kind_name,
            code: error.code,
        }));
    }

    /// Closes what is open. `clean`: the host has said that this is all.
    fn end(&mut self, clean: bool, out: &mut Vec<Event>) {
        if self.over || !self.started {
            return;
        }
        self.over = true;
        // A stream without choices has nothing that could have been cut.
        let stopped = clean || self.choices.iter().all(Choice::has_stopped);
        self.choices.iter_mut().for_each(|c| c.close(out));
        out.extend(self.usage.take().map(Event::Usage));
        if stopped {
            out.extend(self.choices.iter().map(Choice::stop));
            out.push(Event::End);
        }
    }
}

impl Decoder for Chunks {
    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if data.trim_ascii() == b"[DONE]" {
            return self.end(true, out);
        }
        if let Ok(root) = json::parse(data) {
            self.chunk(root, data, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        self.end(false, out);
    }
}

/// The members of a chunk that matter, found in one pass.
#[derive(Default)]
struct Chunk<'a> {
    id: Option<Node<'a>>,
    model: Option<Node<'a>>,
    created: Option<Node<'a>>,
    choices: Option<Node<'a>>,
    usage: Option<Node<'a>>,
    error: Option<Node<'a>>,
    citations: Option<Node<'a>>,
}

impl<'a> Chunk<'a> {
    fn of(root: Node<'a>) -> Self {
        let mut chunk = Self::default();
        let mut groq = None;
        for (key, value) in root.members() {
            match &*key {
                "id" => chunk.id = Some(value),
                "model" => chunk.model = Some(value),
                "created" => chunk.created = Some(value),
                "choices" => chunk.choices = Some(value),
                "usage" if value.kind() == Kind::Object => chunk.usage = Some(value),
                "x_groq" => groq = value.get("usage"),
                "error" if !value.is_null() => chunk.error = Some(value),
                "citations" => chunk.citations = Some(value),
                _ => {}
            }
        }
        chunk.usage = chunk.usage.or(groq);
        chunk
    }

    fn start(&self) -> Event {
        let text = |node: Option<Node<'_>>| node.and_then(super::full).map(|t| t.into_owned());
        let created = self.created.and_then(|c| c.u64());
        Event::Start {
            id: text(self.id),
            model: text(self.model),
            created: created.filter(|c| *c > 0),
        }
    }
}
