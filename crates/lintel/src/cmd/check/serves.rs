//! Which client can use which route: for every route and surface, how each target answers, asked of the capability
//! matrix. Knows no configuration's text and no terminal.

use lintel_config::Snapshot;
use lintel_policy::{Route, Target};
use lintel_types::Surface;
use lintel_wire::capability::{self, FEATURES, Support};
use lintel_wire::dialect;
use lintel_wire::provider::speak;
use lintel_wire::surface::SURFACES;
use serde::Serialize;

use crate::table::{Align, Table};

/// How a route serves a surface.
#[derive(Debug, Serialize)]
pub(super) struct Serves {
    route: String,
    surface: &'static str,
    /// `native`, `translated`, `mixed` or `none`.
    how: &'static str,
    /// What some target can't be told.
    limits: Vec<Limit>,
}

/// What a target can't be told by clients of a surface.
#[derive(Debug, Serialize)]
struct Limit {
    target: String,
    refused: Vec<&'static str>,
}

/// Every route of the configuration, for every surface, by name.
pub(super) fn of(snapshot: &Snapshot) -> Vec<Serves> {
    let mut routes: Vec<_> = snapshot.routes.values().collect();
    routes.sort_by_key(|r| &r.name);
    let surfaces = || SURFACES.iter().map(|s| s.surface());
    let each = |route| surfaces().map(move |surface| serves(snapshot, route, surface));
    routes.into_iter().flat_map(|r| each(r)).collect()
}

fn serves(snapshot: &Snapshot, route: &Route, surface: Surface) -> Serves {
    let (mut native, mut translated, mut none) = (0, 0, 0);
    let mut limits = Vec::new();
    for target in route.tiers.iter().flat_map(|t| &t.targets) {
        let Some(provider) = snapshot.providers.get(target.provider_index) else {
            continue;
        };
        let speaks = provider.sandbox.as_ref().and_then(|s| s.speaks);
        match speak(provider.protocol, provider.host, surface, speaks) {
            None => none += 1,
            Some(spoken) if spoken.surface == surface => native += 1,
            Some(spoken) => {
                translated += 1;
                let at = dialect::Target {
                    model: &target.model,
                    host: provider.host,
                };
                let refused = |f: &&capability::Feature| {
                    capability::support(f, surface, spoken, at) == Support::Refused
                };
                let refused: Vec<_> = FEATURES.iter().filter(refused).map(|f| f.name).collect();
                if !refused.is_empty() {
                    limits.push(limit(target, refused));
                }
            }
        }
    }
    let how = match (native, translated, none) {
        (_, 0, 0) => "native",
        (0, _, 0) => "translated",
        (0, 0, _) => "none",
        _ => "mixed",
    };
    Serves {
        route: route.name.to_string(),
        surface: surface.name(),
        how,
        limits,
    }
}

fn limit(target: &Target, refused: Vec<&'static str>) -> Limit {
    Limit {
        target: format!("{}/{}", target.provider, target.model),
        refused,
    }
}

/// A line a route, a column a surface.
pub(super) fn table(all: &[Serves]) -> String {
    let surfaces: Vec<&str> = SURFACES.iter().map(|s| s.surface().name()).collect();
    let headings = std::iter::once("ROUTE").chain(surfaces.iter().copied());
    let mut table = Table::new(headings.map(|h| (h, Align::Left)));
    for row in all.chunks(surfaces.len()) {
        let route = row.first().map(|s| s.route.clone()).unwrap_or_default();
        let cells = row.iter().map(|s| match s.how {
            "none" => "-".to_owned(),
            how => how.to_owned(),
        });
        table.row(std::iter::once(route).chain(cells).collect());
    }
    table.render()
}

/// What translation leaves out, a line for each route, surface and target.
pub(super) fn limits(all: &[Serves]) -> String {
    let lines = all.iter().flat_map(|s| {
        s.limits.iter().map(move |l| {
            let (route, surface, target) = (&s.route, s.surface, &l.target);
            let refused = l.refused.join(", ");
            format!("route {route}: a client of {surface} can't tell {target}: {refused}\n")
        })
    });
    lines.collect()
}
