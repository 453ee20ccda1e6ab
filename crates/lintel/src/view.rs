//! How a person reads a field of the control API's JSON. Absent and null are a dash.

use serde_json::Value;

use crate::table::Table;

/// What stands where there is nothing.
pub(crate) const NOTHING: &str = "-";

/// The field as text.
pub(crate) fn text(object: &Value, field: &str) -> String {
    match object.get(field) {
        None | Some(Value::Null) => NOTHING.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The field as yes or no.
pub(crate) fn flag(object: &Value, field: &str) -> String {
    if object.get(field) == Some(&Value::Bool(true)) {
        "yes".into()
    } else {
        "no".into()
    }
}

/// The field as a whole number; 0 when absent.
pub(crate) fn number(object: &Value, field: &str) -> u64 {
    object.get(field).and_then(Value::as_u64).unwrap_or(0)
}

/// The objects of a list answer.
pub(crate) fn list(answer: &Value) -> &[Value] {
    answer
        .get("data")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A page of a list: its table, or `empty`; then how to ask for the next page, when there is one.
pub(crate) fn page(table: &Table, answer: &Value, empty: &str) -> String {
    if table.is_empty() {
        return format!("{empty}\n");
    }
    let more = match answer.get("next").and_then(Value::as_str) {
        Some(next) => format!("\nmore: --after {next}\n"),
        None => String::new(),
    };
    format!("{}{more}", table.render())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_a_dash_and_false_is_no() {
        let object = json!({"a": null, "b": "x", "c": 3, "d": true});
        assert_eq!(
            [
                text(&object, "a"),
                text(&object, "b"),
                text(&object, "c"),
                text(&object, "z")
            ],
            ["-", "x", "3", "-"]
        );
        assert_eq!([flag(&object, "d"), flag(&object, "a")], ["yes", "no"]);
        assert_eq!([number(&object, "c"), number(&object, "z")], [3, 0]);
    }
}
