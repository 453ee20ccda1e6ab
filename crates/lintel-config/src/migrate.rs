//! Migrating a text to the names of today: single words are exchanged, every other byte stays.
//!
//! Invariant: the new text means what the old one did. It is read again and held against the old one's tree before
//! anybody sees it.

use crate::document::Document;
use crate::problem::{Problem, Problems};
use crate::renames::{Found, RENAMES, Rename, apply, refusal};

/// A text with the names of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The whole text.
    pub text: String,
    /// What was renamed, in the order of the text.
    pub changes: Vec<Change>,
}

/// One word that was exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From 1.
    pub line: usize,
    /// Where it stands now.
    pub path: String,
    /// The word that stood there.
    pub old: String,
    /// The word that stands there.
    pub new: String,
    /// The version that brought it.
    pub since: &'static str,
    /// Why.
    pub note: &'static str,
}

/// Migrates the text of a `lintel.yaml`; `origin` is its file name, for messages.
///
/// # Errors
/// A text that is no YAML, that spells both names of one thing, or whose old name is written in a way that can't be
/// exchanged (with escapes).
pub fn migrate(text: &str, origin: &str) -> Result<Migrated, Problems> {
    migrate_by(RENAMES, text, origin)
}

/// Migrates by the rows of a list.
pub fn migrate_by(rows: &[Rename], text: &str, origin: &str) -> Result<Migrated, Problems> {
    let mut document = Document::parse(text, origin).map_err(Problems)?;
    let mut found = apply(rows, &mut document);
    found.sort_by_key(|f| f.at);
    let refused: Vec<Problem> = found
        .iter()
        .filter_map(|f| unfit(f, text, origin))
        .collect();
    if !refused.is_empty() {
        return Err(Problems(refused));
    }
    let mut out = text.to_owned();
    for f in found.iter().rev() {
        if let Some(start) = word_at(text, f) {
            out.replace_range(start..start + f.old.len(), &f.new);
        }
    }
    let again = Document::parse(&out, origin).map_err(Problems)?;
    if again.value != document.value {
        let message =
            "can't be migrated by exchanging words: rename by hand what `lintel check` warns about";
        let first = found
            .first()
            .map(|f| refusal(f, origin, message.to_owned()));
        return Err(Problems(first.into_iter().collect()));
    }
    let changes = found.into_iter().map(change).collect();
    Ok(Migrated { text: out, changes })
}

fn change(found: Found) -> Change {
    Change {
        line: found.at.0,
        path: found.path.to_string(),
        old: found.old,
        new: found.new,
        since: found.row.since,
        note: found.row.note,
    }
}

/// Why a name can't be exchanged, if it can't.
fn unfit(found: &Found, text: &str, origin: &str) -> Option<Problem> {
    let (old, new) = (&found.old, &found.new);
    if let Some(line) = found.twice {
        let message = format!(
            "`{old}` is the old name of `{new}`, which stands in line {line}: remove one of the two"
        );
        return Some(refusal(found, origin, message));
    }
    word_at(text, found).is_none().then(|| {
        let message = format!("`{old}` is not written plainly here: call it `{new}` by hand");
        refusal(found, origin, message)
    })
}

/// The byte at which the old word stands, plain or in quotes.
fn word_at(text: &str, found: &Found) -> Option<usize> {
    let start = offset(text, found.at)?;
    let rest = text.get(start..)?;
    let quoted = usize::from(rest.starts_with(['"', '\'']));
    rest.get(quoted..)?
        .starts_with(&found.old)
        .then_some(start + quoted)
}

/// The byte offset of a line and column, both from 1, in characters. Lines end as YAML says: LF, CR LF or CR.
fn offset(text: &str, (line, column): (usize, usize)) -> Option<usize> {
    let begin = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut start = begin;
    for _ in 1..line {
        let rest = text.get(start..)?;
        let end = rest.find(['\n', '\r'])?;
        start += end
            + if rest.get(end..)?.starts_with("\r\n") {
                2
            } else {
                1
            };
    }
    let (at, _) = text.get(start..)?.char_indices().nth(column - 1)?;
    Some(start + at)
}
