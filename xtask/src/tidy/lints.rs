//! Every crate takes the workspace's lints: a crate that forgets the two lines is not linted at all.

use super::Rule;
use super::repo::{Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "lints",
    summary: "every crate has `[lints] workspace = true`",
    check,
    bad: || {
        Repo::of(&[("crates/lintel/Cargo.toml", "[package]\nname = \"lintel\"\n")])
            .with_package("lintel", &[])
    },
};

fn check(repo: &Repo) -> Vec<Finding> {
    let manifests = repo
        .packages
        .iter()
        .map(|package| format!("{}/Cargo.toml", package.dir));
    let unlinted = manifests.filter(|path| {
        !repo
            .file(path)
            .is_some_and(|file| takes_workspace_lints(&file.text))
    });
    unlinted
        .map(|path| Finding::new(&path, 0, "lacks `[lints]` with `workspace = true`"))
        .collect()
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_table_counts() {
        assert!(takes_workspace_lints(
            "[package]\n\n[lints]\nworkspace = true\n"
        ));
        assert!(!takes_workspace_lints(
            "[lints]\n\n[package]\nversion.workspace = true\nworkspace = true\n"
        ));
        assert!(!takes_workspace_lints("[lints]\nworkspace = false\n"));
    }
}
