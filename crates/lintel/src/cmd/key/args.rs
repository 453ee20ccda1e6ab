//! What can be said about a key on the command line, and the JSON that it becomes.
//!
//! Sizes are written as in configuration (`1MB`); `none` takes away what a key has.

use clap::Args;
use lintel_policy::Size;
use serde_json::{Map, Value, json};

use crate::exit::{Failure, Why};

/// What takes a cap or text away.
const NONE: &str = "none";

/// What a key may do, for `create` and `update` alike.
#[derive(Debug, Default, Args)]
pub(super) struct Facts {
    /// What to call the key.
    #[arg(long)]
    name: Option<String>,
    /// Whom to ask about it: an e-mail address, a team.
    #[arg(long)]
    owner: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A route that the key may name; may be given many times.
    #[arg(long = "route", value_name = "ROUTE")]
    routes: Vec<String>,
    /// A target that may serve it, as provider/model with * for any run of characters; may be given many times.
    #[arg(long = "model", value_name = "PATTERN")]
    models: Vec<String>,
    /// When the key stops being valid: a span such as 30d, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// The largest body that it may send, such as 1MB.
    #[arg(long, value_name = "SIZE")]
    max_body: Option<String>,
    /// How many calls it may have under way at once.
    #[arg(long, value_name = "N")]
    max_in_flight: Option<String>,
    /// The highest priority that its calls may claim: critical, normal or batch.
    #[arg(long)]
    priority: Option<String>,
    /// An x-lintel-* header that it may set: feature, user, session, tags, priority or deadline; may be given many times.
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The feature of calls that name none.
    #[arg(long)]
    feature: Option<String>,
}

impl Facts {
    /// The fields that were said; `none` becomes null.
    ///
    /// # Errors
    /// [`Why::Usage`] for a size or number that is none.
    pub(super) fn fields(&self) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        let texts = [
            ("name", &self.name),
            ("owner", &self.owner),
            ("description", &self.description),
            ("expires", &self.expires),
            ("priority", &self.priority),
            ("feature", &self.feature),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.insert(name.to_owned(), unless_none(text, |t| Ok(json!(t)))?);
            }
        }
        if let Some(text) = &self.max_body {
            let size = |t: &str| {
                let size = t.parse::<Size>();
                size.map(|s| json!(s.0))
                    .map_err(|e| Failure::new(Why::Usage, format!("--max-body: {e}")))
            };
            fields.insert("max_body".to_owned(), unless_none(text, size)?);
        }
        if let Some(text) = &self.max_in_flight {
            let number = |t: &str| {
                let wrong = |_| {
                    let text = format!("--max-in-flight: `{t}` is not a whole number");
                    Failure::new(Why::Usage, text)
                };
                t.parse::<u32>().map(|n| json!(n)).map_err(wrong)
            };
            fields.insert("max_in_flight".to_owned(), unless_none(text, number)?);
        }
        let lists = [
            ("routes", &self.routes),
            ("models", &self.models),
            ("headers", &self.headers),
        ];
        for (name, list) in lists {
            match list.as_slice() {
                [] => {}
                [only] if only == NONE => {
                    fields.insert(name.to_owned(), Value::Null);
                }
                _ => {
                    fields.insert(name.to_owned(), json!(list));
                }
            }
        }
        Ok(fields)
    }
}

fn unless_none(
    text: &str,
    value: impl FnOnce(&str) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    if text == NONE {
        Ok(Value::Null)
    } else {
        value(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_sent_and_none_takes_away() {
        let facts = Facts {
            owner: Some("search".into()),
            expires: Some("none".into()),
            max_body: Some("2KB".into()),
            max_in_flight: Some("3".into()),
            routes: vec!["none".into()],
            models: vec!["a/*".into(), "b/c".into()],
            ..Facts::default()
        };
        assert_eq!(
            Value::Object(facts.fields().unwrap()),
            json!({"owner": "search", "expires": null, "max_body": 2048, "max_in_flight": 3, "routes": null, "models": ["a/*", "b/c"]})
        );
        assert!(Facts::default().fields().unwrap().is_empty());
        for wrong in [
            Facts {
                max_body: Some("1".into()),
                ..Facts::default()
            },
            Facts {
                max_in_flight: Some("many".into()),
                ..Facts::default()
            },
        ] {
            assert_eq!(wrong.fields().unwrap_err().why, Why::Usage);
        }
    }
}
