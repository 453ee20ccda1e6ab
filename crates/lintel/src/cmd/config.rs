//! `lintel config`: the configuration language, and what a configuration comes to.

mod diff;
mod migrate;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::output::{self, Form};
use crate::source::Source;

/// Show what a configuration comes to, compare it, migrate it.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the JSON Schema of lintel.yaml.
    Schema {
        /// Of files for `lintel apply` instead.
        #[arg(long)]
        apply: bool,
    },
    /// Print the configuration with every default filled in; secrets are shown by name and length alone.
    Show(show::Show),
    /// Say what differs between the file and what the running gateway has in force; exit code 1 when something does.
    Diff(diff::Diff),
    /// Give what has an old name in a file its new one; comments and order stay.
    Migrate(migrate::Migrate),
}

/// Which configuration.
#[derive(Debug, Args)]
struct Which {
    /// The configuration file [default: lintel.yaml if it is there, else what is built in].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Which {
    fn source(&self) -> Source {
        Source::find(self.config.as_deref())
    }
}

impl Config {
    /// Does it.
    ///
    /// # Errors
    /// A configuration that is not sound, or standard output that can't be written.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        match &self.what {
            What::Schema { apply } => {
                let schema = if *apply {
                    lintel_config::apply::apply_schema()
                } else {
                    lintel_config::schema()
                };
                Ok(output::print(&format!("{schema:#}\n"))?)
            }
            What::Show(show) => show.run(form),
            What::Diff(diff) => diff.run(form),
            What::Migrate(migrate) => migrate.run(form),
        }
    }
}

/// A configuration that is not sound.
fn unsound(problems: &lintel_config::Problems) -> Failure {
    Failure::failed(format!("the configuration is not sound:\n{problems}"))
}
