//! Objects that providers keep (stored responses, files, containers): whose they are, and who may name them.
//!
//! An id is reachable only through the row that was written when the object was made, for the tenant that made
//! it, at the account where it lives. An id without such a row doesn't exist, whoever else may have one.
//! Rows are in the journal before the answer that names them is whole; the index below bridges the moment until
//! the ledger has them too.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use lintel_config::{Provider, Snapshot};
use lintel_policy::Route;
use lintel_store::Queries;
use lintel_types::{Error, Kind, Made, Principal, ResourceKind, ResourceRef};
use lintel_wire::provider::{Objects, speak};
use lintel_wire::resources::named;
use lintel_wire::surface::{Object, SurfaceSpec};
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
    home: ResourceRef,
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
    pub(crate) fn made(&self, tenant: &Arc<str>, target: (Arc<str>, Arc<str>), made: &Made) {
        let key: Key = (made.kind, Arc::clone(&made.id));
        let owner = Owner {
            tenant: Arc::clone(tenant),
            home: ResourceRef {
                provider: target.0,
                model: target.1,
            },
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

    /// Nothing is `tenant`'s any more.
    pub(crate) fn forget(&self, tenant: &str) {
        let mut recent = self.recent.lock();
        let Recent { owners, order } = &mut *recent;
        owners.retain(|_, owner| &*owner.tenant != tenant);
        order.retain(|key| owners.contains_key(key));
    }

    /// Where `tenant` has these objects, in their order: the index knows the latest, and the ledger is asked once, if
    /// at all, whatever their number.
    async fn homes(
        &self,
        tenant: &Arc<str>,
        objects: Vec<Key>,
    ) -> Result<Vec<Vec<ResourceRef>>, Error> {
        let mut homes = self.remembered(tenant, &objects);
        let Some(queries) = self.queries.clone() else {
            return Ok(homes);
        };
        if homes.iter().any(Vec::is_empty) {
            let tenant = Arc::clone(tenant);
            let read = tokio::task::spawn_blocking(move || queries.resources(&tenant, &objects));
            let rows = read.await.map_err(unreadable)?.map_err(unreadable)?;
            let unknown = homes.iter_mut().zip(rows).filter(|(h, _)| h.is_empty());
            unknown.for_each(|(home, row)| *home = row);
        }
        Ok(homes)
    }

    fn remembered(&self, tenant: &Arc<str>, objects: &[Key]) -> Vec<Vec<ResourceRef>> {
        let recent = self.recent.lock();
        let home = |key: &Key| {
            let owner = recent.owners.get(key).filter(|o| o.tenant == *tenant);
            owner.map(|o| o.home.clone()).into_iter().collect()
        };
        objects.iter().map(home).collect()
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
    // A translated request carries no id of the client's, and says so.
    let owned = |c: &Candidate| c.spoken.surface == surface && c.provider.objects == Objects::Owned;
    if !parsed.head.may_name_objects || !candidates.iter().any(owned) {
        return Ok(candidates);
    }
    let named = named(surface, parsed.body.bytes());
    let keys = named.iter().map(|n| (n.kind, Arc::from(n.id.as_str())));
    let homes = shared
        .objects
        .homes(&principal.tenant, keys.collect())
        .await?;
    for (object, homes) in named.iter().zip(homes) {
        candidates.retain(|c| !owned(c) || homes.iter().any(|h| h.provider == c.provider.name));
        if candidates.is_empty() {
            return Err(unknown(&object.path, object.kind));
        }
    }
    Ok(candidates)
}

/// The way to the account that keeps `object`: a route of one target. Without a row, an account whose objects are
/// shared is asked, if the caller may call accounts directly and there is just one that could have it.
pub(crate) async fn route(
    shared: &Shared,
    snapshot: &Snapshot,
    principal: &Principal,
    spec: &dyn SurfaceSpec,
    object: &Object,
) -> Result<Arc<Route>, Error> {
    let key = (object.kind, Arc::from(object.id.as_str()));
    let homes = shared.objects.homes(&principal.tenant, vec![key]).await?;
    let kept = homes
        .iter()
        .flatten()
        .find_map(|h| Some((snapshot.provider(&h.provider)?, &*h.model)));
    let (provider, model) = kept
        .or_else(|| only_shared(snapshot, principal, spec).map(|p| (p, "unknown")))
        .ok_or_else(|| unknown(spec.path(), object.kind))?;
    let name = Arc::from(format!("{}/{model}", provider.name));
    let provider_name = Arc::clone(&provider.name);
    Ok(Arc::new(Route::direct(
        name,
        provider_name,
        provider.index,
        model,
    )))
}

fn only_shared<'s>(
    snapshot: &'s Snapshot,
    principal: &Principal,
    spec: &dyn SurfaceSpec,
) -> Option<&'s Arc<Provider>> {
    let speaks = |p: &&Arc<Provider>| speak(p.protocol, p.host, spec.surface(), None).is_some();
    let open = |p: &&Arc<Provider>| p.objects == Objects::Shared && speaks(p);
    let mut found = snapshot.providers.iter().filter(open);
    let only = found.next().filter(|_| principal.direct)?;
    found.next().is_none().then_some(only)
}

/// The same words whether the id is nobody's, another tenant's, or at another account.
fn unknown(path: &str, kind: ResourceKind) -> Error {
    let kind = kind.name();
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
        let key = (ResourceKind::Response, Arc::from(id));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let found = runtime.block_on(index.homes(&Arc::from(tenant), vec![key]));
        found.unwrap().iter().flatten().count()
    }

    #[test]
    fn an_object_exists_for_its_own_tenant_alone_and_the_first_owner_stays() {
        let index = Index::new(None);
        let object = Made {
            kind: ResourceKind::Response,
            id: "r1".into(),
        };
        let made = |tenant: &str| index.made(&Arc::from(tenant), ("p".into(), "m".into()), &object);
        made("acme");
        made("evil");
        assert_eq!(
            (homes(&index, "acme", "r1"), homes(&index, "evil", "r1")),
            (1, 0)
        );
        assert_eq!(homes(&index, "acme", "r2"), 0);
        index.forget("evil");
        assert_eq!(homes(&index, "acme", "r1"), 1);
        index.forget("acme");
        assert_eq!(homes(&index, "acme", "r1"), 0);
        assert!(index.recent.lock().order.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let index = Index::new(None);
        let tenant = Arc::from("t");
        for i in 0..REMEMBERED + 10 {
            let object = Made {
                kind: ResourceKind::File,
                id: i.to_string().into(),
            };
            index.made(&tenant, ("p".into(), "m".into()), &object);
        }
        assert_eq!(index.recent.lock().owners.len(), REMEMBERED);
    }
}
