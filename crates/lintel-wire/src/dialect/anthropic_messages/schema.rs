//! JSON schemas as this API wants them: a tool's input is an object, and a schema that is enforced is closed.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>
//!
//! Knows no request. What it changes it says, so that the caller can name it.

use std::borrow::Cow;

use crate::json::write::{self, Object};
use crate::json::{self, Kind, Node};

/// Words that the API refuses in a schema that it enforces: they are left out, as the official SDKs do.
const UNENFORCED: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
];

/// Words whose value is a schema for each name.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];

/// Words whose value is a list of schemas.
const LISTED: &[&str] = &["anyOf", "allOf", "oneOf", "prefixItems"];

/// A schema that is to be enforced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Enforced {
    /// It can be, as it stands.
    AsItIs,
    /// It can be, in these words, which say nearly the same.
    Nearly(String),
    /// It can't: an object in it is open to names that it doesn't list.
    Open,
}

/// What enforcing `schema` takes.
pub(super) fn enforced(schema: &str) -> Enforced {
    let Ok(root) = json::parse(schema.as_bytes()) else {
        return Enforced::Open;
    };
    let mut walk = Walk::default();
    let mut out = String::with_capacity(schema.len() + 64);
    walk.schema(root, &mut out);
    match walk {
        Walk { open: true, .. } => Enforced::Open,
        Walk { changed: true, .. } => Enforced::Nearly(out),
        _ => Enforced::AsItIs,
    }
}

/// `schema` as the input of a tool: its type must be said, and be `object`. None when it is another.
pub(super) fn input(schema: Option<&str>) -> Option<Cow<'_, str>> {
    let Some(schema) = schema else {
        return Some(Cow::Borrowed(r#"{"type":"object","properties":{}}"#));
    };
    let root = json::parse(schema.as_bytes()).ok()?;
    match root.get("type") {
        Some(kind) => (kind.text().as_deref() == Some("object")).then_some(Cow::Borrowed(schema)),
        None => (root.kind() == Kind::Object).then(|| {
            let mut out = String::with_capacity(schema.len() + 16);
            write::object(&mut out, |o| {
                o.str("type", "object");
                for (key, value) in root.members() {
                    o.raw(&key, value.raw());
                }
            });
            Cow::Owned(out)
        }),
    }
}

#[derive(Default)]
struct Walk {
    changed: bool,
    open: bool,
}

impl Walk {
    /// Writes `node`, a schema, closed.
    fn schema(&mut self, node: Node<'_>, out: &mut String) {
        if node.kind() != Kind::Object {
            // `true` and `false` are schemas too.
            self.open |= node.bool() == Some(true);
            out.push_str(node.raw());
            return;
        }
        let object = node.get("type").is_some_and(says_object) || node.get("properties").is_some();
        let mut closed = !object;
        write::object(out, |o| {
            for (key, value) in node.members() {
                closed |= key == "additionalProperties";
                self.member(&key, value, o);
            }
            if !closed {
                self.changed = true;
                // An object that lists no name at all is meant to be open.
                self.open |= node.get("properties").is_none();
                o.bool("additionalProperties", false);
            }
        });
    }

    fn member(&mut self, key: &str, value: Node<'_>, o: &mut Object<'_>) {
        if UNENFORCED.contains(&key) || (key == "minItems" && value.u64() > Some(1)) {
            self.changed = true;
            return;
        }
        if key == "additionalProperties" {
            self.open |= value.bool() != Some(false);
            o.raw(key, value.raw());
        } else if NAMED.contains(&key) {
            o.object(key, |o| {
                for (name, schema) in value.members() {
                    o.raw(&name, &self.closed(schema));
                }
            });
        } else if LISTED.contains(&key) {
            o.array(key, |a| {
                for schema in value.items() {
                    a.raw(&self.closed(schema));
                }
            });
        } else if key == "items" && value.kind() == Kind::Object {
            o.raw(key, &self.closed(value));
        } else {
            o.raw(key, value.raw());
        }
    }

    fn closed(&mut self, schema: Node<'_>) -> String {
        let mut out = String::with_capacity(schema.raw().len() + 32);
        self.schema(schema, &mut out);
        out
    }
}

fn says_object(kind: Node<'_>) -> bool {
    let object = |n: &Node<'_>| n.text().as_deref() == Some("object");
    object(&kind) || kind.items().any(|n| object(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_closed_and_freed_of_what_is_refused() {
        let closed = r#"{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"],"additionalProperties":false}"#;
        assert_eq!(enforced(closed), Enforced::AsItIs);
        let nearly = enforced(
            r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1},"l":{"type":"array","items":{"properties":{"x":{}}}}},"$defs":{"d":{"type":"object","properties":{}}}}"#,
        );
        assert_eq!(
            nearly,
            Enforced::Nearly(
                r#"{"type":"object","properties":{"n":{"type":"integer"},"l":{"type":"array","items":{"properties":{"x":{}},"additionalProperties":false}}},"$defs":{"d":{"type":"object","properties":{},"additionalProperties":false}},"additionalProperties":false}"#
                    .into()
            )
        );
        for open in [
            r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            r#"{"type":"object"}"#,
            r#"{"anyOf":[{"type":"object","properties":{},"additionalProperties":true}]}"#,
        ] {
            assert_eq!(enforced(open), Enforced::Open, "{open}");
        }
        // A property may be called as a word of the language.
        let named = r#"{"type":"object","properties":{"minimum":{"type":"string"}},"additionalProperties":false}"#;
        assert_eq!(enforced(named), Enforced::AsItIs);
    }

    #[test]
    fn a_tools_input_is_an_object() {
        assert_eq!(
            input(None).as_deref(),
            Some(r#"{"type":"object","properties":{}}"#)
        );
        assert_eq!(
            input(Some(r#"{"properties":{}}"#)).as_deref(),
            Some(r#"{"type":"object","properties":{}}"#)
        );
        assert_eq!(input(Some(r#"{"type":"array"}"#)), None);
    }
}
