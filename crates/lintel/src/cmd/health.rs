//! `lintel health`: whether the running gateway takes calls, for container health checks and scripts.

use clap::Args;
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;

/// Ask the running gateway whether it takes calls: exit 0 when it does, 1 with the reason when it does not.
#[derive(Debug, Args)]
pub(crate) struct Health {
    #[command(flatten)]
    remote: Remote,
}

impl Health {
    /// Asks.
    ///
    /// # Errors
    /// When it can't be reached, or takes no calls: its reason.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let status = Client::new(&self.remote)?.get("/api/v1/status", &Query::default())?;
        if status.get("ready").and_then(Value::as_bool) == Some(true) {
            output::answer(form, &status, |_| "ready\n".to_owned())?;
            return Ok(());
        }
        let reason = status.get("reason").and_then(Value::as_str);
        let reason = reason.unwrap_or("it does not say why");
        Err(Failure::failed(format!("not ready: {reason}")))
    }
}
