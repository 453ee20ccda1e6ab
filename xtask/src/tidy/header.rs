//! Every Rust file opens with what it decides.

use super::Rule;
use super::repo::{Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "header",
    summary: "every .rs file opens with `//!` and a sentence",
    check,
    bad: || Repo::of(&[("crates/lintel/src/x.rs", "use std::io;\n//! Too late.\n")]),
};

/// Shorter than this is no sentence.
const SENTENCE: usize = 8;

fn check(repo: &Repo) -> Vec<Finding> {
    let opens = |text: &str| {
        text.lines()
            .next()
            .and_then(|line| line.strip_prefix("//! "))
            .is_some_and(|said| said.trim().len() >= SENTENCE)
    };
    let bare = repo.rust().filter(|file| !opens(&file.text));
    bare.map(|file| {
        Finding::new(
            &file.path,
            1,
            "must open with `//!` and what the file decides",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_decides() {
        let count = |text| check(&Repo::of(&[("a.rs", text)])).len();
        assert_eq!(count("//! Decides who may pass.\nfn a() {}\n"), 0);
        for bad in [
            "",
            "fn a() {}\n",
            "// Decides who may pass.\n",
            "//! x\n",
            "\n//! Decides who may pass.\n",
        ] {
            assert_eq!(count(bad), 1, "{bad:?}");
        }
    }
}
