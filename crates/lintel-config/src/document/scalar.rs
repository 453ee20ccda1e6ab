//! What a single word of the text means: YAML 1.2's core schema, and nothing beyond it.

use saphyr_parser::ScalarStyle;
use serde_json::{Number, Value};

/// What a scalar means: plain ones by YAML 1.2's core schema, every other is text.
pub(crate) fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// A plain scalar that is a number. A version such as `1.2.3`, an address or a date is none.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let positive = text.strip_prefix('+').unwrap_or(text);
    if let Some(n) = positive
        .parse::<u64>()
        .ok()
        .map(Number::from)
        .or_else(|| positive.parse::<i64>().ok().map(Number::from))
    {
        return Some(n);
    }
    let radix = |prefix, base| {
        digits
            .strip_prefix(prefix)
            .and_then(|d| u64::from_str_radix(d, base).ok())
            .map(Number::from)
    };
    radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| positive.parse::<f64>().ok().and_then(Number::from_f64))
}
