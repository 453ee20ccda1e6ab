//! The plan step: the ordered attempts that the route allows for this call.
//!
//! Only targets that speak the caller's protocol are in it: what would need translation is refused by name.

use std::sync::Arc;

use lintel_config::{Provider, Snapshot};
use lintel_policy::{Planned, Route};
use lintel_types::{Error, Kind, Surface};
use lintel_wire::provider::{Spoken, speak};

/// One attempt that may be made, with everything it needs.
pub(crate) struct Candidate {
    pub(crate) planned: Planned,
    pub(crate) provider: Arc<Provider>,
    /// How the target is called.
    pub(crate) spoken: Spoken,
}

/// Plans the call.
pub(crate) fn make(
    snapshot: &Snapshot,
    route: &Route,
    surface: Surface,
    random: u64,
) -> Result<Vec<Candidate>, Error> {
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
    if candidates.is_empty() {
        let text = format!(
            "no target of `{}` speaks {}: call it through its own protocol's path",
            route.name,
            surface.name()
        );
        return Err(Error::client(Kind::InvalidRequest, "unsupported", text));
    }
    Ok(candidates)
}
