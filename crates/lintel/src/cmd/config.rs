//! `lintel config`: facts about the configuration language.

use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::output;

/// Show facts about the configuration language.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the JSON Schema of lintel.yaml.
    Schema,
}

impl Config {
    /// Does it.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self.what {
            What::Schema => Ok(output::print(&format!("{:#}\n", lintel_config::schema()))?),
        }
    }
}
