//! Modules are `x.rs` beside `x/`: a dozen tabs named `mod.rs` tell nobody where they are.

use super::Rule;
use super::repo::{Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "mod-rs",
    summary: "no file is named mod.rs",
    check,
    bad: || Repo::of(&[("crates/lintel/src/cmd/mod.rs", "//! Commands.\n")]),
};

fn check(repo: &Repo) -> Vec<Finding> {
    let named = repo
        .files
        .iter()
        .filter(|file| file.path.ends_with("/mod.rs"));
    named
        .map(|file| {
            Finding::new(
                &file.path,
                0,
                "is named mod.rs: name it after its folder, beside it",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_itself_is_refused() {
        assert_eq!(check(&Repo::of(&[("crates/a/src/mod.rs", "")])).len(), 1);
        assert_eq!(
            check(&Repo::of(&[
                ("crates/a/src/cmd.rs", ""),
                ("crates/a/src/not_mod.rs", "")
            ]))
            .len(),
            0
        );
    }
}
