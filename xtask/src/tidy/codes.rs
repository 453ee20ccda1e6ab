//! A client's code may branch on an error's stable code: every code that the source can answer with is in
//! `docs/errors.md` (the data listener's) or `docs/api.md` (the admin listener's), and every code there is in
//! the source.

use std::collections::BTreeSet;

use super::Rule;
use super::repo::{Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "codes",
    summary: "docs/errors.md and docs/api.md list the error codes of the source, all and no others",
    check,
    bad: || {
        Repo::of(&[
            (PAGE, "# Errors\n"),
            (
                "crates/lintel-gateway/src/x.rs",
                "Error::client(Kind::NotFound, \"lost\", text)",
            ),
        ])
    },
};

const PAGE: &str = "docs/errors.md";
const ADMIN_PAGE: &str = "docs/api.md";

fn check(repo: &Repo) -> Vec<Finding> {
    let pages = [PAGE, ADMIN_PAGE]
        .into_iter()
        .filter_map(|path| repo.file(path));
    let rows = pages.flat_map(|page| {
        let lines = page.text.lines().enumerate();
        lines.flat_map(move |(at, line)| {
            listed(line)
                .into_iter()
                .map(move |code| (page.path.as_str(), at + 1, code))
        })
    });
    let listed: Vec<(&str, usize, &str)> = rows.collect();
    let known: BTreeSet<&str> = listed.iter().map(|(_, _, code)| *code).collect();
    let sources: Vec<(&str, &str)> = repo
        .rust()
        .filter(|file| file.path.starts_with("crates/") && !file.is_test())
        .map(|file| (file.path.as_str(), rust::without_tests(&file.text)))
        .collect();
    let makers: Vec<Maker> = constructors()
        .into_iter()
        .chain(sources.iter().flat_map(|(_, text)| makers(text)))
        .collect();
    let mut findings = Vec::new();
    for (path, text) in &sources {
        let unlisted = made(text, &makers)
            .into_iter()
            .filter(|code| !known.contains(code));
        findings.extend(unlisted.map(|code| {
            Finding::new(
                path,
                0,
                format!("answers with `{code}`, which {PAGE} does not list"),
            )
        }));
    }
    for (page, line, code) in listed {
        let literal = format!("\"{code}\"");
        if !sources.iter().any(|(_, text)| text.contains(&literal)) {
            findings.push(Finding::new(
                page,
                line,
                format!("lists `{code}`, which the source does not know"),
            ));
        }
    }
    findings
}

/// The codes of a table row: "| `code` | …", or "| 404 | `code`, `code` | …".
fn listed(line: &str) -> Vec<&str> {
    let mut cells = line
        .strip_prefix('|')
        .unwrap_or_default()
        .split('|')
        .map(str::trim);
    let first = cells.next().unwrap_or_default();
    let is_status = first.len() == 3 && first.bytes().all(|b| b.is_ascii_digit());
    let cell = if is_status {
        cells.next().unwrap_or_default()
    } else {
        first
    };
    let quoted = cell
        .split(',')
        .map(str::trim)
        .map(|word| word.strip_prefix('`').and_then(|w| w.strip_suffix('`')));
    let codes: Option<Vec<&str>> = quoted.collect();
    codes
        .unwrap_or_default()
        .into_iter()
        .filter(|code| is_code(code))
        .collect()
}

/// A function that makes an error of the code it is given, and at which place it takes it.
type Maker = (String, usize);

/// The constructors that every floor knows.
fn constructors() -> Vec<Maker> {
    let known = [
        ("Error::new", 2),
        ("Error::client", 1),
        ("Error::gateway", 1),
        ("Error::provider", 1),
        ("Problem::new", 1),
    ];
    known.map(|(name, at)| (name.to_owned(), at)).to_vec()
}

/// Free functions that take a `code: &'static str`, and closures that take a `code`. Constructors are known
/// already, under their full name.
fn makers(text: &str) -> Vec<Maker> {
    let function = |rest: &str| {
        let (name, _) = rest.split_once('(')?;
        let parameters = arguments(rest.get(name.len() + 1..)?);
        let at = parameters
            .iter()
            .position(|p| p.starts_with("code: &'static str"))?;
        let constructor = ["new", "client", "gateway", "provider"].contains(&name);
        (is_name(name) && !constructor).then(|| (name.to_owned(), at))
    };
    let closure = |rest: &str| {
        let (name, after) = rest.split_once(" = |")?;
        let parameters = after.split_once('|')?.0;
        let at = parameters.split(',').position(|p| {
            p.split(':')
                .next()
                .is_some_and(|name| name.trim() == "code")
        })?;
        is_name(name).then(|| (name.to_owned(), at))
    };
    let functions = text.split("fn ").skip(1).filter_map(function);
    functions
        .chain(text.split("let ").skip(1).filter_map(closure))
        .collect()
}

