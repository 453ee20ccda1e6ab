//! `lintel status` and `lintel reload`: a look at a running gateway, and its configuration read anew.

use clap::Args;
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::{NOTHING, flag, text};

/// Look at a running gateway: does it take calls, under which configuration, how far is the ledger.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    remote: Remote,
}

/// Read the configuration anew and put it in force. One with problems changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Reload {
    #[command(flatten)]
    remote: Remote,
}

impl Status {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let answer = client.get("/api/v1/status", &Query::default())?;
        Ok(output::answer(form, &answer, status)?)
    }
}

impl Reload {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let answer = client.command("/api/v1/reload")?;
        Ok(output::answer(form, &answer, reloaded)?)
    }
}

fn status(answer: &Value) -> String {
    let mut table = Table::new([
        ("GATEWAY", Align::Left),
        (&*text(answer, "version"), Align::Left),
    ]);
    table.row(vec!["ready".into(), flag(answer, "ready")]);
    for field in ["reason", "in_flight", "uptime_seconds", "config", "node"] {
        table.row(vec![field.into(), text(answer, field)]);
    }
    for field in ["routes", "providers"] {
        let names = answer.get(field).and_then(Value::as_array);
        let names: Vec<&str> = names
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        table.row(vec![
            field.into(),
            if names.is_empty() {
                NOTHING.into()
            } else {
                names.join(", ")
            },
        ]);
    }
    if let Some(journal) = answer.get("journal") {
        table.row(vec!["journal.healthy".into(), flag(journal, "healthy")]);
        table.row(vec!["journal.pending".into(), text(journal, "pending")]);
    }
    for lane in ["ledger", "log"] {
        if let Some(lane_status) = answer.get("projection").and_then(|all| all.get(lane)) {
            table.row(vec![format!("{lane}.lag"), text(lane_status, "lag")]);
            table.row(vec![format!("{lane}.error"), text(lane_status, "error")]);
        }
    }
    table.render()
}

fn reloaded(answer: &Value) -> String {
    let config = text(answer, "config");
    let first = match answer.get("changed") {
        Some(Value::Bool(true)) => format!("the configuration {config} is in force.\n"),
        _ => format!("the configuration {config} was in force already.\n"),
    };
    let warnings = answer.get("warnings").and_then(Value::as_array);
    let warnings = warnings.into_iter().flatten().map(|warning| {
        format!(
            "warning: {}: {}\n",
            text(warning, "path"),
            text(warning, "message")
        )
    });
    first + &warnings.collect::<String>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_read_line_by_line() {
        let answer = json!({"version": "1", "ready": true, "reason": null, "in_flight": 3, "routes": ["a", "b"], "providers": [],
            "journal": {"healthy": true, "pending": 0}, "projection": {"ledger": {"lag": 2, "error": null}}});
        let shown = status(&answer);
        for line in [
            "ready            yes",
            "in_flight        3",
            "routes           a, b",
            "ledger.lag       2",
        ] {
            assert!(shown.lines().any(|each| each == line), "{line}:\n{shown}");
        }
    }

    #[test]
    fn a_reload_says_whether_anything_changed() {
        let warning = json!({"path": "listen", "message": "careful"});
        let changed = json!({"config": "abc", "changed": true, "warnings": [warning]});
        assert_eq!(
            reloaded(&changed),
            "the configuration abc is in force.\nwarning: listen: careful\n"
        );
        assert!(
            reloaded(&json!({"config": "abc", "changed": false, "warnings": []}))
                .contains("already")
        );
    }
}
