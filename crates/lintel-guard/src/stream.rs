//! The guard stage over a stream: bytes leave when every guard has settled them, edits made.
//!
//! With no guards they leave as they came. With guards, what isn't settled is held; the slowest guard
//! decides. Edits that overlap, or that reach behind what has left, fail closed.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use lintel_types::{Edit, Level, Verdict};

use crate::cleared::{Clearance, Cleared};
use crate::guard::{Progress, StreamGuard};

/// The guards of a route at work on one stream.
pub struct StreamChain {
    guards: Vec<(Box<dyn StreamGuard>, u64)>,
    /// Bytes that have not left, the first of them at `released` from the stream's start.
    held: BytesMut,
    released: u64,
    pending: VecDeque<Edit>,
    level: Level,
}

impl std::fmt::Debug for StreamChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamChain")
            .field("guards", &self.guards.len())
            .field("held", &self.held.len())
            .finish()
    }
}

impl StreamChain {
    pub(crate) fn new(guards: Vec<Box<dyn StreamGuard>>) -> Self {
        let guards = guards.into_iter().map(|g| (g, 0)).collect();
        Self {
            guards,
            held: BytesMut::new(),
            released: 0,
            pending: VecDeque::new(),
            level: Level::Allow,
        }
    }

    /// Judges the next bytes; gives what may leave now.
    pub fn push(&mut self, bytes: Bytes) -> Result<Cleared<Bytes>, Verdict> {
        if self.guards.is_empty() {
            return Ok(Cleared::new(bytes, Clearance::Inspected(Level::Allow)));
        }
        self.held.extend_from_slice(&bytes);
        self.advance(|guard| guard.push(&bytes))
    }

    /// The stream has ended; gives the rest.
    pub fn finish(&mut self) -> Result<Cleared<Bytes>, Verdict> {
        if self.guards.is_empty() {
            return Ok(Cleared::new(
                Bytes::new(),
                Clearance::Inspected(Level::Allow),
            ));
        }
        self.advance(|guard| guard.finish())
    }

    fn advance(
        &mut self,
        mut ask: impl FnMut(&mut Box<dyn StreamGuard>) -> Progress,
    ) -> Result<Cleared<Bytes>, Verdict> {
        let mut joined = Verdict::allow();
        for (guard, settled) in &mut self.guards {
            let progress = ask(guard);
            *settled = progress.settled.max(*settled);
            joined = joined.join(progress.verdict);
        }
        self.level = self.level.max(joined.level);
        if joined.level >= Level::Approve {
            return Err(joined);
        }
        self.pending.extend(joined.edits);
        self.pending
            .make_contiguous()
            .sort_by_key(|e| (e.range.start, e.range.end));
        let settled = self
            .guards
            .iter()
            .map(|(_, s)| *s)
            .min()
            .unwrap_or(self.released);
        self.release(settled)
    }

    /// Lets the bytes before `settled` go, with their edits. An edit that reaches over it holds its start back.
    fn release(&mut self, settled: u64) -> Result<Cleared<Bytes>, Verdict> {
        let mut until = settled.min(self.released + self.held.len() as u64);
        if let Some(reaching) = self
            .pending
            .iter()
            .find(|e| (e.range.start as u64) < until && e.range.end as u64 > until)
        {
            until = reaching.range.start as u64;
        }
        let mut out = BytesMut::new();
        while let Some(edit) = self
            .pending
            .front()
            .filter(|e| e.range.end as u64 <= until && !starts_later(e, until))
        {
            let (start, end) = (edit.range.start as u64, edit.range.end as u64);
            if start < self.released {
                return Err(behind());
            }
            out.extend_from_slice(&self.take(start));
            self.take(end);
            out.extend_from_slice(edit_text(self.pending.pop_front()).as_bytes());
        }
        out.extend_from_slice(&self.take(until));
        Ok(Cleared::new(out.freeze(), Clearance::Inspected(self.level)))
    }

    /// Removes the held bytes before `until`, counted from the stream's start.
    fn take(&mut self, until: u64) -> BytesMut {
        let count = usize::try_from(until.saturating_sub(self.released))
            .unwrap_or(usize::MAX)
            .min(self.held.len());
        self.released += count as u64;
        self.held.split_to(count)
    }
}

/// An insertion exactly at the edge waits for what follows it.
fn starts_later(edit: &Edit, until: u64) -> bool {
    let Range { start, end } = edit.range;
    start == end && start as u64 == until
}

fn edit_text(edit: Option<Edit>) -> String {
    edit.map(|e| e.with).unwrap_or_default()
}

