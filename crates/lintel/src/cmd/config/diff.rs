//! `lintel config diff`: what a reload would change. Exit code 1 when something differs, as `diff` does.

use clap::Args;
use serde_json::{Value, json};

use super::show::running;
use super::{Which, unsound};
use crate::cli::Remote;
use crate::exit::Failure;
use crate::output::{self, Form};

/// Say what differs between the file and what is in force.
#[derive(Debug, Args)]
pub(super) struct Diff {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    remote: Remote,
}

impl Diff {
    pub(super) fn run(&self, form: Form) -> Result<(), Failure> {
        let source = self.which.source();
        let loaded = source.load().map_err(|p| unsound(&p))?;
        let there = running(&self.remote)?;
        let in_force = there.get("resolved").unwrap_or(&Value::Null);
        let found = lintel_config::differences(in_force, loaded.resolved());
        let hash = there
            .get("config")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let same = found.is_empty() && hash == &*loaded.snapshot.hash;
        let rows: Vec<Value> = found
            .iter()
            .map(|(path, a, b)| json!({ "path": path, "in_force": a, "file": b }))
            .collect();
        let answer = json!({ "same": same, "in_force": hash, "file": loaded.snapshot.hash, "differences": rows });
        let human = |_: &Value| {
            let mut text = format!(
                "--- in force {hash}\n+++ {} {}\n",
                source.name(),
                loaded.snapshot.hash
            );
            for (path, a, b) in &found {
                for (mark, side) in [('-', a), ('+', b)] {
                    if let Some(value) = side {
                        text.push_str(&format!("{mark} {path}: {value}\n"));
                    }
                }
            }
            if found.is_empty() && !same {
                // Prices, or the host rows of another build.
                text.push_str("nothing of the file differs; its price files do, or the running build's own tables\n");
            }
            text
        };
        if same {
            return Ok(output::answer(form, &answer, |_| {
                format!("{} is what is in force ({hash})\n", source.name())
            })?);
        }
        output::answer(form, &answer, human)?;
        Err(Failure::failed(format!(
            "{} is not what is in force; `lintel check`, then reload",
            source.name()
        )))
    }
}
