//! Keys as text.

use serde_json::Value;

use crate::table::{Align, Table};
use crate::view::{flag, list, page, text};

/// A key that was just made, with its text.
pub(super) fn created(answer: &Value) -> String {
    format!(
        "{}\n\n{} of {}/{}. This is the only time the key is shown: keep it now.\n",
        text(answer, "key"),
        text(answer, "id"),
        text(answer, "tenant"),
        text(answer, "project"),
    )
}

/// A key that has another text, and until when the former ones are accepted.
pub(super) fn rotated(answer: &Value) -> String {
    let secrets = answer.get("secrets").and_then(Value::as_array);
    let ends = secrets.into_iter().flatten().skip(1);
    let ends: Vec<String> = ends
        .map(|s| format!("{} until {}", text(s, "prefix"), text(s, "expires")))
        .collect();
    let former = match ends.is_empty() {
        true => String::new(),
        false => format!("Former secrets are accepted: {}.\n", ends.join(", ")),
    };
    format!("{}{former}", created(answer))
}

/// How a key stands after a change; an enabled one may be past its time, and is then called expired.
pub(super) fn now(answer: &Value) -> String {
    format!(
        "{} of {}/{} is {}.\n",
        text(answer, "id"),
        text(answer, "tenant"),
        text(answer, "project"),
        text(answer, "state")
    )
}

/// One key, a line a field, then its secrets.
pub(super) fn one(answer: &Value) -> String {
    let mut table = Table::new([("FIELD", Align::Left), ("VALUE", Align::Left)]);
    for (name, value) in answer.as_object().into_iter().flatten() {
        if name == "secrets" || value.is_null() {
            continue;
        }
        let shown = match value {
            Value::Array(_) => joined(Some(value)).unwrap_or_default(),
            _ => text(answer, name),
        };
        table.row(vec![name.clone(), shown]);
    }
    let mut secrets = Table::new(
        ["SECRET", "CREATED", "ENDS", "LAST USED"].map(|heading| (heading, Align::Left)),
    );
    for secret in answer
        .get("secrets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        secrets.row(vec![
            text(secret, "prefix"),
            text(secret, "created"),
            text(secret, "expires"),
            text(secret, "last_used"),
        ]);
    }
    format!("{}\n{}", table.render(), secrets.render())
}

/// Keys as a table.
pub(super) fn keys(answer: &Value) -> String {
    let headings = [
        "ID",
        "TENANT",
        "PROJECT",
        "NAME",
        "OWNER",
        "STATE",
        "ROUTES",
        "DIRECT",
        "CREATED",
        "EXPIRES",
        "LAST USED",
    ];
    let mut table = Table::new(headings.map(|heading| (heading, Align::Left)));
    for key in list(answer) {
        table.row(vec![
            text(key, "id"),
            text(key, "tenant"),
            text(key, "project"),
            text(key, "name"),
            text(key, "owner"),
            text(key, "state"),
            joined(key.get("routes")).unwrap_or_else(|| "all".into()),
            flag(key, "direct"),
            text(key, "created"),
            text(key, "expires"),
            text(key, "last_used"),
        ]);
    }
    page(
        &table,
        answer,
        "no keys; make one with `lintel key create --tenant T --project P`",
    )
}

fn joined(value: Option<&Value>) -> Option<String> {
    let list = value?.as_array()?;
    let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    Some(texts.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_created_key_is_shown_with_its_warning() {
        let answer = json!({"id": "key_1", "key": "lk_x", "tenant": "acme", "project": "search"});
        let told =
            "lk_x\n\nkey_1 of acme/search. This is the only time the key is shown: keep it now.\n";
        assert_eq!(created(&answer), told);
        assert_eq!(rotated(&answer), told);
        let answer = json!({"id": "key_1", "key": "lk_x", "tenant": "acme", "project": "search", "secrets":
            [{"prefix": "lk_new"}, {"prefix": "lk_old", "expires": "2026-11-25T00:00:00Z"}]});
        assert!(rotated(&answer).ends_with("accepted: lk_old until 2026-11-25T00:00:00Z.\n"));
    }

    #[test]
    fn a_change_says_how_the_key_stands_now() {
        for state in ["active", "disabled", "revoked", "expired"] {
            let answer =
                json!({"id": "key_1", "tenant": "acme", "project": "search", "state": state});
            assert_eq!(now(&answer), format!("key_1 of acme/search is {state}.\n"));
        }
    }

    #[test]
    fn keys_are_a_table_and_a_hint_where_to_go_on() {
        let key = json!({"id": "key_1", "tenant": "acme", "project": "search", "name": null, "owner": "me", "state": "active", "routes": ["chat", "fast"], "direct": true, "created": "2026-11-24T07:32:13Z", "expires": null, "last_used": null});
        let shown = keys(&json!({"data": [key], "next": "key_1"}));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines[1],
            "key_1  acme    search   -     me     active  chat,fast  yes     2026-11-24T07:32:13Z  -        -"
        );
        assert_eq!(lines[3], "more: --after key_1");
    }

    #[test]
    fn one_key_is_shown_whole_with_its_secrets() {
        let key = json!({"id": "key_1", "models": ["a/*"], "owner": null, "secrets": [{"prefix": "lk_a", "created": "c", "expires": null, "last_used": "u"}]});
        let shown = one(&key);
        assert!(
            shown.contains("models  a/*") && !shown.contains("owner"),
            "{shown}"
        );
        assert!(shown.ends_with("lk_a    c        -     u\n"), "{shown}");
    }
}
