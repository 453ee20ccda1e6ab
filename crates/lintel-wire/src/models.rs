//! `GET /v1/models` and `GET /v1/models/{id}` (for Gemini's callers also under `/v1beta/`), in the dialect of the
//! caller.
//!
//! The list holds what the key may name; it must not know how that was decided.

use std::fmt::Write as _;

use lintel_types::{Protocol, Timestamp};

use crate::json::write;
use crate::provider::{ANTHROPIC, GEMINI};

/// One name that the caller may use as a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// The name.
    pub id: String,
    /// When it began to exist here: the start of the process, for routes of a file.
    pub created: Timestamp,
}

/// The list, as JSON.
pub fn list(protocol: Protocol, models: &[ModelEntry]) -> String {
    let mut out = String::from(match protocol {
        ANTHROPIC => r#"{"data":["#,
        GEMINI => r#"{"models":["#,
        _ => r#"{"object":"list","data":["#,
    });
    for (i, model) in models.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&one(protocol, model));
    }
    out.push(']');
    if protocol == ANTHROPIC {
        let id =
            |m: Option<&ModelEntry>| m.map_or(serde_json::Value::Null, |m| m.id.as_str().into());
        let (first, last) = (id(models.first()), id(models.last()));
        // Writing to a String can't fail.
        let _ = write!(
            out,
            r#","has_more":false,"first_id":{first},"last_id":{last}"#
        );
    }
    out.push('}');
    out
}

/// One entry, as JSON.
pub fn one(protocol: Protocol, model: &ModelEntry) -> String {
    if protocol == GEMINI {
        return gemini(model);
    }
    let id = serde_json::Value::from(model.id.as_str());
    if protocol == ANTHROPIC {
        return format!(
            r#"{{"type":"model","id":{id},"display_name":{id},"created_at":"{}"}}"#,
            model.created
        );
    }
    format!(
        r#"{{"id":{id},"object":"model","created":{},"owned_by":"lintel"}}"#,
        model.created.as_secs()
    )
}

/// An entry as Google writes it. <https://ai.google.dev/api/models>
fn gemini(model: &ModelEntry) -> String {
    let mut out = String::with_capacity(160);
    write::object(&mut out, |o| {
        o.str("name", &format!("models/{}", model.id));
        o.str("displayName", &model.id);
        o.array("supportedGenerationMethods", |verbs| {
            verbs.str("generateContent").str("streamGenerateContent");
        });
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::OPENAI;

    #[test]
    fn every_dialect_is_valid_json() {
        let models = [
            ModelEntry {
                id: "a\"b".into(),
                created: Timestamp::from_millis(1_000),
            },
            ModelEntry {
                id: "c".into(),
                created: Timestamp::from_millis(0),
            },
        ];
        let value: serde_json::Value = serde_json::from_str(&list(OPENAI, &models)).unwrap();
        assert_eq!(
            (
                value["object"].as_str(),
                value["data"][0]["id"].as_str(),
                value["data"][0]["created"].as_i64()
            ),
            (Some("list"), Some("a\"b"), Some(1))
        );
        let value: serde_json::Value = serde_json::from_str(&list(ANTHROPIC, &models)).unwrap();
        assert_eq!(
            (
                value["last_id"].as_str(),
                value["has_more"].as_bool(),
                value["data"][1]["created_at"].as_str()
            ),
            (Some("c"), Some(false), Some("1970-01-01T00:00:00.000000Z"))
        );
        let value: serde_json::Value = serde_json::from_str(&list(GEMINI, &models)).unwrap();
        assert_eq!(value["models"][0]["name"], "models/a\"b");
        assert_eq!(value["models"][1]["displayName"], "c");
        assert_eq!(
            value["models"][1]["supportedGenerationMethods"][0],
            "generateContent"
        );
        assert!(value.get("nextPageToken").is_none());
        let empty: serde_json::Value = serde_json::from_str(&list(ANTHROPIC, &[])).unwrap();
        assert!(empty["first_id"].is_null());
    }
}
