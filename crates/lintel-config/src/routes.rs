//! Routes: every target's provider is declared, every bound makes sense, every model has a price.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use lintel_policy::{PriceBook, Route, RouteConfig, TargetConfig, UnknownModel};
use lintel_wire::provider::SANDBOX;

use crate::names::refuse_route_name;
use crate::path::Path;
use crate::prices::knows;
use crate::problem::Report;
use crate::snapshot::Provider;

/// What routes are resolved against.
pub(crate) struct Known<'k> {
    /// Providers that were resolved.
    pub(crate) providers: &'k [Arc<Provider>],
    /// Names of every provider that the text declares, also of those with problems.
    pub(crate) declared: &'k [String],
    pub(crate) prices: &'k PriceBook,
    pub(crate) unknown_model: &'k UnknownModel,
}

/// Resolves all routes; those with problems are left out.
pub(crate) fn resolve(
    raw: &BTreeMap<String, RouteConfig>,
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> HashMap<Arc<str>, Arc<Route>> {
    let mut routes = HashMap::with_capacity(raw.len());
    for (name, config) in raw {
        let path = Path::of(&["routes", name]);
        check_name(name, &path, known, report);
        check_bounds(config, &path, report);
        check_targets(config, &path, known, report);
        let find = |provider: &str| {
            known
                .providers
                .iter()
                .find(|p| &*p.name == provider)
                .map(|p| (Arc::clone(&p.name), p.index))
        };
        // What keeps a route from being compiled has been reported above, or with its provider.
        if let Ok(route) = Route::new(Arc::from(name.as_str()), config, find) {
            routes.insert(Arc::clone(&route.name), Arc::new(route));
        }
    }
    routes
}

fn check_name(name: &str, path: &Path, known: &Known<'_>, report: &mut Report<'_>) {
    if let Some(why) = refuse_route_name(name) {
        report.problem_at_key(path, why);
    }
    let shadows = name
        .split_once('/')
        .filter(|(provider, _)| known.declared.iter().any(|d| d == provider));
    if let Some((provider, model)) = shadows {
        report.warn(path, format!("the route hides the model `{model}` of provider `{provider}` from direct calls: a route's name wins"));
    }
}

fn check_bounds(config: &RouteConfig, path: &Path, report: &mut Report<'_>) {
    let bounds = [
        ("deadline", config.deadline),
        ("connect", config.connect),
        ("first_token", config.first_token),
        ("idle", config.idle),
        ("per_attempt", config.per_attempt),
    ];
    for (key, _) in bounds.into_iter().filter(|(_, bound)| bound.0.is_zero()) {
        report.problem(
            &path.key(key),
            "must be longer than nothing, else every call fails",
        );
    }
}

fn check_targets(config: &RouteConfig, path: &Path, known: &Known<'_>, report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for (i, tier) in config.tiers.iter().enumerate() {
        for (j, target) in tier.targets.iter().enumerate() {
            let at = path.key("tiers").index(i).key("targets").index(j);
            if !seen.insert((&target.provider, &target.model)) {
                let message = format!(
                    "`{}` at `{}` is in this route already: give it a larger `weight`, or more `attempts`",
                    target.model, target.provider
                );
                report.problem(&at.key("model"), message);
            }
            check_target(target, &at, known, report);
        }
    }
}

fn check_target(target: &TargetConfig, at: &Path, known: &Known<'_>, report: &mut Report<'_>) {
    if !known.declared.contains(&target.provider) {
        let message = format!(
            "no provider is called `{}`: declare it under `providers`",
            target.provider
        );
        report.problem_near(
            &at.key("provider"),
            message,
            &target.provider,
            known.declared.iter().map(String::as_str),
        );
        return;
    }
    let provider = known
        .providers
        .iter()
        .find(|p| *p.name == *target.provider && p.protocol != SANDBOX);
    let Some(provider) = provider else { return };
    let refused = *known.unknown_model == UnknownModel::Refuse
        && !knows(
            known.prices,
            &provider.name,
            provider.host.name,
            &target.model,
        );
    if refused {
        let message = format!(
            "the price book doesn't know `{}`, so every call would be refused: add its price to a file of `prices.files`, or set `prices.unknown_model`",
            target.model
        );
        report.problem(&at.key("model"), message);
    }
}
