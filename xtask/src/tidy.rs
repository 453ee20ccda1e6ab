//! The repository's rules: what the compiler and clippy can't see.
//!
//! Every rule brings a sample that it must refuse, and each run shows it to the rule first: a rule
//! that can't fail would be no rule.

mod repo;
mod rust;

mod arrows;
mod codes;
mod dial;
mod floor_lints;
mod header;
mod leaks;
mod length;
mod lib_rs;
mod links;
mod lints;
mod mod_rs;
mod pure;
mod todo;
mod unsafe_code;

use std::path::Path;
use std::process::ExitCode;

use repo::{Finding, Repo};

/// One rule.
pub(crate) struct Rule {
    /// Its name in findings.
    pub(crate) name: &'static str,
    /// What it asks for, as one line.
    pub(crate) summary: &'static str,
    check: fn(&Repo) -> Vec<Finding>,
    /// A repository that it must refuse.
    bad: fn() -> Repo,
}

/// Every rule. A new one is a file, its `mod` line and its line here.
pub(crate) const RULES: &[Rule] = &[
    arrows::RULE,
    pure::RULE,
    dial::RULE,
    floor_lints::RULE,
    lints::RULE,
    length::RULE,
    header::RULE,
    lib_rs::RULE,
    mod_rs::RULE,
    unsafe_code::RULE,
    todo::RULE,
    leaks::RULE,
    links::RULE,
    codes::RULE,
];

/// Checks the repository at `root`; the last line is `N passed, N failed`, in rules.
pub(crate) fn run(root: &Path) -> ExitCode {
    let repo = match Repo::read(root) {
        Ok(repo) => repo,
        Err(error) => {
            println!("tidy: can't read the repository: {error}\n0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = 0;
    for rule in RULES {
        let findings = verdict(rule, &repo);
        findings
            .iter()
            .for_each(|finding| println!("{}: {finding}", rule.name));
        failed += usize::from(!findings.is_empty());
    }
    println!("{} passed, {failed} failed", RULES.len() - failed);
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn verdict(rule: &Rule, repo: &Repo) -> Vec<Finding> {
    if (rule.check)(&(rule.bad)()).is_empty() {
        return vec![Finding::new(
            "xtask/src/tidy.rs",
            0,
            "this rule does not refuse its own bad sample",
        )];
    }
    (rule.check)(repo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_refuses_its_bad_sample_and_has_a_name_of_its_own() {
        let mut names = std::collections::HashSet::new();
        for rule in RULES {
            assert!(names.insert(rule.name), "{} twice", rule.name);
            assert!(
                !(rule.check)(&(rule.bad)()).is_empty(),
                "{} can't fail",
                rule.name
            );
        }
    }

    #[test]
    fn a_rule_that_cannot_fail_is_found_out() {
        let rule = Rule {
            name: "lazy",
            summary: "",
            check: |_| Vec::new(),
            bad: Repo::default,
        };
        assert_eq!(verdict(&rule, &Repo::default()).len(), 1);
    }

    /// The repository's own state: what `cargo xtask tidy` says, as a test.
    #[test]
    fn the_repository_is_tidy() {
        let repo = Repo::read(&crate::root()).unwrap();
        assert!(
            repo.files.len() > 50,
            "only {} files were read",
            repo.files.len()
        );
        let findings: Vec<String> = RULES
            .iter()
            .flat_map(|r| {
                verdict(r, &repo)
                    .into_iter()
                    .map(move |f| format!("{}: {f}", r.name))
            })
            .collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
