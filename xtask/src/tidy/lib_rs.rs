//! A crate's vocabulary fits one screen: `lib.rs` holds documentation, modules and re-exports.

use super::Rule;
use super::repo::{File, Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "lib-rs",
    summary: "lib.rs holds documentation, modules and re-exports only",
    check,
    bad: || {
        Repo::of(&[(
            "crates/lintel-wire/src/lib.rs",
            "//! Wire.\nmod a;\npub fn f() {}\n",
        )])
    },
};

const STARTS: &[&str] = &[
    "pub mod ",
    "pub(crate) mod ",
    "mod ",
    "pub use ",
    "pub(crate) use ",
];

fn check(repo: &Repo) -> Vec<Finding> {
    repo.rust()
        .filter(|file| file.path.ends_with("src/lib.rs"))
        .filter_map(stranger)
        .collect()
}

/// The first item that is neither a module nor a re-export.
fn stranger(file: &File) -> Option<Finding> {
    let code = rust::code(&file.text);
    let items = code
        .split(';')
        .map(without_attributes)
        .filter(|item| !item.is_empty());
    let odd = items.into_iter().find(|item| {
        let known = STARTS.iter().any(|start| item.starts_with(start));
        let inline_module = item.contains('{') && !item.contains("use ");
        !known || inline_module
    })?;
    let shown: String = odd.chars().take(60).collect();
    let line = code.find(odd).map_or(0, |at| {
        code.get(..at)
            .map_or(0, |before| before.lines().count().max(1))
    });
    Some(Finding::new(
        &file.path,
        line,
        format!("holds more than modules and re-exports: `{}`", shown.trim()),
    ))
}

fn without_attributes(item: &str) -> &str {
    let mut rest = item.trim();
    while let Some(attribute) = rest.strip_prefix("#![").or_else(|| rest.strip_prefix("#[")) {
        rest = attribute
            .split_once(']')
            .map_or("", |(_, after)| after)
            .trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&Repo::of(&[("crates/a/src/lib.rs", text)])).len()
    }

    #[test]
    fn a_table_of_contents_passes() {
        assert_eq!(
            count(
                "//! A.\n#![warn(x)]\npub mod a;\n#[cfg(test)]\nmod t;\npub use a::{\n    B, C,\n};\n"
            ),
            0
        );
        assert_eq!(count("//! A crate with nothing in it yet.\n"), 0);
    }

    #[test]
    fn anything_else_does_not() {
        for bad in [
            "fn f() {}",
            "mod a { fn f() {} }",
            "pub use a::B;\nconst X: u8 = 1;",
            "macro_rules! m { () => {} }",
        ] {
            assert_eq!(count(bad), 1, "{bad}");
        }
    }
}
