//! Documents point at things that exist: links, and paths of this repository in back-quotes.

use std::collections::HashSet;

use super::Rule;
use super::repo::{File, Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "links",
    summary: "links and file names in documents lead somewhere",
    check,
    bad: || {
        Repo::of(&[(
            "ARCHITECTURE.md",
            "See [the pipeline](crates/lintel-gateway/src/gone.rs).\n",
        )])
    },
};

/// A word in back-quotes that starts like this is a path of this repository.
const FOLDERS: &[&str] = &[
    "crates/", "docs/", "xtask/", "tests/", "bench/", ".ci/", ".cargo/",
];

/// A path with one of these parts is made on each machine and stands in no commit.
const MADE: &[&str] = &["node_modules", "target", ".test"];

fn check(repo: &Repo) -> Vec<Finding> {
    let known = known(repo);
    let documents = repo
        .files
        .iter()
        .filter(|file| file.path.ends_with(".md") && !file.path.starts_with("tests/golden/"));
    documents.flat_map(|file| dead(file, &known)).collect()
}

/// Every file and every folder.
fn known(repo: &Repo) -> HashSet<&str> {
    let folders = |path: &'_ str| {
        path.match_indices('/')
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let paths = repo.files.iter().map(|file| file.path.as_str());
    paths
        .flat_map(|path| {
            folders(path)
                .into_iter()
                .filter_map(move |at| path.get(..at))
                .chain([path])
        })
        .collect()
}

fn dead(file: &File, known: &HashSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (at, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let linked = links(line).filter_map(|link| resolve(&file.path, link));
            let quoted = quotes(line).map(|path| path.trim_end_matches('/').to_owned());
            let gone = linked
                .chain(quoted)
                .filter(|path| !known.contains(path.as_str()));
            findings.extend(
                gone.map(|path| {
                    Finding::new(&file.path, at + 1, format!("`{path}` does not exist"))
                }),
            );
        }
    }
    findings
}

/// Targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// Whole words in back-quotes that look like a path of this repository; patterns are left alone.
fn quotes(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let ours = FOLDERS.iter().any(|folder| word.starts_with(folder));
        let made = word.split('/').any(|part| MADE.contains(&part));
        ours && !made && !word.contains(['*', ' ', '<', '{', ':'])
    })
}

/// A link's target as a path from the root; none for other sites and for places on the same page.
fn resolve(from: &str, link: &str) -> Option<String> {
    let path = link
        .split('#')
        .next()
        .filter(|path| !path.is_empty() && !path.contains(':'))?;
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expected: usize) {
        let repo = Repo::of(&[
            ("docs/a.md", text),
            ("docs/b.md", ""),
            ("README.md", ""),
            ("crates/x/src/y.rs", ""),
        ]);
        assert_eq!(check(&repo).len(), expected, "{text}");
    }

    #[test]
    fn what_exists_passes() {
        check_text(
            "[b](b.md) [r](../README.md#first-call) [x](../crates/x) [web](https://example.com/q) [here](#a)",
            0,
        );
        check_text(
            "`crates/x/src/y.rs`, `crates/x/`, `crates/*/src`, `tests/node_modules/a` and `cargo test`",
            0,
        );
        check_text("```\n[gone](gone.md)\n```\n", 0);
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        check_text("[gone](gone.md)", 1);
        check_text("[README](README.md)", 1);
        check_text("see `crates/x/src/gone.rs` and [b](b.md)", 1);
        check_text("```\n```\n[gone](../gone/)", 1);
    }
}
