//! Brings a JSON schema node into one plain shape: references followed, alternatives chosen, parts merged.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A schema without `$ref`, `allOf`, `anyOf` and `oneOf`.
pub(super) type Plain = Map<String, Value>;

/// How many references and combinations one node may take to become plain; a cycle ends here.
const MAX_STEPS: usize = 32;

/// `schema` as a plain one; `None` for what allows nothing (`false`) or never ends.
///
/// `tight` asks for the alternative that ends soonest instead of the first.
pub(super) fn plain(root: &Value, schema: &Value, tight: bool) -> Option<Plain> {
    let mut node = match schema {
        Value::Object(map) => map.clone(),
        Value::Bool(true) => Plain::new(),
        _ => return None,
    };
    for _ in 0..MAX_STEPS {
        if let Some(Value::String(reference)) = node.remove("$ref") {
            node = merge(target(root, &reference)?, node);
        } else if let Some(Value::Array(all)) = node.remove("allOf") {
            node = all
                .iter()
                .filter_map(Value::as_object)
                .cloned()
                .fold(node, merge);
        } else if let Some(Value::Array(options)) =
            node.remove("anyOf").or_else(|| node.remove("oneOf"))
        {
            let chosen = if tight {
                options.iter().min_by_key(|o| weight(o))
            } else {
                options.first()
            };
            node = merge(
                node,
                chosen
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default(),
            );
        } else {
            return Some(node);
        }
    }
    None
}

/// What `#/…` points at.
fn target(root: &Value, reference: &str) -> Option<Plain> {
    let pointer = reference.strip_prefix('#')?;
    match root.pointer(&pointer.replace("%25", "%"))? {
        Value::Object(map) => Some(map.clone()),
        Value::Bool(true) => Some(Plain::new()),
        _ => None,
    }
}

/// How far from its end an alternative is: scalars, lists, objects, references.
fn weight(option: &Value) -> u8 {
    let kind = option
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kind {
        _ if option.get("const").is_some() || option.get("enum").is_some() => 0,
        "null" | "string" | "integer" | "number" | "boolean" => 0,
        "array" => 1,
        "object" => 2,
        _ => 3,
    }
}

/// A schema that demands what both demand, as far as the keywords' own rules say.
fn merge(mut base: Plain, over: Plain) -> Plain {
    for (key, new) in over {
        let merged = match (base.remove(&key), key.as_str()) {
            (Some(old), "properties") => properties(old, new),
            (Some(old), "required") => union(old, new),
            (Some(old), "enum") => common(&old, new),
            (Some(old), "type") => types(&old, &new),
            (
                Some(old),
                "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties",
            ) => bound(old, new, true),
            (
                Some(old),
                "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties",
            ) => bound(old, new, false),
            (Some(Value::Bool(false)), "additionalProperties") => Value::Bool(false),
            _ => new,
        };
        base.insert(key, merged);
    }
    base
}

fn properties(old: Value, new: Value) -> Value {
    let (Value::Object(mut old), Value::Object(new)) = (old, new) else {
        return Value::Object(Map::new());
    };
    for (name, schema) in new {
        let both = match old.remove(&name) {
            Some(first) if first != schema => serde_json::json!({ "allOf": [first, schema] }),
            _ => schema,
        };
        old.insert(name, both);
    }
    Value::Object(old)
}

fn list(value: &Value) -> Cow<'_, [Value]> {
    match value {
        Value::Array(list) => Cow::Borrowed(list),
        other => Cow::Owned(vec![other.clone()]),
    }
}

fn union(old: Value, new: Value) -> Value {
    let mut all = list(&old).into_owned();
    let more: Vec<Value> = list(&new)
        .iter()
        .filter(|v| !all.contains(v))
        .cloned()
        .collect();
    all.extend(more);
    Value::Array(all)
}

fn common(old: &Value, new: Value) -> Value {
    let both: Vec<Value> = list(&new)
        .iter()
        .filter(|v| list(old).contains(v))
        .cloned()
        .collect();
    Value::Array(both)
}

/// Types that both allow; every integer is a number.
fn types(old: &Value, new: &Value) -> Value {
    let (old, new) = (list(old), list(new));
    let has = |all: &[Value], name: &str| all.iter().any(|t| t == name);
    let narrowed = old
        .iter()
        .filter(|t| new.contains(t) || (*t == "integer" && has(&new, "number")));
    let mut both: Vec<Value> = narrowed.cloned().collect();
    if has(&old, "number") && has(&new, "integer") && !has(&both, "integer") {
        both.push(Value::from("integer"));
    }
    Value::Array(both)
}

fn bound(old: Value, new: Value, greater: bool) -> Value {
    let keep_new = match (old.as_f64(), new.as_f64()) {
        (Some(old), Some(new)) => (new > old) == greater,
        (None, _) => true,
        (Some(_), None) => false,
    };
    if keep_new { new } else { old }
}
