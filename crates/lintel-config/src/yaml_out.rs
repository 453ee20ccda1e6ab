//! Writing a tree as YAML, with comments: what comes out reads back as the same tree, and only plain words go without quotes.

use std::fmt::Write as _;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use crate::document::scalar::scalar;
use crate::path::Path;

/// `tree`, a mapping, as YAML. `note` gives the comment of a node, if it has one.
pub(crate) fn write(tree: &Value, note: &dyn Fn(&Path) -> Option<String>) -> String {
    let mut out = Writer {
        text: String::new(),
        note,
    };
    out.inner(tree, &Path::default(), 0);
    out.text
}

struct Writer<'n> {
    text: String,
    note: &'n dyn Fn(&Path) -> Option<String>,
}

impl Writer<'_> {
    /// The members of a mapping or the elements of a list, each on its line.
    fn inner(&mut self, value: &Value, path: &Path, indent: usize) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.text.push_str(&" ".repeat(indent));
                    self.member(key, value, path, indent);
                }
            }
            Value::Array(list) => {
                for (i, value) in list.iter().enumerate() {
                    self.text.push_str(&" ".repeat(indent));
                    self.element(value, &path.index(i), indent);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, key: &str, value: &Value, path: &Path, indent: usize) {
        let at = path.key(key);
        self.text.push_str(&word(key));
        self.text.push(':');
        if is_leaf(value) {
            self.text.push(' ');
            self.leaf(value, &at);
        } else {
            self.comment(&at);
            self.inner(value, &at, indent + 2);
        }
    }

    /// An element: the first member of a mapping stands beside its dash.
    fn element(&mut self, value: &Value, at: &Path, indent: usize) {
        self.text.push_str("- ");
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        self.text.push_str(&" ".repeat(indent + 2));
                    }
                    self.member(key, value, at, indent + 2);
                }
            }
            // A list in a list: JSON is YAML too.
            Value::Array(list) if !list.is_empty() => {
                let _ = write!(self.text, "{value}");
                self.comment(at);
            }
            _ => self.leaf(value, at),
        }
    }

    fn leaf(&mut self, value: &Value, at: &Path) {
        match value {
            Value::String(text) => self.text.push_str(&word(text)),
            // Empty ones included: `{}` and `[]`.
            other => {
                let _ = write!(self.text, "{other}");
            }
        }
        self.comment(at);
    }

    fn comment(&mut self, at: &Path) {
        if let Some(note) = (self.note)(at) {
            let _ = write!(self.text, "  # {}", note.replace(['\n', '\r'], " "));
        }
        self.text.push('\n');
    }
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => true,
    }
}

/// A text as YAML: plain where that means the same text, else in double quotes with JSON's escapes.
pub(crate) fn word(text: &str) -> String {
    let first = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_');
    let later = |b: u8| first(b) || matches!(b, b'-' | b'+' | b'@' | b'=') || b == b':';
    let bytes = text.as_bytes();
    let plain = bytes.first().copied().is_some_and(first)
        && bytes.iter().copied().all(later)
        && !text.ends_with(':')
        && scalar(text, ScalarStyle::Plain).as_str() == Some(text)
        // Other readers than ours take these for booleans.
        && !["yes", "no", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    fn back(tree: &Value) -> Value {
        let text = write(tree, &|_| Some("a comment # with a mark".to_owned()));
        Document::parse(&text, "t")
            .unwrap_or_else(|e| panic!("{e:?} in\n{text}"))
            .value
    }

    #[test]
    fn reads_like_a_file_that_somebody_wrote() {
        let tree = json!({"listen": "127.0.0.1:8080", "node": 0, "log": {"calls": "on"}, "none": {}, "list": [],
            "tiers": [{"targets": [{"model": "eu.amazon.nova-lite-v1:0", "weight": 1}]}], "text": "a: b", "number": "12", "key": "${KEY}"});
        let text = write(&tree, &|path| {
            (path.to_string() == "key").then(|| "set".to_owned())
        });
        let expect = "key: \"${KEY}\"  # set\nlist: []\nlisten: 127.0.0.1:8080\nlog:\n  calls: on\nnode: 0\nnone: {}\nnumber: \"12\"\ntext: \"a: b\"\ntiers:\n  - targets:\n      - model: eu.amazon.nova-lite-v1:0\n        weight: 1\n";
        assert_eq!(text, expect);
        assert_eq!(back(&tree), tree);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same(
            keys in proptest::collection::btree_map("[ -~ä\u{7f}\u{85}\u{2028}\n\t]{1,6}", "[ -~é\u{feff}\n\r\t]{0,8}", 1..5),
            list in proptest::collection::vec("[a-z:#'\" \\-]{0,4}", 0..4),
        ) {
            let tree = json!({"m": keys, "l": list, "e": [{"k": keys, "l": list}, [list], {}]});
            prop_assert_eq!(back(&tree), tree);
        }
    }
}
