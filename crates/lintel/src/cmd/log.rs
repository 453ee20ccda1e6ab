//! `lintel log`: what happened, exchange by exchange, newest first, over the control API.

use clap::Args;
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::{Query, escape};
use crate::table::{Align, Table};
use crate::view::{NOTHING, list, number, text};

/// Read back what happened, exchange by exchange, newest first.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(flatten)]
    remote: Remote,
    /// One exchange in full: its id (`ex_…`) or the `x-request-id` that its caller sent.
    #[arg(long, conflicts_with_all = ["limit", "tenant", "route", "outcome", "since", "after"])]
    id: Option<String>,
    /// At most this many, 1000 at the most.
    #[arg(long)]
    limit: Option<u32>,
    /// Only this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only this route.
    #[arg(long)]
    route: Option<String>,
    /// Only this outcome: success, client_error, gateway_error, provider_error, cancelled, revoked, shutdown, panicked or orphaned.
    #[arg(long)]
    outcome: Option<String>,
    /// From when: a span such as 1h, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Go on after this: the `next` of the answer before.
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

impl Log {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        if let Some(id) = &self.id {
            let answer = client.get(
                &format!("/api/v1/exchanges/{}", escape(id)),
                &Query::default(),
            )?;
            return Ok(output::answer(form, &answer, one)?);
        }
        let query = Query::default()
            .with("limit", self.limit)
            .with("tenant", self.tenant.as_ref())
            .with("route", self.route.as_ref())
            .with("outcome", self.outcome.as_ref())
            .with("since", self.since.as_ref())
            .with("after", self.after.as_ref());
        let answer = client.get("/api/v1/exchanges", &query)?;
        Ok(output::answer(form, &answer, many)?)
    }
}

fn many(answer: &Value) -> String {
    let left = [
        "STARTED", "EXCHANGE", "TENANT", "ROUTE", "TARGET", "OUTCOME",
    ]
    .map(|heading| (heading, Align::Left));
    let right = ["STATUS", "TRIES", "MS", "COST USD"].map(|heading| (heading, Align::Right));
    let mut table = Table::new(left.into_iter().chain(right));
    for row in list(answer) {
        table.row(vec![
            text(row, "started"),
            text(row, "exchange"),
            text(who(row), "tenant"),
            text(row, "route"),
            target(row),
            text(row, "outcome"),
            text(row, "status"),
            attempts(row).len().to_string(),
            millis(row, "duration_us"),
            text(row, "cost"),
        ]);
    }
    if table.is_empty() {
        return "nothing happened\n".into();
    }
    let more = match answer.get("next").and_then(Value::as_str) {
        Some(next) => format!("\nmore: --after {next}\n"),
        None => String::new(),
    };
    format!("{}{more}", table.render())
}

fn one(exchange: &Value) -> String {
    let mut facts = Table::new([
        ("EXCHANGE", Align::Left),
        (text(exchange, "exchange").as_str(), Align::Left),
    ]);
    let fields = [
        "started",
        "outcome",
        "status",
        "code",
        "side",
        "reason",
        "surface",
        "route",
        "stream",
        "degraded",
        "finish_reason",
        "cost",
        "client_request_id",
        "trace_id",
        "config",
    ];
    let caller = ["tenant", "project", "key", "feature", "user", "session"]
        .map(|name| (name, text(who(exchange), name)));
    let times =
        ["duration_us", "first_token_us", "overhead_us"].map(|name| (name, text(exchange, name)));
    for (name, value) in fields
        .map(|name| (name, text(exchange, name)))
        .into_iter()
        .chain(caller)
        .chain(times)
    {
        if value != NOTHING {
            facts.row(vec![name.to_owned(), value]);
        }
    }
    format!("{}\n{}", facts.render(), tries(exchange).render())
}

fn tries(exchange: &Value) -> Table {
    let left =
        ["TRY", "LEG", "TARGET", "STATUS", "FAILURE", "WHY"].map(|heading| (heading, Align::Left));
    let right = ["FIRST MS", "MS", "COST USD"].map(|heading| (heading, Align::Right));
    let mut table = Table::new(
        left.into_iter()
            .chain(right)
            .chain([("USAGE", Align::Left)]),
    );
    for attempt in attempts(exchange) {
        let lines = attempt
            .get("lines")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let used: Vec<String> = lines
            .iter()
            .map(|line| format!("{}={}", text(line, "meter"), number(line, "quantity")))
            .collect();
        table.row(vec![
            text(attempt, "ordinal"),
            text(attempt, "leg"),
            format!("{}/{}", text(attempt, "provider"), text(attempt, "model")),
            text(attempt, "status"),
            text(attempt, "class"),
            text(attempt, "reason"),
            millis(attempt, "first_token_us"),
            millis(attempt, "duration_us"),
            text(attempt, "cost"),
            used.join(" "),
        ]);
    }
    table
}

fn who(row: &Value) -> &Value {
    row.get("who").unwrap_or(&Value::Null)
}

fn attempts(row: &Value) -> &[Value] {
    row.get("attempts")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The target of the last attempt: the one that answered, if any did.
fn target(row: &Value) -> String {
    attempts(row).last().map_or_else(
        || NOTHING.to_owned(),
        |last| format!("{}/{}", text(last, "provider"), text(last, "model")),
    )
}

fn millis(object: &Value, field: &str) -> String {
    let micros = object.get(field).and_then(Value::as_u64);
    micros.map_or_else(
        || NOTHING.to_owned(),
        |us| format!("{}.{}", us / 1_000, us % 1_000 / 100),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> Value {
        json!({
            "exchange": "ex_1", "started": "2026-11-24T07:32:13Z", "who": {"tenant": "acme"}, "route": "chat", "outcome": "success",
            "status": 200, "duration_us": 12_345, "cost": "0.01",
            "attempts": [{"ordinal": 1, "leg": "primary", "provider": "openai", "model": "m", "reason": "tier 1", "duration_us": 12_000,
                "cost": "0.01", "lines": [{"meter": "input", "quantity": 7}]}],
        })
    }

    #[test]
    fn a_page_is_a_line_an_exchange() {
        let shown = many(&json!({"data": [row()], "next": "ex_1"}));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines[1],
            "2026-11-24T07:32:13Z  ex_1      acme    chat   openai/m  success     200      1  12.3      0.01"
        );
        assert_eq!(lines[3], "more: --after ex_1");
        assert_eq!(many(&json!({"data": []})), "nothing happened\n");
    }

    #[test]
    fn one_exchange_shows_what_is_known_and_every_try() {
        let shown = one(&row());
        assert!(shown.contains("tenant       acme"), "{shown}");
        assert!(!shown.contains("trace_id"), "{shown}");
        assert!(shown.contains("input=7"), "{shown}");
    }
}