fn behind() -> Verdict {
    Verdict {
        level: Level::Block,
        reasons: vec![
            "guards want edits that overlap, or an edit of what has left already: blocked".into(),
        ],
        ..Verdict::allow()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::chain::Chain;
    use crate::guard::{Guard, Subject};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Replaces a fixed word by `*`; blocks it when the word starts with `block:`.
    pub(crate) struct Redact(pub(crate) &'static str);

    fn verdict(word: &str, text: &[u8], base: usize) -> Verdict {
        let mut found = Verdict::allow();
        let mut at = 0;
        while at + word.len() <= text.len() {
            if &text[at..at + word.len()] == word.as_bytes() {
                found.level = if word.starts_with("block:") {
                    Level::Block
                } else {
                    Level::Redact
                };
                found.edits.push(Edit {
                    range: base + at..base + at + word.len(),
                    with: "*".into(),
                });
                at += word.len();
            } else {
                at += 1;
            }
        }
        found
    }

    impl Guard for Redact {
        fn name(&self) -> &'static str {
            "redact"
        }

        fn judge(&self, subject: &Subject<'_>) -> Verdict {
            verdict(self.0, subject.bytes, 0)
        }

        fn stream(&self) -> Box<dyn StreamGuard> {
            Box::new(RedactStream {
                word: self.0,
                seen: Vec::new(),
                settled: 0,
            })
        }
    }

    struct RedactStream {
        word: &'static str,
        seen: Vec<u8>,
        settled: usize,
    }

    impl RedactStream {
        fn step(&mut self, last: bool) -> Progress {
            let all = verdict(self.word, &self.seen, 0);
            let hold = if last { 0 } else { self.word.len() - 1 };
            let reach = all.edits.last().map_or(0, |e| e.range.end);
            let settled = self
                .seen
                .len()
                .saturating_sub(hold)
                .max(reach)
                .max(self.settled);
            let edits = all
                .edits
                .into_iter()
                .filter(|e| e.range.start >= self.settled && e.range.end <= settled)
                .collect();
            self.settled = settled;
            Progress {
                settled: settled as u64,
                verdict: Verdict {
                    level: all.level,
                    edits,
                    ..Verdict::allow()
                },
            }
        }
    }

    impl StreamGuard for RedactStream {
        fn push(&mut self, bytes: &[u8]) -> Progress {
            self.seen.extend_from_slice(bytes);
            self.step(false)
        }

        fn finish(&mut self) -> Progress {
            self.step(true)
        }
    }

    fn stream(chain: &Chain, text: &[u8], chunk: usize) -> Result<Vec<u8>, Verdict> {
        let mut stream = chain.stream();
        let mut out = Vec::new();
        for piece in text.chunks(chunk.max(1)) {
            out.extend_from_slice(stream.push(Bytes::copy_from_slice(piece))?.get());
        }
        out.extend_from_slice(stream.finish()?.get());
        Ok(out)
    }

    #[test]
    fn nothing_leaves_before_it_is_settled() {
        let chain = Chain::new(vec![Arc::new(Redact("secret"))]);
        let mut stream = chain.stream();
        assert_eq!(
            stream
                .push(Bytes::from_static(b"a sec"))
                .unwrap()
                .into_inner(),
            ""
        );
        assert_eq!(
            stream
                .push(Bytes::from_static(b"ret b"))
                .unwrap()
                .into_inner(),
            "a *"
        );
        assert_eq!(stream.finish().unwrap().into_inner(), " b");
    }

    #[test]
    fn an_empty_chain_holds_nothing_and_copies_nothing() {
        let bytes = Bytes::from_static(b"data: x\n\n");
        let mut stream = Chain::default().stream();
        assert_eq!(
            stream.push(bytes.clone()).unwrap().into_inner().as_ptr(),
            bytes.as_ptr()
        );
    }

    #[test]
    fn a_block_ends_the_stream() {
        let chain = Chain::new(vec![Arc::new(Redact("block:now"))]);
        assert_eq!(
            stream(&chain, b"so block:now it is", 3).unwrap_err().level,
            Level::Block
        );
    }

    proptest! {
        /// Streaming equals batch, whatever the chunking and however many guards hold bytes back.
        #[test]
        fn streaming_equals_batch(text in "(secret|sec|ret|key|k|x| ){0,30}", chunk in 1usize..12) {
            let chain = Chain::new(vec![Arc::new(Redact("secret")), Arc::new(Redact("key"))]);
            let batch = chain.reply(Bytes::from(text.clone())).unwrap().into_inner();
            prop_assert_eq!(stream(&chain, text.as_bytes(), chunk).unwrap(), batch.to_vec());
        }
    }
}
