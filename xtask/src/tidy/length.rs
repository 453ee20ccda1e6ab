//! A file is one idea: above 400 lines without its test module it is on the list, with its reason.
//! Files that are tests altogether may have twice as many: a table of cases reads well at length.

use super::Rule;
use super::repo::{File, Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "length",
    summary: "no file has over 400 lines without tests (test files 800), unless its reason is listed",
    check,
    bad: || Repo::of(&[("crates/lintel/src/x.rs", &"fn a() {}\n".repeat(LIMIT + 1))]),
};

const LIMIT: usize = 400;
const TEST_LIMIT: usize = 800;

/// Files that are longer, and why splitting them would make them worse.
const EXPLAINED: &[(&str, &str)] = &[(
    "crates/lintel-telemetry/src/names.rs",
    "a table: every metric, in one place and in order",
)];

fn check(repo: &Repo) -> Vec<Finding> {
    too_long(repo, EXPLAINED)
}

fn too_long(repo: &Repo, explained: &[(&str, &str)]) -> Vec<Finding> {
    let is_explained = |file: &File| explained.iter().any(|(path, _)| *path == file.path);
    let long = repo
        .rust()
        .filter(|file| is_long(file) && !is_explained(file));
    let mut findings: Vec<Finding> = long
        .map(|file| {
            Finding::new(
                &file.path,
                0,
                format!("has {} lines without tests; split it by idea", lines(file)),
            )
        })
        .collect();
    let stale = explained
        .iter()
        .filter(|(path, _)| repo.file(path).is_none_or(|file| !is_long(file)));
    findings.extend(stale.map(|(path, _)| {
        Finding::new(
            path,
            0,
            "is listed as long in xtask/src/tidy/length.rs, and isn't",
        )
    }));
    findings
}

fn is_long(file: &File) -> bool {
    lines(file) > if file.is_test() { TEST_LIMIT } else { LIMIT }
}

fn lines(file: &File) -> usize {
    rust::without_tests(&file.text).lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(lines: usize) -> Repo {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "fn a() {}\n".repeat(lines),
            "\n".repeat(LIMIT)
        );
        Repo::of(&[("crates/lintel/src/x.rs", &text)])
    }

    #[test]
    fn tests_do_not_count_and_reasons_do() {
        assert_eq!(too_long(&repo(LIMIT), &[]).len(), 0);
        assert_eq!(too_long(&repo(LIMIT + 1), &[]).len(), 1);
        assert_eq!(
            too_long(&repo(LIMIT + 1), &[("crates/lintel/src/x.rs", "a table")]).len(),
            0
        );
    }

    #[test]
    fn a_file_of_tests_may_be_longer() {
        let repo =
            |lines| Repo::of(&[("crates/lintel/tests/it/x.rs", &"fn a() {}\n".repeat(lines))]);
        assert_eq!(too_long(&repo(TEST_LIMIT), &[]).len(), 0);
        assert_eq!(too_long(&repo(TEST_LIMIT + 1), &[]).len(), 1);
    }

    #[test]
    fn a_reason_that_is_no_longer_needed_is_refused() {
        assert_eq!(
            too_long(&repo(3), &[("crates/lintel/src/x.rs", "a table")]).len(),
            1
        );
        assert_eq!(
            too_long(&repo(3), &[("crates/lintel/src/gone.rs", "a table")]).len(),
            1
        );
    }
}
