//! The reference in `docs/configuration.md` is made from the schema, and the schema uses only what the loader reads.
//!
//! After a change of a key: `UPDATE_GOLDEN=1 cargo test -p lintel-config`, and look at the difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lintel_config::renames::{RENAMES, Renamed};
use lintel_config::{price_file_schema, schema};
use lintel_policy::table::{Action, TABLE};
use serde_json::Value;

use crate::support::root;

/// One key of the reference.
struct Row {
    path: String,
    kind: String,
    default: String,
    meaning: String,
}

fn resolve<'s>(root: &'s Value, node: &'s Value) -> &'s Value {
    let target = node
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|t| t.strip_prefix('#'));
    target.map_or(node, |pointer| root.pointer(pointer).unwrap())
}

/// The branches of an optional or a choice without the empty one.
fn branches<'s>(root: &'s Value, node: &'s Value) -> Vec<&'s Value> {
    let list = node
        .get("anyOf")
        .or_else(|| node.get("oneOf"))
        .and_then(Value::as_array);
    let Some(list) = list else { return vec![node] };
    list.iter()
        .map(|b| resolve(root, b))
        .filter(|b| b["type"] != "null")
        .flat_map(|b| branches(root, b))
        .collect()
}

/// What a value of `node` is, for people.
fn kind(root: &Value, node: &Value) -> String {
    let node = resolve(root, node);
    let one = |branch: &Value| -> String {
        if let Some(word) = branch.get("const").and_then(Value::as_str) {
            return format!("`{word}`");
        }
        if let Some(words) = branch.get("enum").and_then(Value::as_array) {
            return words
                .iter()
                .map(|w| format!("`{}`", w.as_str().unwrap()))
                .collect::<Vec<_>>()
                .join(" or ");
        }
        let required = branch.get("required").and_then(Value::as_array);
        match branch["format"].as_str() {
            Some("lintel-period") => return "time".into(),
            Some("lintel-size") => return "size".into(),
            Some("lintel-share") => return "share".into(),
            Some("lintel-address") => return "address".into(),
            Some("lintel-admin-address") => return "address or socket file".into(),
            Some("lintel-price") => return "price".into(),
            Some("date") => return "date".into(),
            _ => {}
        }
        let first = branch["type"]
            .as_str()
            .or_else(|| branch["type"][0].as_str())
            .unwrap_or_default();
        match (first, required) {
            ("object", Some(keys))
                if keys.len() == 1
                    && branch["properties"]
                        .as_object()
                        .is_some_and(|p| p.len() == 1) =>
            {
                let key = keys[0].as_str().unwrap();
                format!("`{{ {key}: {} }}`", kind(root, &branch["properties"][key]))
            }
            ("object", _) if branch["additionalProperties"].is_object() => "mapping by name".into(),
            ("object", _) => "mapping".into(),
            ("array", _) if resolve(root, &branch["items"])["type"] == "object" => {
                "list of mappings".into()
            }
            ("array", _) => format!("list of {}s", kind(root, &branch["items"])),
            ("integer", _) => match (branch["minimum"].as_u64(), branch["maximum"].as_u64()) {
                (Some(low), Some(high)) => format!("whole number, {low} to {high}"),
                _ => "whole number".into(),
            },
            ("string", _) => "text".into(),
            (other, _) => panic!("no words for {other}"),
        }
    };
    branches(root, node)
        .into_iter()
        .map(one)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// What each word of an enumeration means.
fn words(root: &Value, node: &Value) -> String {
    let explained = |branch: &Value| {
        Some((
            branch["const"].as_str()?.to_owned(),
            branch["description"].as_str()?.to_owned(),
        ))
    };
    let list = branches(root, resolve(root, node));
    list.into_iter()
        .filter_map(explained)
        .fold(String::new(), |text, (word, meaning)| {
            format!("{text} `{word}`: {meaning}")
        })
}

/// The rows of every key below `node`, in the order of the path.
fn rows(root: &Value, node: &Value, path: &str, rows_out: &mut Vec<Row>) {
    let node = resolve(root, node);
    for branch in branches(root, node) {
        if let Some(items) = branch.get("items") {
            rows(root, items, &format!("{path}[]"), rows_out);
        }
        if branch["additionalProperties"].is_object() {
            rows(
                root,
                &branch["additionalProperties"],
                &format!("{path}.<name>"),
                rows_out,
            );
        }
        for (key, member) in branch
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let at = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let required = branch["required"]
                .as_array()
                .is_some_and(|list| list.contains(&Value::from(key.as_str())));
            let default = match member.get("default") {
                Some(Value::Object(_)) => String::new(),
                Some(Value::String(text)) => format!("`{text}`"),
                Some(value) => format!("`{value}`"),
                None if required => "required".into(),
                None => String::new(),
            };
            let described = member["description"]
                .as_str()
                .or_else(|| branch["description"].as_str());
            let meaning = described.unwrap_or_default().replace('\n', " ") + &words(root, member);
            rows_out.push(Row {
                path: at.clone(),
                kind: kind(root, member),
                default,
                meaning,
            });
            rows(root, member, &at, rows_out);
        }
    }
}

