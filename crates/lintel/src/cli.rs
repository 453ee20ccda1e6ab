//! The command line: its grammar and nothing else.
//!
//! What a verb does is in `cmd/`, one file a verb. Help texts are the manual: they say what a verb
//! reads, what it changes and where.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cmd;

/// One beam that carries every model call: a gateway for language models.
///
/// Exit codes: 0 done · 1 failed · 2 wrong usage · 3 not found · 4 refused · 5 the admin listener can't be reached ·
/// 6 a plan has changes.
#[derive(Debug, Parser)]
#[command(
    name = "lintel",
    version,
    max_term_width = 100,
    propagate_version = true
)]
pub(crate) struct Cli {
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the gateway.
    Serve(cmd::serve::Serve),
    /// Replace the running process by a new one, without a refused connection.
    Upgrade(cmd::upgrade::Upgrade),
    /// Ask the running gateway whether it takes calls.
    Health(cmd::health::Health),
    /// Read a configuration and report every problem in it.
    Check(cmd::check::Check),
    /// Show what a configuration comes to, compare it, migrate it.
    Config(cmd::config::Config),
    /// Import the configuration of another gateway.
    Import(cmd::import::Import),
    /// Make, list, change, rotate, disable, enable and revoke virtual keys.
    Key(cmd::key::Key),
    /// Make, list and delete tenants.
    Tenant(cmd::tenant::Tenant),
    /// Make, list and delete projects.
    Project(cmd::project::Project),
    /// Make tenants, projects and keys stand as files declare them.
    Apply(cmd::apply::Apply),
    /// Make, list, prove and restore backups of the store.
    Backup(cmd::backup::Backup),
    /// Look at the store's files, and give free space back.
    Store(cmd::store::Store),
    /// Sum up what was used and what it cost.
    Usage(cmd::usage::Usage),
    /// Read back what happened, exchange by exchange.
    Log(cmd::log::Log),
    /// Print a completion script for a shell.
    Completions(cmd::completions::Completions),
}

/// How a verb reaches a running gateway.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// The admin listener of the running gateway: http://HOST:PORT, https://HOST:PORT or unix:/PATH.
    #[arg(
        long,
        env = "LINTEL_ADMIN_URL",
        default_value = "http://127.0.0.1:8081",
        value_name = "URL"
    )]
    pub(crate) admin_url: String,
    /// The authorities (PEM) that the admin listener's certificate may come from, for an https URL. Without it: those that this machine trusts.
    #[arg(long, env = "LINTEL_ADMIN_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The store directory that holds the admin token, when LINTEL_ADMIN_TOKEN is not set.
    #[arg(
        long,
        env = "LINTEL_STORE",
        default_value = ".lintel",
        value_name = "DIR"
    )]
    pub(crate) store: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn json_may_stand_anywhere() {
        for line in [
            "lintel --json usage",
            "lintel usage --json",
            "lintel key list --json",
            "lintel key --json list",
        ] {
            assert!(Cli::parse_from(line.split(' ')).json, "{line}");
        }
    }
}
