//! A checked tree to a typed value. What the schema can't say (a status of 400 to 599, a share of 0 to
//! 100) is refused here by the types themselves, each refusal with its place.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::path::Path;
use crate::problem::Report;

/// Decodes `value`, which stands at `base`. Reports every refusal; none when nothing usable is left.
pub(crate) fn decode<T: DeserializeOwned>(
    mut value: Value,
    base: &Path,
    report: &mut Report<'_>,
) -> Option<T> {
    let mut cut: Vec<Path> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(decoded) => return Some(decoded),
            Err(error) => error,
        };
        let (at, keys) = place(base, error.path().iter());
        if cut.iter().any(|c| c.parent().as_ref() == Some(&at)) {
            // What misses now was cut out because it was wrong, and has been reported.
            return None;
        }
        report.problem(&at, error.inner());
        if !remove(&mut value, &keys) {
            return None;
        }
        cut.push(at);
    }
}

/// The path of an error, and the same as a JSON pointer's tokens.
fn place<'e>(base: &Path, segments: impl Iterator<Item = &'e Segment>) -> (Path, Vec<String>) {
    let mut path = base.clone();
    let mut tokens = Vec::new();
    for segment in segments {
        match segment {
            Segment::Seq { index } => {
                path = path.index(*index);
                tokens.push(index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                path = path.key(key);
                tokens.push(key.clone());
            }
            Segment::Unknown => {}
        }
    }
    (path, tokens)
}

/// Removes a member of a mapping. An element of a list stays: removing it would move the others.
fn remove(value: &mut Value, tokens: &[String]) -> bool {
    let Some((last, parents)) = tokens.split_last() else {
        return false;
    };
    let parent = parents.iter().try_fold(value, |node, token| match node {
        Value::Object(map) => map.get_mut(token),
        Value::Array(list) => list.get_mut(token.parse::<usize>().ok()?),
        _ => None,
    });
    parent
        .and_then(Value::as_object_mut)
        .is_some_and(|map| map.remove(last).is_some())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        inner: Vec<Inner>,
        port: Option<u16>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        small: Option<u8>,
        needed: u8,
    }

    fn run(value: Value) -> (Option<Outer>, Vec<String>) {
        let document = Document::made(Value::Null);
        let mut report = Report::new("t", &document);
        let decoded = decode(value, &Path::of(&["x"]), &mut report);
        (
            decoded,
            report.problems.into_iter().map(|p| p.path).collect(),
        )
    }

    #[test]
    fn reports_every_refusal_and_keeps_the_rest() {
        let (decoded, paths) = run(
            json!({"inner": [{"small": 300, "needed": 1}, {"small": 301, "needed": 2}], "port": -1}),
        );
        assert_eq!(paths, ["x.inner[0].small", "x.inner[1].small", "x.port"]);
        assert_eq!(
            decoded.unwrap().inner[1],
            Inner {
                small: None,
                needed: 2
            }
        );
    }

    #[test]
    fn does_not_report_what_it_cut_as_missing() {
        let (decoded, paths) = run(json!({"inner": [{"needed": 300}]}));
        assert_eq!(
            (decoded, paths),
            (None, vec!["x.inner[0].needed".to_owned()])
        );
    }
}
