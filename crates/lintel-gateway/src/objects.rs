//! Objects that providers keep (stored responses, files, containers): whose they are, and who may name them.
//!
//! An id is reachable only through the row that was written when the object was made, for the tenant that made
//! it, at the account where it lives. An id without such a row doesn't exist, whoever else may have one.
//! Rows are in the journal before the answer that names them is whole; the index below bridges the moment until
//! the ledger has them too.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use lintel_store::Queries;
use lintel_types::{Error, Kind, Made, Principal, ResourceKind};
use lintel_wire::provider::Objects;
use lintel_wire::resources::{Named, named};
use parking_lot::Mutex;

use crate::head::Parsed;
use crate::plan::Candidate;
use crate::shared::Shared;

/// Objects made lately that are remembered; older ones are in the ledger.
const REMEMBERED: usize = 65_536;

/// Which tenant made which object where.
pub(crate) struct Index {
    recent: Mutex<Recent>,
    queries: Option<Queries>,
}

#[derive(Default)]
struct Recent {
    owners: HashMap<Key, Owner>,
    order: VecDeque<Key>,
}

/// Kind and id at a provider.
type Key = (ResourceKind, Arc<str>);

#[derive(Clone)]
struct Owner {
    tenant: Arc<str>,
    provider: Arc<str>,
}

impl Index {
    /// An index over the ledger's rows; without a ledger, over what is made from now on.
    pub(crate) fn new(queries: Option<Queries>) -> Self {
        Self {
            recent: Mutex::default(),
            queries,
        }
    }

    /// `tenant` made this object.
    pub(crate) fn made(&self, tenant: &Arc<str>, provider: &Arc<str>, made: &Made) {
        let key: Key = (made.kind, Arc::clone(&made.id));
        let owner = Owner {
            tenant: Arc::clone(tenant),
            provider: Arc::clone(provider),
        };
        let mut recent = self.recent.lock();
        // The first owner stays, as in the ledger.
        if recent.owners.contains_key(&key) {
            return;
        }
        if recent.order.len() == REMEMBERED
            && let Some(oldest) = recent.order.pop_front()
        {
            recent.owners.remove(&oldest);
        }
        recent.order.push_back(key.clone());
        recent.owners.insert(key, owner);
    }

    /// The accounts at which `tenant` has an object of this id.
    pub(crate) async fn homes(
        &self,
        tenant: &Arc<str>,
        kind: ResourceKind,
        id: &str,
    ) -> Result<Vec<Arc<str>>, Error> {
        let key: Key = (kind, Arc::from(id));
        let known = self.recent.lock().owners.get(&key).cloned();
        if let Some(owner) = known.filter(|o| o.tenant == *tenant) {
            return Ok(vec![owner.provider]);
        }
        let Some(queries) = self.queries.clone() else {
            return Ok(Vec::new());
        };
        let (tenant, id) = (Arc::clone(tenant), id.to_owned());
        let read = tokio::task::spawn_blocking(move || queries.resource(&tenant, kind, &id));
        let rows = read.await.map_err(unreadable)?.map_err(unreadable)?;
        Ok(rows.into_iter().map(|row| row.provider).collect())
    }
}

fn unreadable(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = "the rows of provider-side objects can't be read: try again shortly";
    Error::gateway(Kind::Overloaded, "ledger_unavailable", text).because(e)
}

/// Leaves only the candidates at which every object that the request names belongs to the caller. Calls about an
/// object stay at its account.
pub(crate) async fn stick(
    shared: &Shared,
    principal: &Principal,
    parsed: &Parsed,
    mut candidates: Vec<Candidate>,
) -> Result<Vec<Candidate>, Error> {
    let surface = parsed.spec.surface();
    for object in named(surface, parsed.body.bytes()) {
        let homes = shared
            .objects
            .homes(&principal.tenant, object.kind, &object.id)
            .await?;
        candidates.retain(|c| {
            // A translated request carries no id of the client's, and says so.
            c.spoken.surface != surface
                || c.provider.objects == Objects::Shared
                || homes.contains(&c.provider.name)
        });
        if candidates.is_empty() {
            return Err(unknown(&object));
        }
    }
    Ok(candidates)
}

/// The same words whether the id is nobody's, another tenant's, or at another account.
fn unknown(object: &Named) -> Error {
    let (kind, path) = (object.kind.name(), &object.path);
    let text = format!(
        "`{path}` names no {kind} of this tenant's at a target of this route: name one that was made through \
         this gateway; operators: `objects: shared` on a provider lets every caller use what its account keeps"
    );
    Error::client(Kind::NotFound, "object_not_found", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes(index: &Index, tenant: &str, id: &str) -> usize {
        let tenant = Arc::from(tenant);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let found = runtime.block_on(index.homes(&tenant, ResourceKind::Response, id));
        found.unwrap().len()
    }

    #[test]
    fn an_object_exists_for_its_own_tenant_alone_and_the_first_owner_stays() {
        let index = Index::new(None);
        let object = Made {
            kind: ResourceKind::Response,
            id: "r1".into(),
        };
        let made = |tenant: &str| index.made(&Arc::from(tenant), &Arc::from("p"), &object);
        made("acme");
        made("evil");
        assert_eq!(
            (homes(&index, "acme", "r1"), homes(&index, "evil", "r1")),
            (1, 0)
        );
        assert_eq!(homes(&index, "acme", "r2"), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let index = Index::new(None);
        let (tenant, provider) = (Arc::from("t"), Arc::from("p"));
        for i in 0..REMEMBERED + 10 {
            let object = Made {
                kind: ResourceKind::File,
                id: i.to_string().into(),
            };
            index.made(&tenant, &provider, &object);
        }
        assert_eq!(index.recent.lock().owners.len(), REMEMBERED);
    }
}
