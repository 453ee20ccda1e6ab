//! The guard stage: every guard of a route judges, their verdicts are joined, the edits are made.
//!
//! Guards only add up: global, then tenant, then route. An empty chain allows everything, and still
//! is the only way to a [`Cleared`].

use std::sync::Arc;

use bytes::Bytes;
use lintel_types::{Body, ContentPart, Level, Rendered, SpanEdit, Verdict};

use crate::cleared::{Clearance, Cleared};
use crate::guard::{Direction, Guard, Subject};
use crate::stream::StreamChain;

/// The guards of a route, in order.
#[derive(Clone, Default)]
pub struct Chain {
    guards: Vec<Arc<dyn Guard>>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.guards.iter().map(|g| g.name()))
            .finish()
    }
}

impl Chain {
    /// A chain of `guards`.
    pub fn new(guards: Vec<Arc<dyn Guard>>) -> Self {
        Self { guards }
    }

    /// Whether nobody judges. Then content parts need not be gathered.
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty()
    }

    /// Judges a request body. Its redactions become edits of the body.
    pub fn request<V>(
        &self,
        body: &mut Body<V>,
        parts: &[ContentPart],
    ) -> Result<Verdict, Verdict> {
        let bytes = body.bytes().clone();
        let verdict = self.judge(&Subject {
            direction: Direction::Request,
            bytes: &bytes,
            parts,
        });
        if verdict.level >= Level::Approve {
            return Err(verdict);
        }
        for edit in &verdict.edits {
            if body
                .edit(edit.range.clone(), Bytes::from(edit.with.clone()))
                .is_err()
            {
                return Err(unusable(verdict));
            }
        }
        Ok(verdict)
    }

    /// Clears the rendered bytes of a body that [`Chain::request`] has allowed.
    pub fn clear_request(&self, verdict: &Verdict, rendered: Rendered) -> Cleared<Rendered> {
        Cleared::new(rendered, Clearance::Inspected(verdict.level))
    }

    /// Judges a whole reply.
    pub fn reply(&self, bytes: Bytes) -> Result<Cleared<Bytes>, Verdict> {
        if self.is_empty() {
            return Ok(Cleared::new(bytes, Clearance::Inspected(Level::Allow)));
        }
        let verdict = self.judge(&Subject {
            direction: Direction::Reply,
            bytes: &bytes,
            parts: &[],
        });
        if verdict.level >= Level::Approve {
            return Err(verdict);
        }
        let body: Body<()> = Body::new(bytes);
        let edits: Vec<SpanEdit> = verdict
            .edits
            .iter()
            .map(|e| SpanEdit {
                range: e.range.clone(),
                with: Bytes::from(e.with.clone()),
            })
            .collect();
        match body.render(&edits) {
            Ok(rendered) => {
                let flat = rendered.pieces.concat();
                Ok(Cleared::new(
                    Bytes::from(flat),
                    Clearance::Inspected(verdict.level),
                ))
            }
            Err(_) => Err(unusable(verdict)),
        }
    }

    /// Begins to judge a stream.
    pub fn stream(&self) -> StreamChain {
        StreamChain::new(self.guards.iter().map(|g| g.stream()).collect())
    }

    fn judge(&self, subject: &Subject<'_>) -> Verdict {
        self.guards.iter().fold(Verdict::allow(), |joined, guard| {
            joined.join(guard.judge(subject))
        })
    }
}

/// Edits that can't be made together: fails closed.
fn unusable(mut verdict: Verdict) -> Verdict {
    verdict.level = Level::Block;
    verdict
        .reasons
        .push("guards want edits that overlap: blocked".into());
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::tests::Redact;

    fn body(text: &'static str) -> Body<()> {
        Body::new(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn an_empty_chain_clears_everything_untouched() {
        let chain = Chain::default();
        let bytes = Bytes::from_static(b"hello");
        let cleared = chain.reply(bytes.clone()).unwrap();
        assert_eq!(cleared.clearance(), Clearance::Inspected(Level::Allow));
        assert_eq!(cleared.into_inner().as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn redactions_become_edits() {
        let chain = Chain::new(vec![Arc::new(Redact("secret"))]);
        let mut body = body("a secret and a secret");
        let verdict = chain.request(&mut body, &[]).unwrap();
        let cleared = chain.clear_request(&verdict, body.render(&[]).unwrap());
        assert_eq!(cleared.get().pieces.concat(), b"a * and a *");
        assert_eq!(
            chain
                .reply(Bytes::from_static(b"secret!"))
                .unwrap()
                .into_inner(),
            "*!"
        );
    }

    #[test]
    fn a_block_stops_both_ways_and_overlaps_fail_closed() {
        let blocking = Chain::new(vec![Arc::new(Redact("block:x"))]);
        assert_eq!(
            blocking
                .request(&mut body("block:x"), &[])
                .unwrap_err()
                .level,
            Level::Block
        );
        assert_eq!(
            blocking
                .reply(Bytes::from_static(b"block:x"))
                .unwrap_err()
                .level,
            Level::Block
        );
        let overlapping = Chain::new(vec![Arc::new(Redact("abc")), Arc::new(Redact("bcd"))]);
        assert_eq!(
            overlapping
                .request(&mut body("abcd"), &[])
                .unwrap_err()
                .level,
            Level::Block
        );
        assert_eq!(
            overlapping
                .reply(Bytes::from_static(b"abcd"))
                .unwrap_err()
                .level,
            Level::Block
        );
    }
}
