//! Reading single keywords of a schema, and saying in words what they mean.

use lintel_policy::price::{Date, PRICE_FORMAT, Price};
use lintel_policy::units::{PERIOD_FORMAT, SIZE_FORMAT};
use lintel_policy::{Period, Size};
use serde_json::Value;

use crate::address::{ADDRESS_FORMAT, ADMIN_ADDRESS_FORMAT, Address, AdminAddress};
use crate::share::{SHARE_FORMAT, Share};

/// The branches of a choice.
pub(super) fn branches(schema: &Value) -> Option<&[Value]> {
    schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
}

/// The words of an enumeration, however it is spelled.
pub(super) fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    if let Some(branches) = branches(schema) {
        let lists = branches.iter().map(words).collect::<Option<Vec<_>>>()?;
        return Some(lists.concat());
    }
    schema
        .get("enum")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
}

/// The names of the types that a schema allows; none: every one.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether `value` is of the type called `kind`.
pub(super) fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// A type's name for people.
pub(super) fn in_words(kind: &str) -> &'static str {
    match kind {
        "boolean" => "true or false",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

/// What stands there. Texts are not repeated: they may be secrets.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(b) => format!("`{b}`"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// Why `text` isn't what `format` asks for; none when it is, or when the format says nothing about texts.
pub(super) fn refuse_format(format: &str, text: &str) -> Option<String> {
    match format {
        PERIOD_FORMAT => text.parse::<Period>().err().map(|e| e.to_string()),
        SIZE_FORMAT => text.parse::<Size>().err().map(|e| e.to_string()),
        SHARE_FORMAT => text.parse::<Share>().err().map(|e| e.to_string()),
        PRICE_FORMAT => text.parse::<Price>().err().map(|e| e.to_string()),
        "date" => text.parse::<Date>().err().map(|e| e.to_string()),
        ADDRESS_FORMAT => text.parse::<Address>().err().map(|e| e.to_string()),
        ADMIN_ADDRESS_FORMAT => text.parse::<AdminAddress>().err().map(|e| e.to_string()),
        _ => None,
    }
}
