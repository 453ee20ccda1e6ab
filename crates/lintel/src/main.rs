//! The `lintel` binary (floor 5): reads the command line, runs one verb, turns its end into an exit code.
//!
//! Decides nothing about calls: `serve` wires the floors below together, every other verb speaks to
//! a running gateway through its control API.

// Settlement relies on unwinding: a panic in a step must still run `Drop` (a call settles exactly once).
#[cfg(not(panic = "unwind"))]
compile_error!(
    "lintel must be built with panic = \"unwind\": with abort, a panic would lose settlements"
);

mod ask;
mod cli;
mod client;
mod cmd;
mod exit;
mod output;
mod query;
#[cfg(test)]
mod scratch;
mod serve;
mod source;
mod table;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::exit::Failure;
use crate::output::Form;

/// mimalloc, because a call allocates a few dozen times: 8 % less CPU a call than glibc's. Without
/// transparent huge pages: with them an idle stream held 57 KB, without 33 KB, at the same speed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&format!("lintel: {failure}"));
            ExitCode::from(&failure)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let form = Form::of(cli.json);
    match &cli.verb {
        Verb::Serve(serve) => serve.run(),
        Verb::Upgrade(upgrade) => upgrade.run(form),
        Verb::Health(health) => health.run(form),
        Verb::Check(check) => check.run(form),
        Verb::Config(config) => config.run(form),
        Verb::Import(import) => import.run(form),
        Verb::Key(key) => key.run(form),
        Verb::Tenant(tenant) => tenant.run(form),
        Verb::Project(project) => project.run(form),
        Verb::Apply(apply) => apply.run(form),
        Verb::Backup(backup) => backup.run(form),
        Verb::Store(store) => store.run(form),
        Verb::Usage(usage) => usage.run(form),
        Verb::Log(log) => log.run(form),
        Verb::Token(token) => token.run(form),
        Verb::Audit(audit) => audit.run(form),
        Verb::Status(status) => status.run(form),
        Verb::Reload(reload) => reload.run(form),
        Verb::Api(api) => api.run(),
        Verb::Man(manual) => manual.run(),
        Verb::Completions(completions) => completions.run(),
    }
}
