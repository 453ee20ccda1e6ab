//! `GET /v1/models(/{id})`: what the caller's key may name.

use lintel_config::Snapshot;
use lintel_types::{Error, Kind, Principal, Protocol, Timestamp};
use lintel_wire::models::{ModelEntry, list, one};

use crate::entry::Asked;
use crate::route::{callable, resolve};

/// The answer, as JSON.
pub(crate) fn answer(
    asked: &Asked,
    snapshot: &Snapshot,
    principal: &Principal,
    protocol: Protocol,
    born: Timestamp,
) -> Result<String, Error> {
    let entry = |id: String| ModelEntry { id, created: born };
    match asked {
        Asked::Model(id) => {
            // What this key may not name doesn't exist for it.
            resolve(snapshot, principal, id).map_err(|e| match e.kind() {
                Kind::Permission => Error::client(Kind::NotFound, "model_not_found", "this key can call no model of that name: GET /v1/models lists what it may call"),
                _ => e,
            })?;
            Ok(one(protocol, &entry(id.clone())))
        }
        Asked::Models | Asked::Call(..) => {
            let entries: Vec<ModelEntry> = callable(snapshot, principal)
                .into_iter()
                .map(entry)
                .collect();
            Ok(list(protocol, &entries))
        }
    }
}