fn table(schema: &Value) -> String {
    let mut found = Vec::new();
    rows(schema, schema, "", &mut found);
    let mut text = "| key | type | default | meaning |\n|---|---|---|---|\n".to_owned();
    for Row {
        path,
        kind,
        default,
        meaning,
    } in found
    {
        assert!(
            !meaning.is_empty(),
            "{path} has no description: write a doc comment at its field"
        );
        writeln!(text, "| `{path}` | {kind} | {default} | {meaning} |").unwrap();
    }
    text
}

/// What changed its name.
fn renames() -> String {
    let mut text = "| where | old | new | since | why |\n|---|---|---|---|---|\n".to_owned();
    for row in RENAMES {
        let (old, new) = match row.what {
            Renamed::Key(new) => (row.path.rsplit('.').next().unwrap_or_default(), new),
            Renamed::Word(old, new) => (old, new),
        };
        let place = row.path.replace(".*", ".<name>");
        writeln!(
            text,
            "| `{place}` | `{old}` | `{new}` | {} | {} |",
            row.since, row.note
        )
        .unwrap();
    }
    text
}

/// Holds the part of the page between two markers against `expect`.
fn check(page: &mut String, name: &str, expect: &str) -> bool {
    let (open, close) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let start = page
        .find(&open)
        .unwrap_or_else(|| panic!("no marker {open}"))
        + open.len();
    let end = page
        .find(&close)
        .unwrap_or_else(|| panic!("no marker {close}"));
    let same = &page[start..end] == expect;
    page.replace_range(start..end, expect);
    same
}

#[test]
fn every_key_is_in_the_reference_as_the_schema_has_it() {
    let path = root().join("docs/configuration.md");
    let mut page = std::fs::read_to_string(&path).unwrap();
    let same = [
        check(&mut page, "renames", &renames()),
        check(&mut page, "keys", &table(&schema())),
        check(&mut page, "price keys", &table(&price_file_schema())),
    ];
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    assert_eq!(
        same,
        [true, true, true],
        "docs/configuration.md is out of date: run UPDATE_GOLDEN=1 cargo test -p lintel-config"
    );
}

/// Every keyword that the loader reads, or that says nothing about validity. `pattern` repeats what a format says, for editors.
const READ: [&str; 23] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "examples",
    "format",
    "items",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
];

fn keywords(node: &Value, found: &mut BTreeSet<String>) {
    let Some(map) = node.as_object() else { return };
    for (key, value) in map {
        found.insert(key.clone());
        match key.as_str() {
            "properties" | "$defs" => value
                .as_object()
                .unwrap()
                .values()
                .for_each(|v| keywords(v, found)),
            "anyOf" | "oneOf" => value
                .as_array()
                .unwrap()
                .iter()
                .for_each(|v| keywords(v, found)),
            "items" | "additionalProperties" => keywords(value, found),
            _ => {}
        }
    }
}

#[test]
fn the_schema_says_nothing_that_the_loader_does_not_read() {
    let mut found = BTreeSet::new();
    keywords(&schema(), &mut found);
    keywords(&price_file_schema(), &mut found);
    let unread: Vec<_> = found
        .iter()
        .filter(|k| !READ.contains(&k.as_str()))
        .collect();
    assert!(
        unread.is_empty(),
        "{unread:?}: teach the loader to read these, or the structs not to use them"
    );
    assert_eq!(schema()["additionalProperties"], false);
}

#[test]
fn the_table_of_failures_is_the_one_that_decides() {
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    for row in TABLE {
        let name = format!("`{}`", row.class.name());
        let lines: Vec<&str> = page
            .lines()
            .filter(|l| l.ends_with("| the client is told |") && l.contains(&name))
            .collect();
        assert_eq!(lines.len(), 1, "{name} stands in one row");
        assert_eq!(
            row.before_send, row.before_first_byte,
            "{name}: the page has one column for both"
        );
        assert_eq!(row.mid_stream, Action::Answer, "{name}");
        let (answers, waits) = (
            row.before_first_byte == Action::Answer,
            lines[0].contains("after a wait"),
        );
        assert_eq!(
            (answers, waits),
            (
                lines[0].ends_with("| the client is told | the client is told |"),
                row.passes
            ),
            "{name}"
        );
    }
}
