//! `lintel apply`: makes tenants, projects and keys stand as files declare them.
//!
//! Reads and checks every file here, sends hashes and never a secret, shows the plan, and carries it out in one step. What
//! was planned is what is done: when something has changed meanwhile, nothing is.

mod files;
mod show;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::ask;
use crate::cli::Remote;
use crate::client::Client;
use crate::exit::{Failure, Why};
use crate::output::{self, Form};

/// Make tenants, projects and keys stand as files declare them.
///
/// Shows what changes, asks, and changes it all or nothing. Applying again changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    remote: Remote,
    /// A file, or a directory whose .yaml and .yml files are read; may be given many times.
    #[arg(short, long = "file", value_name = "FILE|DIR", required = true)]
    file: Vec<PathBuf>,
    /// Only show what would change: exit 0 when nothing would, 6 when something would.
    #[arg(long)]
    plan: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Delete what files had made and these no more declare. What was made by hand is never deleted.
    #[arg(long)]
    prune: bool,
}

impl Apply {
    /// Does it.
    ///
    /// # Errors
    /// [`Why::Usage`] for files with problems, [`Why::Changes`] for a plan with changes; else as the control API answers.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let declared = files::read(&self.file)?;
        let client = Client::new(&self.remote)?.patient();
        let mut body =
            json!({ "tenants": files::tenants(&declared), "prune": self.prune, "dry_run": true });
        let plan = client.post("/api/v1/apply", &body)?;
        let changes = show::changes(&plan);
        if self.plan {
            output::answer(form, &plan, show::plan)?;
            return match changes {
                0 => Ok(()),
                n => Err(Failure::new(Why::Changes, format!("{n} to change"))),
            };
        }
        if changes == 0 {
            return Ok(output::answer(form, &plan, show::plan)?);
        }
        if !self.yes {
            output::print(&show::plan(&plan))?;
            if !ask::typed("Apply this? Only `yes` will:", "yes", "--yes")? {
                return Err(Failure::failed("nothing was changed"));
            }
        }
        if let Some(fields) = body.as_object_mut() {
            fields.insert("dry_run".to_owned(), Value::Bool(false));
            let state = plan.get("state").cloned().unwrap_or_default();
            fields.insert("state".to_owned(), state);
        }
        let done = client.post("/api/v1/apply", &body)?;
        Ok(output::answer(form, &done, show::done)?)
    }
}
