//! A provider's stream on its way through: cut into events, watched, stripped of what Lintel asked for, guarded.
//!
//! What isn't removed or redacted leaves as the very bytes that came.

use bytes::{Bytes, BytesMut};
use lintel_guard::{Chain, Cleared, StreamChain, Uninspected};
use lintel_types::Verdict;
use lintel_wire::framing::{BadFrame, Framing};
use lintel_wire::provider::{EventFacts, ReplyFacts, StreamMeter};
use lintel_wire::surface::{ErrorBody, SurfaceSpec};

use crate::translate::Translator;

/// One stream's state.
pub(crate) struct Flow {
    framing: Framing,
    passing: Passing,
    guards: Option<StreamChain>,
}

/// How a stream's events pass.
pub(crate) enum Passing {
    /// As they are.
    Same,
    /// As they are, but for the usage chunk that is there only because Lintel asked for it.
    WithoutUsage,
    /// In another dialect.
    Translated(Translator),
}

/// What some bytes of a stream brought.
pub(crate) struct Taken {
    /// What may go to the client now.
    pub(crate) bytes: Cleared<Bytes>,
    /// Content was among it.
    pub(crate) content: bool,
    /// The protocol's last event was among it.
    pub(crate) terminal: bool,
    /// An error event was among it.
    pub(crate) error: bool,
}

/// Why a stream can't go on.
pub(crate) enum Stuck {
    /// An event is longer than what is held.
    TooLong,
    /// What came is no event; the sentence says why.
    Malformed(&'static str),
    /// A guard blocks it.
    Blocked(Verdict),
}

impl From<BadFrame> for Stuck {
    fn from(bad: BadFrame) -> Self {
        match bad {
            BadFrame::TooLong => Stuck::TooLong,
            BadFrame::Malformed(why) => Stuck::Malformed(why),
        }
    }
}

impl Flow {
    pub(crate) fn new(framing: Framing, passing: Passing, chain: Option<&Chain>) -> Self {
        Self {
            framing,
            passing,
            guards: chain.map(Chain::stream),
        }
    }

    /// Takes the next bytes.
    pub(crate) fn take(
        &mut self,
        chunk: Bytes,
        meter: &mut dyn StreamMeter,
    ) -> Result<Taken, Stuck> {
        let block = self.framing.push(chunk)?;
        self.pass(block, false, meter)
    }

    /// The stream has ended: gives the rest.
    pub(crate) fn finish(&mut self, meter: &mut dyn StreamMeter) -> Result<Taken, Stuck> {
        let rest = self.framing.finish()?;
        let mut taken = self.pass(rest, true, meter)?;
        if let Some(guards) = &mut self.guards {
            let last = guards.finish().map_err(Stuck::Blocked)?;
            if taken.bytes.get().is_empty() {
                taken.bytes = last;
            } else if !last.get().is_empty() {
                // Both parts were cleared by the same chain; it clears them again as one.
                let whole = [taken.bytes.into_inner(), last.into_inner()].concat();
                taken.bytes = Chain::default()
                    .reply(Bytes::from(whole))
                    .map_err(Stuck::Blocked)?;
            }
        }
        Ok(taken)
    }

    /// The end of a stream that fails, in the client's dialect.
    pub(crate) fn error(&mut self, dialect: &dyn SurfaceSpec, error: &ErrorBody<'_>) -> Bytes {
        match &mut self.passing {
            Passing::Translated(translator) => translator.error(error),
            Passing::Same | Passing::WithoutUsage => dialect.stream_error(error),
        }
    }

    fn pass(
        &mut self,
        block: Bytes,
        last: bool,
        meter: &mut dyn StreamMeter,
    ) -> Result<Taken, Stuck> {
        let (mut content, mut terminal, mut error) = (false, false, false);
        let mut kept: Option<BytesMut> = None;
        let mut offset = 0;
        let mut translated = Vec::new();
        for event in self.framing.events(block.clone()) {
            let facts = event
                .data
                .as_ref()
                .map(|d| meter.event(d))
                .unwrap_or_default();
            content |= facts.content;
            terminal |= facts.terminal;
            error |= facts.error;
            if let Passing::Translated(translator) = &mut self.passing {
                if let Some(data) = &event.data {
                    translator.event(data, &mut translated);
                }
                continue;
            }
            if matches!(self.passing, Passing::WithoutUsage) && facts.usage_only {
                kept.get_or_insert_with(|| BytesMut::from(block.get(..offset).unwrap_or_default()));
            } else if let Some(kept) = &mut kept {
                kept.extend_from_slice(&event.bytes);
            }
            offset += event.bytes.len();
        }
        let bytes = if let Passing::Translated(translator) = &mut self.passing {
            if last {
                translator.finish(&mut translated);
            }
            Bytes::from(translated)
        } else {
            kept.map_or(block, BytesMut::freeze)
        };
        let bytes = match &mut self.guards {
            Some(guards) => guards.push(bytes).map_err(Stuck::Blocked)?,
            None => Cleared::uninspected(bytes, Uninspected::declared_by_route()),
        };
        Ok(Taken {
            bytes,
            content,
            terminal,
            error,
        })
    }
}

/// Watches nothing: for what follows a settled answer.
#[derive(Default)]
pub(crate) struct Deaf {
    facts: ReplyFacts,
}

impl StreamMeter for Deaf {
    fn event(&mut self, _data: &[u8]) -> EventFacts {
        EventFacts::default()
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_wire::framing::FramingKind;
    use lintel_wire::hosts::generic;
    use lintel_wire::provider::{OPENAI, own};
    use lintel_wire::surface::OPENAI_CHAT;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n: comment\n\ndata: [DONE]\n\n";

    fn through(strip: bool, chunk: usize) -> (String, Vec<&'static str>) {
        let mut meter = own(OPENAI).unwrap().meter(generic(OPENAI), OPENAI_CHAT);
        let chain = Chain::default();
        let framing = Framing::new(FramingKind::Sse, 1_000);
        let mut flow = Flow::new(
            framing,
            if strip {
                Passing::WithoutUsage
            } else {
                Passing::Same
            },
            Some(&chain),
        );
        let (mut text, mut seen) = (String::new(), Vec::new());
        let mut note = |taken: Taken| {
            text.push_str(std::str::from_utf8(taken.bytes.get()).unwrap());
            seen.extend(taken.content.then_some("content"));
            seen.extend(taken.terminal.then_some("terminal"));
        };
        for piece in STREAM.as_bytes().chunks(chunk) {
            note(
                flow.take(Bytes::copy_from_slice(piece), &mut *meter)
                    .ok()
                    .unwrap(),
            );
        }
        note(flow.finish(&mut *meter).ok().unwrap());
        (text, seen)
    }

    #[test]
    fn byte_exact_but_for_the_usage_that_was_asked_for() {
        for chunk in 1..=STREAM.len() {
            assert_eq!(
                through(false, chunk),
                (STREAM.to_owned(), vec!["content", "terminal"]),
                "{chunk}"
            );
            let without = STREAM.replace(
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
                "",
            );
            assert_eq!(through(true, chunk).0, without, "{chunk}");
        }
    }
}
