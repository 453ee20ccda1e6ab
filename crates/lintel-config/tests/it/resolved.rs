//! The resolved configuration: whole, without secrets, and the same configuration when it is read again.

use std::path::Path;

use lintel_config::{as_yaml, differences, schema, secrets};
use serde_json::Value;

use crate::support::{is_secret, load_with, read_anything, root};

const ENV: [(&str, &str); 4] = [
    ("KEY", "sk-planted-secret"),
    ("AWS_ACCESS_KEY_ID", "AKIAPLANTED"),
    ("AWS_SECRET_ACCESS_KEY", "planted/secret"),
    ("LINTEL_ADMIN_TOKEN", "planted-token-of-admin"),
];

/// Every key with a default below `schema` that `value` lacks.
fn lacks(all: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|t| t.strip_prefix('#'));
    let schema = target.map_or(schema, |pointer| all.pointer(pointer).unwrap());
    for branch in schema
        .get("anyOf")
        .or(schema.get("oneOf"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if branch.get("$ref").is_some() {
            lacks(all, branch, value, at, out);
        }
    }
    for (key, member) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let here = format!("{at}.{key}");
        match value.get(key) {
            Some(inner) => lacks(all, member, inner, &here, out),
            None if value.is_object() && member.get("default").is_some_and(|d| !d.is_null()) => {
                out.push(here)
            }
            None => {}
        }
    }
    if let (Some(member), Some(map)) = (schema.get("additionalProperties"), value.as_object()) {
        let declared = schema.get("properties").and_then(Value::as_object);
        let others = map
            .iter()
            .filter(|(k, _)| declared.is_none_or(|d| !d.contains_key(*k)));
        others.for_each(|(k, inner)| lacks(all, member, inner, &format!("{at}.{k}"), out));
    }
    if let (Some(member), Some(list)) = (schema.get("items"), value.as_array()) {
        list.iter()
            .for_each(|inner| lacks(all, member, inner, &format!("{at}[]"), out));
    }
}

#[test]
fn every_default_is_filled_in() {
    let text = "providers: { openai: { protocol: openai, api_key: \"${KEY}\" }, box: { protocol: sandbox } }\nprices: { unknown_model: allow_unpriced }\nroutes: { a: { tiers: [ { targets: [ { provider: openai, model: m } ] } ] } }\ntenants: { t: { projects: { p: {} } } }\n";
    let loaded = load_with(text, &ENV, &[]).unwrap();
    let mut out = Vec::new();
    lacks(&schema(), &schema(), loaded.resolved(), "", &mut out);
    assert_eq!(
        out,
        Vec::<String>::new(),
        "resolved without these: don't skip a default when it is serialised"
    );
    let tree = loaded.resolved();
    assert_eq!(tree["limits"]["body"], "32MB");
    assert_eq!(tree["routes"]["a"]["deadline"], "10m");
    assert_eq!(
        tree["providers"]["openai"]["base_url"],
        "https://api.openai.com/v1"
    );
    assert_eq!(tree["providers"]["openai"]["api_key"], "${KEY}");
}

#[test]
fn what_is_shown_is_the_same_configuration() {
    let mut tried = 0;
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_none_or(|e| e != "yaml") || !text.contains("\nproviders:") {
            continue;
        }
        let env = |name: &str| is_secret(name).then(|| format!("planted value of {name}"));
        let origin = path.to_str().unwrap();
        let loaded = lintel_config::load(&text, origin, &env, &read_anything)
            .unwrap_or_else(|p| panic!("{p}"));
        let known = secrets(loaded.resolved(), &env, &read_anything);
        let shown = as_yaml(loaded.resolved(), &known);
        assert!(!shown.contains("planted"), "{origin}:\n{shown}");
        let again = lintel_config::load(&shown, origin, &env, &read_anything)
            .unwrap_or_else(|p| panic!("{p}\n{shown}"));
        assert_eq!(again.resolved(), loaded.resolved(), "{origin}");
        assert_eq!(again.snapshot.hash, loaded.snapshot.hash, "{origin}");
        tried += 1;
    }
    assert!(tried >= 3);
}

#[test]
fn secrets_are_told_by_length_alone() {
    let text = "providers: { openai: { protocol: openai, api_key: \"${KEY}\" } }\n";
    let loaded = load_with(text, &ENV, &[]).unwrap();
    let env = |name: &str| (name == "KEY").then(|| "sk-planted-secret".to_owned());
    let gone = |_: &Path| Err(std::io::Error::other("gone"));
    let found = secrets(loaded.resolved(), &env, &gone);
    let shown = as_yaml(loaded.resolved(), &found);
    assert!(
        shown.contains("api_key: \"${KEY}\"  # set, 17 characters\n"),
        "{shown}"
    );
    let unset = as_yaml(
        loaded.resolved(),
        &secrets(loaded.resolved(), &|_| None, &gone),
    );
    assert!(
        unset.contains("api_key: \"${KEY}\"  # NOT SET\n"),
        "{unset}"
    );
}

#[test]
fn differences_name_path_and_both_sides() {
    let of = |text: &str| load_with(text, &ENV, &[]).unwrap().resolved().clone();
    let a = of("providers: { box: { protocol: sandbox } }\nlimits: { drain: 10s }\n");
    let b = of("providers: { box: { protocol: sandbox }, two: { protocol: sandbox } }\n");
    let found: Vec<_> = differences(&a, &b)
        .into_iter()
        .map(|(path, a, b)| (path, a.is_some(), b.is_some()))
        .collect();
    assert_eq!(
        found,
        [
            ("limits.drain".to_owned(), true, true),
            ("providers.two".to_owned(), false, true)
        ]
    );
    assert!(differences(&a, &a).is_empty());
}
