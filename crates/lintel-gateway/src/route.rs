//! The route step: which route does the named model mean, and may this caller name it?

use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_policy::Route;
use lintel_types::{Error, Kind, Principal, RouteAccess};

/// Finds the route: a route's own name wins; `provider/model`, split at the first slash, works for direct keys.
pub(crate) fn resolve(
    snapshot: &Snapshot,
    principal: &Principal,
    model: &str,
) -> Result<Arc<Route>, Error> {
    if let Some(route) = snapshot.routes.get(model) {
        if !principal.routes.allows(model) || !reachable(principal, route) {
            return Err(not_allowed(model));
        }
        return Ok(Arc::clone(route));
    }
    let named = model.split_once('/').filter(|(_, name)| is_name(name));
    if let Some((provider, name)) = named
        && let Some(provider) = snapshot.provider(provider)
    {
        if !principal.direct || !principal.caps.allow_target(&provider.name, name) {
            return Err(not_allowed(model));
        }
        let route = Route::direct(
            Arc::from(model),
            Arc::clone(&provider.name),
            provider.index,
            name,
        );
        return Ok(Arc::new(route));
    }
    // A key that may not name everything learns nothing about names that it may not name.
    let narrow = matches!(principal.routes, RouteAccess::Only(_));
    if narrow || (named.is_some() && !principal.direct) {
        return Err(not_allowed(model));
    }
    let text = format!(
        "no route is called `{}`: GET /v1/models lists what this key may call",
        shown(model)
    );
    Err(Error::client(Kind::NotFound, "model_not_found", text))
}

/// Whether some model behind the route may serve the caller.
fn reachable(principal: &Principal, route: &Route) -> bool {
    let mut targets = route.tiers.iter().flat_map(|tier| &tier.targets);
    principal.caps.models.is_none()
        || targets.any(|t| principal.caps.allow_target(&t.provider, &t.model))
}

/// A name in a provider's path may hold slashes, but no step that leads out of where models stand.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.split('/').any(|step| matches!(step, "." | ".."))
}

fn not_allowed(model: &str) -> Error {
    let text = format!(
        "this key may not call `{}`: ask for a key that may",
        shown(model)
    );
    Error::client(Kind::Permission, "model_not_allowed", text)
}

/// A client's text, fit for a message.
fn shown(model: &str) -> String {
    model
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

/// The names that the caller may use as a model, sorted.
pub(crate) fn callable(snapshot: &Snapshot, principal: &Principal) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .routes
        .iter()
        .filter(|(name, route)| principal.routes.allows(name) && reachable(principal, route))
        .map(|(name, _)| name.to_string())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["gpt-5", "meta/llama-3.1", "a/..b/c.", "anthropic.claude:0"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "..", "../files/x", "a/../../b", "a/./b", "m/.."] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
