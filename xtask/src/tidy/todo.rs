//! A promise in a comment carries the number of the issue that will keep it.

use super::Rule;
use super::repo::{File, Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "todo",
    summary: "a to-do mark in a comment names an issue, as in `(#12)`",
    check,
    bad: || {
        Repo::of(&[(
            "crates/lintel/src/x.rs",
            concat!("//! X.\n// TO", "DO: later\n"),
        )])
    },
};

// In two halves, so that this file does not find itself.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];

fn check(repo: &Repo) -> Vec<Finding> {
    repo.files
        .iter()
        .filter(|file| is_source(file))
        .flat_map(promises)
        .collect()
}

fn is_source(file: &File) -> bool {
    let endings = [".rs", ".py", ".sh", ".js", ".mjs", ".ts", ".toml"];
    let recorded = file.path.starts_with("tests/golden/");
    !recorded
        && (endings.iter().any(|ending| file.path.ends_with(ending)) || file.path == "Makefile")
}

fn promises(file: &File) -> Vec<Finding> {
    let text = if file.is_rust() {
        rust::comments(&file.text)
    } else {
        file.text.clone()
    };
    let marked = text.lines().enumerate().filter(|(_, line)| {
        MARKS.iter().any(|mark| rust::has_word(line, mark)) && !names_issue(line)
    });
    marked
        .map(|(at, _)| {
            Finding::new(
                &file.path,
                at + 1,
                "names no issue: write its number, as in `(#12)`",
            )
        })
        .collect()
}

fn names_issue(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        line.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_without_an_issue_is_refused() {
        for mark in MARKS {
            for path in ["a.rs", "a.py", "Makefile"] {
                let comment = if path == "a.rs" { "//" } else { "#" };
                assert_eq!(
                    check(&Repo::of(&[(path, &format!("{comment} {mark}: later\n"))])).len(),
                    1,
                    "{path} {mark}"
                );
                assert_eq!(
                    check(&Repo::of(&[(
                        path,
                        &format!("{comment} {mark}(#12): later\n")
                    )]))
                    .len(),
                    0,
                    "{path} {mark}"
                );
            }
        }
    }

    #[test]
    fn code_and_prose_are_left_alone() {
        let in_code = format!("let a = \"{}\";\n", MARKS[0]);
        assert_eq!(
            check(&Repo::of(&[("a.rs", &in_code), ("a.md", MARKS[0])])).len(),
            0
        );
    }
}
