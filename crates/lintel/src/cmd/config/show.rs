//! `lintel config show`: every default filled in, secrets by name and length, and the hash that records and metrics carry.

use clap::Args;
use serde_json::{Value, json};

use super::{Which, unsound};
use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::source::{self, Source};

/// Which variables stand above what is built in.
const OVERRIDES: [(&str, &str); 3] = [
    ("LINTEL_LISTEN", "listen"),
    ("LINTEL_ADMIN_LISTEN", "admin.listen"),
    ("LINTEL_STORE", "store"),
];

/// Print the configuration with every default filled in.
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    which: Which,
    /// Show what the running gateway has in force, instead of the file.
    #[arg(long, conflicts_with = "config")]
    running: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Show {
    pub(super) fn run(&self, form: Form) -> Result<(), Failure> {
        if self.running {
            let answer = running(&self.remote)?;
            return Ok(output::answer(form, &answer, in_force)?);
        }
        let source = self.which.source();
        let loaded = source.load().map_err(|p| unsound(&p))?;
        let secrets = lintel_config::secrets(loaded.resolved(), &source::env, &source::read);
        let overrides = overrides(&source);
        let shown: Vec<Value> = secrets
            .iter()
            .map(
                |s| json!({ "path": s.path, "reference": s.reference, "characters": s.characters }),
            )
            .collect();
        let answer = json!({
            "config": loaded.snapshot.hash, "source": source.name(), "overrides": overrides,
            "resolved": loaded.resolved(), "secrets": shown,
        });
        let human = |_: &Value| {
            let mut text = head(&loaded.snapshot.hash, &source.name());
            for (variable, path) in &overrides {
                text.push_str(&format!(
                    "# `{path}` comes from the environment variable {variable}\n"
                ));
            }
            text + &lintel_config::as_yaml(loaded.resolved(), &secrets)
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn head(hash: &str, source: &str) -> String {
    format!(
        "# lintel {}, configuration {hash}, with every default filled in\n# from {source}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Which variables had a say: a file is not overridden.
fn overrides(source: &Source) -> Vec<(&'static str, &'static str)> {
    let set = |(name, _): &(&str, &str)| source::env(name).is_some();
    match source {
        Source::File(_) => Vec::new(),
        Source::Defaults => OVERRIDES.into_iter().filter(set).collect(),
    }
}

/// What the running gateway says of its configuration.
pub(super) fn running(remote: &Remote) -> Result<Value, Failure> {
    Client::new(remote)?.get("/api/v1/config", &Query::default())
}

fn in_force(answer: &Value) -> String {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    let tree = answer.get("resolved").unwrap_or(&Value::Null);
    head(text("config"), "the running gateway, where it is in force")
        + &lintel_config::as_yaml(tree, &[])
}