/// The codes that stand as literals in calls of `makers`.
fn made<'t>(text: &'t str, makers: &[Maker]) -> BTreeSet<&'t str> {
    let mut codes = BTreeSet::new();
    for (name, place) in makers {
        for (found, _) in text.match_indices(name.as_str()) {
            codes.extend(literal(text, found, name, *place));
        }
    }
    codes
}

/// The literal at `place` in the call of `name` that begins at `found`, if it is a call and has one.
fn literal<'t>(text: &'t str, found: usize, name: &str, place: usize) -> Option<&'t str> {
    let part_of_name = text
        .get(..found)?
        .ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let call = text.get(found + name.len()..)?.strip_prefix('(')?;
    let code = arguments(call)
        .get(place)?
        .strip_prefix('"')?
        .strip_suffix('"')?;
    (!part_of_name && is_code(code)).then_some(code)
}

/// The arguments of a call, from behind its opening parenthesis to its closing one.
fn arguments(call: &str) -> Vec<&str> {
    let (mut depth, mut from, mut in_text, mut escaped) = (0_u32, 0, false, false);
    let mut found = Vec::new();
    for (at, c) in call.char_indices() {
        if !in_text && depth == 0 && matches!(c, ',' | ')') {
            found.extend(
                call.get(from..at)
                    .map(str::trim)
                    .filter(|argument| !argument.is_empty()),
            );
            from = at + 1;
            if c == ')' {
                break;
            }
        }
        match c {
            '"' if !escaped => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: &str = r#"
        Error::client(Kind::NotFound, "lost", format!("a, \"b\" (c)"))
        Error::new(
            Kind::Internal,
            Side::Gateway,
            "broken",
            text)
        fn refused(code: &'static str, text: &str) -> Error { x }
        refused("expired", "a key (old, gone)")
        let upstream = |code, text: &str| Error::provider(Kind::Upstream, code, text);
        upstream("torn", "it broke off")
        match kind { Kind::NotFound => "not_a_code", _ => show("no_code_either", not_refused("nor_this")) }
    "#;

    #[track_caller]
    fn check_page(codes: &[&str], expected: usize) {
        let rows: Vec<String> = codes
            .iter()
            .map(|code| format!("| `{code}` | said |"))
            .collect();
        let repo = Repo::of(&[
            (PAGE, &rows.join("\n")),
            ("crates/lintel-gateway/src/x.rs", CALLS),
        ]);
        assert_eq!(
            check(&repo).len(),
            expected,
            "{codes:?}: {:?}",
            check(&repo)
        );
    }

    #[test]
    fn page_and_source_must_agree() {
        check_page(&["lost", "broken", "expired", "torn"], 0);
        check_page(&["broken", "expired", "torn"], 1);
        check_page(&["lost", "expired", "torn"], 1);
        check_page(&["lost", "broken", "torn"], 1);
        check_page(&["lost", "broken", "expired"], 1);
        check_page(&["lost", "broken", "expired", "torn", "imagined"], 1);
    }

    #[test]
    fn the_control_api_lists_its_codes_by_status() {
        let repo = |row| {
            Repo::of(&[
                (ADMIN_PAGE, row),
                (
                    "crates/lintel-admin/src/x.rs",
                    "Problem::new(GONE, \"gone\", text)",
                ),
            ])
        };
        assert_eq!(
            check(&repo(
                "| 410 | `gone` | away |\n| `a_field` and `b` | text |\n"
            ))
            .len(),
            0
        );
        assert_eq!(check(&repo("| 410 | `gone`, `lost` | away |\n")).len(), 1);
        assert_eq!(check(&repo("| 410 | gone | away |\n")).len(), 1);
    }

    #[test]
    fn a_code_that_only_a_test_knows_is_not_the_sources() {
        let text = "//! X.\n#[cfg(test)]\nmod tests {\n    Error::client(Kind::NotFound, \"lost\", t)\n}\n";
        assert_eq!(
            check(&Repo::of(&[(PAGE, ""), ("crates/a/src/x.rs", text)])).len(),
            0
        );
        assert_eq!(
            check(&Repo::of(&[
                (PAGE, "| `lost` | 404 |\n"),
                ("crates/a/src/x.rs", text)
            ]))
            .len(),
            1
        );
    }
}
