//! Floors 0 and 1 take time, randomness and the outside world as arguments: they name no clock, no socket,
//! no file, no task and no random source, in text or among their dependencies. Tests may.

use super::Rule;
use super::arrows::floor;
use super::repo::{Finding, Package, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "pure",
    summary: "floors 0 and 1 name no clock, socket, file, task or random source",
    check,
    bad: || {
        Repo::of(&[(
            "crates/lintel-wire/src/x.rs",
            "//! X.\nfn now() { std::time::Instant::now(); }\n",
        )])
        .with_package("lintel-wire", &[])
    },
};

const NAMES: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "std::net",
    "std::fs",
    "std::process",
    "std::env::var",
    "std::thread",
    "tokio",
    "rand",
    "getrandom",
    "RandomState",
];

const CRATES: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "hyper-util",
    "axum",
    "reqwest",
    "rand",
    "getrandom",
    "chrono",
    "time",
    "rusqlite",
];

fn check(repo: &Repo) -> Vec<Finding> {
    let pure = |package: &&Package| floor(&package.name).is_some_and(|floor| floor <= 1);
    repo.packages
        .iter()
        .filter(pure)
        .flat_map(|package| impurities(repo, package))
        .collect()
}

fn impurities(repo: &Repo, package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.dir);
    let banned = package
        .ships
        .iter()
        .filter(|need| CRATES.contains(&need.as_str()));
    let mut findings: Vec<Finding> = banned
        .map(|need| {
            Finding::new(
                &manifest,
                0,
                format!("a crate of floor 0 or 1 may not use `{need}`"),
            )
        })
        .collect();
    let source = format!("{}/src/", package.dir);
    for file in repo
        .rust()
        .filter(|file| file.path.starts_with(&source) && !file.is_test())
    {
        for (at, line) in rust::code(rust::without_tests(&file.text))
            .lines()
            .enumerate()
        {
            let named = NAMES.iter().filter(|name| rust::has_word(line, name));
            findings.extend(named.map(|name| {
                Finding::new(
                    &file.path,
                    at + 1,
                    format!("names `{name}`: take it as an argument"),
                )
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str, package: &str, needs: &[&str]) -> usize {
        check(&Repo::of(&[(path, text)]).with_package(package, needs)).len()
    }

    #[test]
    fn every_name_is_found_in_code_and_only_there() {
        for name in NAMES {
            let text = format!("//! {name} is not here.\nfn f() {{ {name}; }}\n");
            assert_eq!(
                count("crates/lintel-policy/src/a.rs", &text, "lintel-policy", &[]),
                1,
                "{name}"
            );
        }
        let tested = "//! A.\nfn f() { \"tokio\"; operand(); }\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(
            count(
                "crates/lintel-policy/src/a.rs",
                tested,
                "lintel-policy",
                &[]
            ),
            0
        );
    }

    #[test]
    fn the_floors_above_may() {
        assert_eq!(
            count(
                "crates/lintel-store/src/a.rs",
                "use std::fs;",
                "lintel-store",
                &["rusqlite"]
            ),
            0
        );
    }

    #[test]
    fn a_crate_that_brings_sockets_is_refused() {
        assert_eq!(
            count(
                "crates/lintel-wire/src/a.rs",
                "//! A.\n",
                "lintel-wire",
                &["tokio", "bytes"]
            ),
            1
        );
    }
}
