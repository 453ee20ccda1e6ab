//! The configuration with everything that was left out filled in: what `lintel config show` prints and two
//! configurations are compared by.
//!
//! Invariant: it holds references to secrets as they were written, never a secret. Read as a file it is the same
//! configuration, with the same hash.

use std::collections::BTreeMap;
use std::io;
use std::path::Path as FilePath;

use lintel_wire::hosts;
use serde_json::{Map, Value, json};

use crate::load::Loaded;
use crate::path::Path;
use crate::raw::RawConfig;
use crate::secret::{follow, is_reference};
use crate::snapshot::{Provider, Snapshot};
use crate::yaml_out;

/// `raw` as a tree with every default, and what the host rows say of `providers`.
pub(crate) fn tree<'p>(raw: &RawConfig, providers: impl Iterator<Item = &'p Provider>) -> Value {
    let mut tree = serde_json::to_value(raw).unwrap_or_default();
    let Some(written) = tree.get_mut("providers").and_then(Value::as_object_mut) else {
        return tree;
    };
    for provider in providers.filter(|p| p.sandbox.is_none()) {
        let Some(config) = written
            .get_mut(&*provider.name)
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        let row = provider.host;
        config.entry("host").or_insert_with(|| json!(row.name));
        // A base URL with gaps is filled from keys that stand here already.
        let whole = hosts::placeholders(row.base_url).next().is_none();
        if whole && hosts::by_name(row.name).is_some() {
            config
                .entry("base_url")
                .or_insert_with(|| json!(row.base_url));
        }
    }
    tree
}

/// What differs between two resolved configurations: path, what stands in `a`, what in `b`.
pub fn differences(a: &Value, b: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut out = Vec::new();
    compare(Some(a), Some(b), &Path::default(), &mut out);
    out
}

fn compare(
    a: Option<&Value>,
    b: Option<&Value>,
    at: &Path,
    out: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter()
                .for_each(|key| compare(a.get(key), b.get(key), &at.key(key), out));
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            (0..a.len().max(b.len())).for_each(|i| compare(a.get(i), b.get(i), &at.index(i), out))
        }
        (a, b) if a != b => out.push((at.to_string(), a.cloned(), b.cloned())),
        _ => {}
    }
}

/// A secret that a configuration refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAt {
    /// Where the reference stands.
    pub path: String,
    /// `${NAME}` or `file:/path`.
    pub reference: String,
    /// How many characters the secret has; none when it can't be had.
    pub characters: Option<usize>,
}

/// Every reference to a secret in a resolved tree, with whether something is behind it and how long that is.
pub fn secrets(
    tree: &Value,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&FilePath) -> io::Result<String>,
) -> Vec<SecretAt> {
    let mut out = Vec::new();
    walk(tree, &Path::default(), &mut |path, text| {
        if is_reference(text) {
            let found = follow(text, env, read).ok();
            out.push(SecretAt {
                path: path.to_string(),
                reference: text.to_owned(),
                characters: found.map(|(value, _)| value.chars().count()),
            });
        }
    });
    out
}

fn walk(value: &Value, at: &Path, leaf: &mut impl FnMut(&Path, &str)) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, inner)| walk(inner, &at.key(key), leaf)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, inner)| walk(inner, &at.index(i), leaf)),
        Value::String(text) => leaf(at, text),
        _ => {}
    }
}

/// A resolved tree as a file that can be read again, with what is known of its secrets in comments.
pub fn as_yaml(tree: &Value, secrets: &[SecretAt]) -> String {
    let notes: BTreeMap<&str, String> = secrets
        .iter()
        .map(|s| {
            let note = match s.characters {
                Some(n) => format!("set, {n} characters"),
                None => "NOT SET".to_owned(),
            };
            (s.path.as_str(), note)
        })
        .collect();
    yaml_out::write(tree, &|path| notes.get(path.to_string().as_str()).cloned())
}

/// A tree as YAML, each comment at the path of its node.
pub fn with_comments(tree: &Map<String, Value>, comments: &BTreeMap<String, String>) -> String {
    yaml_out::write(&Value::Object(tree.clone()), &|path| {
        comments.get(&path.to_string()).cloned()
    })
}

impl Loaded {
    /// The configuration with every default filled in.
    pub fn resolved(&self) -> &Value {
        self.snapshot.resolved()
    }
}

impl Snapshot {
    /// The configuration that this was compiled from, with every default filled in. Secrets are references.
    pub fn resolved(&self) -> &Value {
        &self.resolved
    }
}
