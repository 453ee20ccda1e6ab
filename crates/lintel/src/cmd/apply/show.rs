//! Plans as people read them: a line a change, a line a field.

use serde_json::Value;

use crate::view::text;

fn list<'a>(answer: &'a Value, field: &str) -> &'a [Value] {
    answer
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// How many changes a plan has; what is kept is none.
pub(super) fn changes(plan: &Value) -> usize {
    let kept = |change: &&Value| text(change, "action") != "keep";
    list(plan, "changes").iter().filter(kept).count()
}

/// What would change.
pub(super) fn plan(plan: &Value) -> String {
    told(plan, "would change", "nothing to change")
}

/// What has changed, with the secrets that were made.
pub(super) fn done(answer: &Value) -> String {
    let mut out = told(answer, "changed", "nothing to change");
    let secrets = list(answer, "secrets");
    if !secrets.is_empty() {
        out.push_str("\nSecrets, shown this once: keep them now.\n");
    }
    for secret in secrets {
        out.push_str(&format!(
            "  {}  {}\n",
            text(secret, "name"),
            text(secret, "key")
        ));
    }
    out
}

fn told(answer: &Value, verb: &str, nothing: &str) -> String {
    let mut out = String::new();
    for change in list(answer, "changes") {
        let sign = match text(change, "action").as_str() {
            "create" => "+",
            "delete" => "-",
            "keep" => "!",
            _ => "~",
        };
        out.push_str(&format!(
            "{sign} {} {}",
            text(change, "kind"),
            text(change, "name")
        ));
        if let Some(note) = change.get("note").and_then(Value::as_str) {
            out.push_str(&format!(": {note}"));
        }
        out.push('\n');
        for field in list(change, "fields") {
            let shown = |side| match field.get(side) {
                None | Some(Value::Null) => "not set".to_owned(),
                Some(Value::String(text)) if text.is_empty() => "not set".to_owned(),
                Some(value) => value.to_string(),
            };
            let name = text(field, "field");
            out.push_str(&format!(
                "    {name}: {} -> {}\n",
                shown("before"),
                shown("after")
            ));
        }
    }
    match changes(answer) {
        0 => out.push_str(&format!("{nothing}\n")),
        n => out.push_str(&format!("{n} {verb}\n")),
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_is_read_field_by_field() {
        let answer = json!({"changes": [
            {"action": "create", "kind": "tenant", "name": "acme", "fields": [], "note": null},
            {"action": "update", "kind": "key", "name": "acme/search/web", "fields": [{"field": "max_body", "before": null, "after": 9}], "note": null},
            {"action": "keep", "kind": "key", "name": "acme/search/old", "fields": [], "note": "is revoked"},
        ], "secrets": [{"name": "acme/search/web", "key": "lk_x"}]});
        let want = "+ tenant acme\n~ key acme/search/web\n    max_body: not set -> 9\n! key acme/search/old: is revoked\n2 would change\n";
        assert_eq!((plan(&answer).as_str(), changes(&answer)), (want, 2));
        assert!(done(&answer).ends_with("keep them now.\n  acme/search/web  lk_x\n"));
        assert_eq!(plan(&json!({"changes": []})), "nothing to change\n");
    }
}
