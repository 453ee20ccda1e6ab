//! Arrows point down: a crate uses crates of lower floors only, and crates on one floor never import each other.

use super::Rule;
use super::repo::{Finding, Package, Repo};

pub(super) const RULE: Rule = Rule {
    name: "arrows",
    summary: "crates depend on lower floors only, and every crate has a floor",
    check,
    bad: || Repo::default().with_package("lintel-types", &["lintel-wire"]),
};

/// Every crate's floor, also of crates that are yet to come. Fixed: a crate never moves.
const FLOORS: &[(&str, u8)] = &[
    ("lintel-types", 0),
    ("lintel-wire", 1),
    ("lintel-policy", 1),
    ("lintel-guard", 1),
    ("lintel-authz", 1),
    ("lintel-tokens", 1),
    ("lintel-embed", 1),
    ("lintel-telemetry", 1),
    ("lintel-store", 2),
    ("lintel-config", 2),
    ("lintel-gateway", 3),
    ("lintel-eval", 3),
    ("lintel-alert", 3),
    ("lintel-admin", 4),
    ("lintel", 5),
    // Beside the house, like xtask, but looks into every room: nothing can use it.
    ("lintel-fuzz", 6),
];

/// Stands beside the house, not in it: may use nothing of it, and nothing may use it.
const OUTSIDE: &str = "xtask";

/// The floor of a crate of ours; none for what comes from elsewhere.
pub(super) fn floor(name: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, floor)| *floor)
}

fn check(repo: &Repo) -> Vec<Finding> {
    repo.packages.iter().flat_map(arrows).collect()
}

fn arrows(package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.dir);
    let object = |text: String| Finding::new(&manifest, 0, text);
    let own = floor(&package.name);
    if own.is_none() && package.name != OUTSIDE {
        return vec![object(format!(
            "`{}` has no floor: give it one in xtask/src/tidy/arrows.rs",
            package.name
        ))];
    }
    let up = |need: &String| {
        if need == OUTSIDE {
            return Some(object(format!("nothing may depend on `{OUTSIDE}`")));
        }
        match (own, floor(need)) {
            (Some(from), Some(to)) if to >= from => Some(object(format!(
                "floor {from} may not use `{need}` of floor {to}"
            ))),
            (None, Some(_)) => Some(object(format!("`{OUTSIDE}` may not use `{need}`"))),
            _ => None,
        }
    };
    package.needs.iter().filter_map(up).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(name: &str, needs: &[&str], expected: usize) {
        let repo = Repo::default().with_package(name, needs);
        assert_eq!(check(&repo).len(), expected, "{name} -> {needs:?}");
    }

    #[test]
    fn down_is_allowed_up_and_across_are_not() {
        refuses(
            "lintel-gateway",
            &["lintel-types", "lintel-store", "bytes"],
            0,
        );
        refuses("lintel-wire", &["lintel-policy"], 1);
        refuses("lintel-store", &["lintel-config", "lintel-admin"], 2);
        refuses("xtask", &["serde_json"], 0);
        refuses("xtask", &["lintel-types"], 1);
        refuses("lintel", &["xtask"], 1);
        refuses("lintel-unheard-of", &[], 1);
    }
}
