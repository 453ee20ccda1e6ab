//! The guard step: the request's guards judge, and only what they clear can be sent.

use bytes::Bytes;
use lintel_guard::{Chain, Cleared, Uninspected};
use lintel_policy::{Inspection, Route};
use lintel_types::{Error, Kind, Rendered, SpanEdit, Verdict};

use crate::head::Parsed;

/// What the guards said of a request, and the guards for its answer.
pub(crate) struct Guarded {
    chain: Chain,
    verdict: Option<Verdict>,
}

impl Guarded {
    /// Clears what one attempt sends.
    pub(crate) fn clear(
        &self,
        parsed: &Parsed,
        edits: &[SpanEdit],
    ) -> Result<Cleared<Rendered>, Error> {
        Ok(self.cleared(self.render(parsed, edits)?))
    }

    /// Clears a translation of what [`Guarded::render`] gave.
    pub(crate) fn clear_translated(&self, bytes: Bytes) -> Cleared<Rendered> {
        self.cleared(Rendered {
            len: bytes.len(),
            pieces: vec![bytes],
        })
    }

    /// The request as the guards left it, with an attempt's edits.
    pub(crate) fn render(&self, parsed: &Parsed, edits: &[SpanEdit]) -> Result<Rendered, Error> {
        parsed.body.render(edits).map_err(|e| {
            Error::gateway(Kind::Internal, "internal", "the request's edits overlap").because(e)
        })
    }

    fn cleared(&self, rendered: Rendered) -> Cleared<Rendered> {
        match &self.verdict {
            Some(verdict) => self.chain.clear_request(verdict, rendered),
            None => Cleared::uninspected(rendered, Uninspected::declared_by_route()),
        }
    }

    /// The guards of the answer; none when the route declares that its bytes pass unseen.
    pub(crate) fn chain(&self) -> Option<&Chain> {
        self.verdict.is_some().then_some(&self.chain)
    }
}

/// Judges the request.
pub(crate) fn judge(route: &Route, parsed: &mut Parsed) -> Result<Guarded, Error> {
    let chain = Chain::default();
    if route.inspection == Inspection::Uninspected {
        return Ok(Guarded {
            chain,
            verdict: None,
        });
    }
    let parts = if chain.is_empty() {
        Vec::new()
    } else {
        parsed.spec.parts(parsed.body.bytes())?
    };
    match chain.request(&mut parsed.body, &parts) {
        Ok(verdict) => Ok(Guarded {
            chain,
            verdict: Some(verdict),
        }),
        Err(verdict) => Err(blocked(&verdict)),
    }
}

/// The refusal of a guard. Reasons are for the log; the client learns that it was a guard.
pub(crate) fn blocked(verdict: &Verdict) -> Error {
    Error::gateway(
        Kind::Permission,
        "blocked_by_guard",
        "a guard of this route blocked the call",
    )
    .because(verdict.reasons.join("; "))
}
