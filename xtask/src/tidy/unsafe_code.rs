//! No `unsafe` anywhere: the lint forbids it crate by crate, this rule also where a crate forgot its lints.

use super::Rule;
use super::repo::{Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    summary: "no unsafe code",
    check,
    bad: || {
        Repo::of(&[(
            "crates/lintel/src/x.rs",
            "//! X.\nfn f() { unsafe { g() } }\n",
        )])
    },
};

fn check(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.rust() {
        let code = rust::code(&file.text);
        let named = code
            .lines()
            .enumerate()
            .filter(|(_, line)| rust::has_word(line, "unsafe"));
        findings.extend(named.map(|(at, _)| Finding::new(&file.path, at + 1, "unsafe code")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_counts_in_code_only() {
        let count = |text| check(&Repo::of(&[("a.rs", text)])).len();
        assert_eq!(count("unsafe fn f() {}\nunsafe impl Send for A {}\n"), 2);
        assert_eq!(
            count("// unsafe\nlet a = \"unsafe\"; let unsafe_code = 1;\n"),
            0
        );
    }
}
