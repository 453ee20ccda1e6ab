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
    /// Make, list, show and revoke tokens of the control API; show roles.
    Token(cmd::token::Token),
    /// Read who changed what.
    Audit(cmd::audit::Audit),
    /// Look at a running gateway.
    Status(cmd::status::Status),
    /// Have a running gateway read its configuration anew.
    Reload(cmd::status::Reload),
    /// Show facts about the control API.
    Api(cmd::api::Api),
    /// Print or write manual pages.
    Man(cmd::man::Manual),
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

    const MANUAL: &str = include_str!("../../../docs/cli.md");
    /// What every verb that speaks to a gateway takes; told once.
    const SHARED: [&str; 6] = ["json", "admin-url", "ca", "store", "help", "version"];

    /// The verbs that do something, each as it is typed.
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
        let path = format!("{path} {}", command.get_name());
        let verbs: Vec<_> = command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help")
            .collect();
        if verbs.is_empty() || !command.is_subcommand_required_set() {
            found.push((path.trim().to_owned(), command.clone()));
        }
        verbs
            .into_iter()
            .for_each(|verb| leaves(verb, &path, found));
    }

    /// The sections of the manual whose heading shows `verb`, heading included.
    fn sections(verb: &str) -> String {
        let shows = |heading: &str| {
            let spans = heading.split('`').skip(1).step_by(2);
            let rest = spans.filter_map(|span| span.strip_prefix(verb));
            rest.into_iter()
                .any(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let parts = MANUAL
            .split("\n#")
            .filter(|part| part.lines().next().is_some_and(shows));
        parts.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_manual_shows_every_verb_with_every_option() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        assert!(found.len() > 20, "{found:?}");
        let mut missing = Vec::new();
        for (verb, command) in found.into_iter().filter(|(verb, _)| verb != "lintel") {
            if sections(&verb).is_empty() {
                missing.push(format!("a heading with `{verb}`"));
            }
            // What verbs of one noun share is told once.
            let noun: Vec<&str> = verb.split(' ').take(2).collect();
            let section = sections(&noun.join(" "));
            let options = command.get_arguments().filter_map(clap::Arg::get_long);
            for option in options.filter(|option| !SHARED.contains(option)) {
                if !section.contains(&format!("--{option}")) {
                    missing.push(format!("--{option} of `{verb}`"));
                }
            }
        }
        assert!(
            missing.is_empty(),
            "docs/cli.md lacks {}",
            missing.join(", ")
        );
    }

    #[test]
    fn the_manual_shows_no_option_that_is_not_there() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        for heading in MANUAL.lines().filter(|line| line.starts_with('#')) {
            for span in heading
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|span| span.starts_with("lintel "))
            {
                let verbs = found
                    .iter()
                    .filter(|(verb, _)| span.starts_with(verb.as_str()) && verb != "lintel");
                let command = verbs.max_by_key(|(verb, _)| verb.len());
                let (_, command) = command.unwrap_or_else(|| panic!("no verb `{span}`"));
                let known: Vec<_> = command
                    .get_arguments()
                    .filter_map(clap::Arg::get_long)
                    .collect();
                for word in span
                    .split(['[', ']', ' ', '|', '…'])
                    .filter_map(|word| word.strip_prefix("--"))
                {
                    assert!(
                        known.contains(&word) || SHARED.contains(&word),
                        "`{span}`: no --{word}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_manual_shows_every_exit_code() {
        for code in 0..=5 {
            assert!(MANUAL.contains(&format!("\n| {code} | ")), "{code}");
        }
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
