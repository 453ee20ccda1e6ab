//! The plan step: the ordered attempts that the route allows for this call.
//!
//! Only targets that can answer the caller's operation are in it. Where there is none, a call that only counts
//! tokens is answered without any; every other is refused by name.

use std::sync::Arc;

use bytes::Bytes;
use lintel_config::{Provider, Snapshot};
use lintel_policy::{Planned, Route};
use lintel_types::{Error, Kind};
use lintel_wire::provider::{Spoken, speak};
use lintel_wire::surface::SurfaceSpec;

/// One attempt that may be made, with everything it needs.
pub(crate) struct Candidate {
    pub(crate) planned: Planned,
    pub(crate) provider: Arc<Provider>,
    /// How the target is called.
    pub(crate) spoken: Spoken,
}

/// How a call is answered.
pub(crate) enum Plan {
    /// By one of these.
    Attempts(Vec<Candidate>),
    /// By an estimate, written so.
    Estimate(fn(u64) -> Bytes),
}

/// Plans the call.
pub(crate) fn make(
    snapshot: &Snapshot,
    route: &Route,
    spec: &dyn SurfaceSpec,
    random: u64,
) -> Result<Plan, Error> {
    let surface = spec.surface();
    let plan = lintel_policy::plan(route, random);
    let candidates: Vec<Candidate> = plan
        .attempts
        .into_iter()
        .filter_map(|planned| {
            let provider = snapshot.providers.get(planned.target.provider_index)?;
            let speaks = provider.sandbox.as_ref().and_then(|s| s.speaks);
            let spoken = speak(provider.protocol, provider.host, surface, speaks)?;
            Some(Candidate {
                planned,
                provider: Arc::clone(provider),
                spoken,
            })
        })
        .collect();
    if !candidates.is_empty() {
        return Ok(Plan::Attempts(candidates));
    }
    if let Some(write) = spec.counts() {
        return Ok(Plan::Estimate(write));
    }
    let text = format!(
        "no target of `{}` speaks {}: call it through its own protocol's path",
        route.name,
        surface.name()
    );
    Err(Error::client(Kind::InvalidRequest, "unsupported", text))
}
