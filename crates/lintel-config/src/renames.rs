//! Names that were given up, and what they are called now: one list, applied when a file is loaded and by `migrate`.
//!
//! An old name works until the release that removes its row, with a warning that names the line, the old name and the
//! new one. Both spelled at once is an error: two readers would see two configurations. A key keeps its mapping, so
//! that a file can be migrated by exchanging single words of its text.

use serde_json::Value;

use crate::document::Document;
use crate::path::{Path, Step};
use crate::problem::{Problem, Report};

/// One name that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rename {
    /// Where it stands: keys with dots between, `*` for a name of the user's, `[]` for an element of a list.
    pub path: &'static str,
    /// What changed there.
    pub what: Renamed,
    /// The version that brought the new name.
    pub since: &'static str,
    /// Why.
    pub note: &'static str,
}

/// What of a place changed its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    /// The key at the path's end is now this.
    Key(&'static str),
    /// One word that was a value there is now another.
    Word(&'static str, &'static str),
}

/// Every name that changed, oldest first. A row stays for as long as files with the old name are around.
pub const RENAMES: &[Rename] = &[
    Rename {
        path: "routes.*.total",
        what: Renamed::Key("per_attempt"),
        since: "0.1.0",
        note: "`total` read like a bound on the whole exchange, which is `deadline`; it bounds one attempt",
    },
    Rename {
        path: "log.level",
        what: Renamed::Word("trace", "debug"),
        since: "0.1.0",
        note: "nothing was finer than `debug`, so `trace` promised more than it gave",
    },
];

/// An old name that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it stands now that it has its new name.
    pub(crate) path: Path,
    /// Line and column of the old name.
    pub(crate) at: (usize, usize),
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) row: Rename,
    /// Line of the new name, when both stand there.
    pub(crate) twice: Option<usize>,
}

/// Gives everything in `document` that has an old name its new one, and says what that was.
pub(crate) fn apply(rows: &[Rename], document: &mut Document) -> Vec<Found> {
    let mut found = Vec::new();
    for row in rows {
        let steps: Vec<&str> = row.path.split('.').flat_map(with_list).collect();
        let Some((last, parents)) = steps.split_last() else {
            continue;
        };
        let mut holders = Vec::new();
        reach(&document.value, parents, Path::default(), &mut holders);
        for holder in holders {
            found.extend(match row.what {
                Renamed::Key(new) => rename_key(document, &holder, last, new, *row),
                Renamed::Word(old, new) => rename_word(document, &holder.key(last), old, new, *row),
            });
        }
    }
    found
}

/// `tiers[]` is two steps.
fn with_list(step: &str) -> impl Iterator<Item = &str> {
    let (key, list) = step
        .strip_suffix("[]")
        .map_or((step, None), |key| (key, Some("[]")));
    std::iter::once(key).chain(list)
}

/// The paths that `steps` lead to from `value`.
fn reach(value: &Value, steps: &[&str], at: Path, out: &mut Vec<Path>) {
    let Some((first, rest)) = steps.split_first() else {
        out.push(at);
        return;
    };
    match (value, *first) {
        (Value::Object(map), "*") => map
            .iter()
            .for_each(|(key, inner)| reach(inner, rest, at.key(key), out)),
        (Value::Object(map), key) => {
            if let Some(inner) = map.get(key) {
                reach(inner, rest, at.key(key), out);
            }
        }
        (Value::Array(list), "[]") => list
            .iter()
            .enumerate()
            .for_each(|(i, inner)| reach(inner, rest, at.index(i), out)),
        _ => {}
    }
}

/// The node at `path`.
fn node<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.steps()
        .iter()
        .try_fold(value, |node, step| match (node, step) {
            (Value::Object(map), Step::Key(key)) => map.get_mut(key),
            (Value::Array(list), Step::Index(i)) => list.get_mut(*i),
            _ => None,
        })
}

fn rename_key(
    document: &mut Document,
    holder: &Path,
    old: &str,
    new: &str,
    row: Rename,
) -> Option<Found> {
    let (was, path) = (holder.key(old), holder.key(new));
    let at = document.key_position(&was);
    let map = node(&mut document.value, holder)?.as_object_mut()?;
    let value = map.remove(old)?;
    let twice = map.contains_key(new);
    let twice = if twice {
        Some(document.key_position(&path).0)
    } else {
        map.insert(new.to_owned(), value);
        document.moved(&was, &path);
        None
    };
    Some(Found {
        path,
        at,
        old: old.to_owned(),
        new: new.to_owned(),
        row,
        twice,
    })
}

fn rename_word(
    document: &mut Document,
    path: &Path,
    old: &str,
    new: &str,
    row: Rename,
) -> Option<Found> {
    let value = node(&mut document.value, path)?;
    if value.as_str() != Some(old) {
        return None;
    }
    *value = Value::from(new);
    Some(Found {
        path: path.clone(),
        at: document.position(path),
        old: old.to_owned(),
        new: new.to_owned(),
        row,
        twice: None,
    })
}

impl Found {
    /// Tells it: a warning, or an error when both names stand there.
    pub(crate) fn tell(&self, report: &mut Report<'_>) {
        let Found {
            old, new, at, row, ..
        } = self;
        match self.twice {
            Some(line) => report.problem_there(
                &self.path,
                *at,
                format!("`{old}` is the old name of `{new}`, which stands in line {line}: keep `{new}` and remove `{old}`"),
            ),
            None => report.warn_there(
                &self.path,
                *at,
                format!(
                    "`{old}` is called `{new}` since {}: {}; `lintel config migrate FILE --write` renames it",
                    row.since, row.note
                ),
            ),
        }
    }
}

/// For `migrate`, which has no report.
pub(crate) fn refusal(found: &Found, origin: &str, message: String) -> Problem {
    Problem {
        origin: origin.to_owned(),
        line: found.at.0,
        column: found.at.1,
        path: found.path.to_string(),
        message,
        nearest: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_a_change_and_says_why() {
        let mut seen = BTreeSet::new();
        for row in RENAMES {
            let changes = match row.what {
                Renamed::Key(new) => {
                    assert!(
                        !new.contains(['.', '*', '[']),
                        "{}: a key keeps its mapping",
                        row.path
                    );
                    row.path.rsplit('.').next() != Some(new)
                }
                Renamed::Word(old, new) => old != new,
            };
            assert!(changes && !row.note.is_empty(), "{row:?}");
            assert!(
                seen.insert((row.path, format!("{:?}", row.what))),
                "{row:?} twice"
            );
        }
    }

    #[test]
    fn lists_and_names_are_reached_and_places_follow() {
        const ROWS: &[Rename] = &[Rename {
            path: "routes.*.tiers[].goals",
            what: Renamed::Key("targets"),
            since: "0",
            note: "a test",
        }];
        let text = "routes:\n  a:\n    tiers:\n      - goals: [ { model: m } ]\n  b: { tiers: [ { targets: [] }, { goals: [] } ] }\n";
        let mut document = Document::parse(text, "t").unwrap();
        let found = apply(ROWS, &mut document);
        let at: Vec<_> = found.iter().map(|f| (f.path.to_string(), f.at)).collect();
        assert_eq!(
            at,
            [
                ("routes.a.tiers[0].targets".to_owned(), (4, 9)),
                ("routes.b.tiers[1].targets".to_owned(), (5, 36))
            ]
        );
        let model = found[0].path.index(0).key("model");
        assert_eq!(document.position(&model), (4, 27));
        assert!(apply(ROWS, &mut document).is_empty());
    }
}
