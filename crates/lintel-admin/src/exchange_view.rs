//! How an exchange of the request log is shown: its journal record as it was written, with times as
//! RFC 3339, and the members that every row has in the same place whatever the record's kind.

use lintel_store::LogRow;
use lintel_types::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An exchange: these members, and those of its record.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Exchange {
    /// `ex_…`: what every answer carries as `x-request-id`.
    exchange: String,
    tenant: String,
    /// Null when it went to no route.
    route: Option<String>,
    outcome: String,
    /// The status that the caller got.
    status: u16,
    #[serde(flatten)]
    record: Map<String, Value>,
}

impl Exchange {
    /// The row as it is shown. A record that can't be read back is shown by its columns alone.
    pub(crate) fn of(row: &LogRow) -> Self {
        let mut record = record(row);
        // The columns are what filters and sums go by: they win over what the record says.
        for column in ["exchange", "tenant", "route", "outcome", "status"] {
            record.remove(column);
        }
        Self {
            exchange: row.exchange.to_string(),
            tenant: row.tenant.to_string(),
            route: (!row.route.is_empty()).then(|| row.route.to_string()),
            outcome: row.outcome.to_string(),
            status: row.status,
            record,
        }
    }
}

fn record(row: &LogRow) -> Map<String, Value> {
    let record = serde_json::from_str::<Map<String, Value>>(row.record.get());
    let mut fields = record.unwrap_or_default();
    if let Some(Value::Object(dispatched)) = fields.get_mut("dispatched") {
        timed(dispatched, "at");
        let lifted = [
            ("who", "who"),
            ("started", "at"),
            ("cost", "estimated_cost"),
            ("config", "config"),
            ("surface", "surface"),
        ];
        let lifted = lifted.map(|(name, from)| {
            (
                name.to_owned(),
                dispatched.get(from).cloned().unwrap_or(Value::Null),
            )
        });
        fields.extend(lifted);
        // A settled exchange lists its attempts; of an orphan only their number is known.
        if let Some(count) = fields.remove("attempts") {
            fields.insert("dispatches".into(), count);
        }
        timed(&mut fields, "found");
    } else {
        timed(&mut fields, "started");
    }
    fields
}

/// Shows the member `name`, microseconds since the epoch, as RFC 3339.
fn timed(fields: &mut Map<String, Value>, name: &str) {
    if let Some(value) = fields.get_mut(name)
        && let Some(micros) = value.as_i64()
    {
        *value = json!(Timestamp::from_micros(micros).to_string());
    }
}

#[cfg(test)]
mod tests {
    use lintel_types::ExchangeId;
    use serde_json::value::RawValue;

    use super::*;

    fn shown(row: &LogRow) -> Value {
        serde_json::to_value(Exchange::of(row)).unwrap()
    }

    fn row(outcome: &str, record: &Value) -> LogRow {
        let exchange = ExchangeId::from_bytes([1; 16]);
        let record = RawValue::from_string(record.to_string()).unwrap();
        LogRow {
            exchange,
            tenant: "acme".into(),
            route: "chat".into(),
            outcome: outcome.into(),
            status: 200,
            record,
        }
    }

    #[test]
    fn a_settled_record_keeps_its_members_and_shows_its_time() {
        let json = shown(&row(
            "success",
            &json!({"kind": "settled", "started": 1_000_000, "cost": "0.5", "attempts": [{"ordinal": 1}]}),
        ));
        assert_eq!(json["started"], "1970-01-01T00:00:01.000000Z");
        assert_eq!(
            (
                &json["cost"],
                &json["attempts"][0]["ordinal"],
                &json["tenant"]
            ),
            (&json!("0.5"), &json!(1), &json!("acme"))
        );
    }

    #[test]
    fn an_orphan_has_the_members_of_any_row() {
        let dispatched = json!({"at": 2_000_000, "who": {"tenant": "acme"}, "estimated_cost": "0.1", "config": "c"});
        let json = shown(&row(
            "orphaned",
            &json!({"kind": "orphaned", "dispatched": dispatched, "attempts": 2, "found": 3_000_000}),
        ));
        assert_eq!(json["started"], "1970-01-01T00:00:02.000000Z");
        assert_eq!(json["found"], "1970-01-01T00:00:03.000000Z");
        assert_eq!(
            (&json["cost"], &json["dispatches"], &json["outcome"]),
            (&json!("0.1"), &json!(2), &json!("orphaned"))
        );
        assert!(json.get("attempts").is_none());
    }

    #[test]
    fn a_record_of_another_version_is_shown_by_its_columns() {
        let json = shown(&row("success", &json!([1])));
        assert_eq!(json["exchange"], json!(ExchangeId::from_bytes([1; 16])));
    }
}
