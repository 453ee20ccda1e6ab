//! `lintel check`: reads a configuration as `serve` would and reports every problem. Contacts nobody.

mod serves;

use std::path::PathBuf;

use clap::Args;
use lintel_admin::Fault;
use lintel_config::Problem;
use serde_json::json;

use crate::exit::Failure;
use crate::output::{self, Form};
use crate::source::Source;

/// Read a configuration and report every problem in it.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file.
    #[arg(long, default_value = "lintel.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Also say what translation can't carry, for every route, surface and target.
    #[arg(long)]
    limits: bool,
}

impl Check {
    /// Does it.
    ///
    /// # Errors
    /// [`crate::exit::Why::Failed`] when there are problems.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let file = self.config.display();
        let loaded = match Source::File(self.config.clone()).load() {
            Ok(loaded) => loaded,
            Err(problems) => {
                let answer =
                    json!({ "ok": false, "problems": faults(&problems.0), "warnings": [] });
                output::answer(form, &answer, |_| format!("{problems}\n"))?;
                return Err(Failure::failed(format!(
                    "{file} is not sound ({} to mend)",
                    problems.0.len()
                )));
            }
        };
        let snapshot = &loaded.snapshot;
        let serves = serves::of(snapshot);
        let answer = json!({ "ok": true, "config": snapshot.hash, "problems": [], "warnings": faults(&loaded.warnings), "serves": serves });
        let mut text: String = loaded
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}\n"))
            .collect();
        text.push_str(&format!(
            "{file} is sound: {} providers, {} routes, {} tenants\n",
            snapshot.providers.len(),
            snapshot.routes.len(),
            snapshot.tenants.len()
        ));
        if !snapshot.routes.is_empty() {
            text.push_str(&format!("\n{}", serves::table(&serves)));
        }
        if self.limits {
            text.push_str(&format!("\n{}", serves::limits(&serves)));
        }
        Ok(output::answer(form, &answer, |_| text)?)
    }
}

fn faults(problems: &[Problem]) -> Vec<Fault> {
    problems.iter().map(Fault::from).collect()
}
