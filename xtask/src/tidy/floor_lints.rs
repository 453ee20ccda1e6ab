//! Every crate of floors 0 and 1 has the same `clippy.toml`, which bans clocks and sockets: clippy reads the
//! nearest file only, so a crate without one would fall back to the milder list.

use super::Rule;
use super::arrows::floor;
use super::repo::{Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "floor-lints",
    summary: "crates of floors 0 and 1 share one strict clippy.toml",
    check,
    bad: || Repo::default().with_package("lintel-wire", &[]),
};

/// The file that the others must equal.
const MODEL: &str = "crates/lintel-types/clippy.toml";

fn check(repo: &Repo) -> Vec<Finding> {
    let model = repo.file(MODEL).map(|file| &file.text);
    let pure = repo
        .packages
        .iter()
        .filter(|package| floor(&package.name).is_some_and(|floor| floor <= 1));
    let differs = pure.filter_map(|package| {
        let path = format!("{}/clippy.toml", package.dir);
        match (repo.file(&path).map(|file| &file.text), model) {
            (Some(own), Some(model)) if own == model => None,
            (None, _) => Some(Finding::new(&path, 0, format!("is missing: copy {MODEL}"))),
            _ => Some(Finding::new(&path, 0, format!("differs from {MODEL}"))),
        }
    });
    differs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_must_exist_and_agree() {
        let repo = |wire| Repo::of(&[(MODEL, "a"), ("crates/lintel-wire/clippy.toml", wire)]);
        let packages = |repo: Repo| {
            repo.with_package("lintel-types", &[])
                .with_package("lintel-wire", &[])
                .with_package("lintel", &[])
        };
        assert_eq!(check(&packages(repo("a"))).len(), 0);
        assert_eq!(check(&packages(repo("b"))).len(), 1);
        assert_eq!(check(&packages(Repo::of(&[(MODEL, "a")]))).len(), 1);
    }
}
