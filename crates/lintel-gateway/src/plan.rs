//! The plan step: the ordered attempts that the route allows for this call.
//!
//! Only targets that can answer the caller's operation are in it. Where there is none, a call that only counts
//! tokens is answered without any; every other is refused by name.

use std::sync::Arc;

use bytes::Bytes;
use lintel_config::{Provider, Snapshot};
use lintel_policy::{Planned, Route};
use lintel_types::{Caps, Error, Kind};
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

/// Those whose target may serve a key with these caps.
fn allowed(mut candidates: Vec<Candidate>, caps: &Caps) -> Vec<Candidate> {
    if caps.models.is_some() {
        candidates.retain(|c| {
            let target = &c.planned.target;
            caps.allow_target(&target.provider, &target.model)
        });
    }
    candidates
}

/// Plans the call.
pub(crate) fn make(
    snapshot: &Snapshot,
    route: &Route,
    spec: &dyn SurfaceSpec,
    caps: &Caps,
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
    let speaking = candidates.len();
    let candidates = allowed(candidates, caps);
    if !candidates.is_empty() {
        return Ok(Plan::Attempts(candidates));
    }
    if speaking > 0 {
        let text = format!(
            "this key may call none of the models behind `{}`: ask for a key that may",
            route.name
        );
        return Err(Error::client(Kind::Permission, "model_not_allowed", text));
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
