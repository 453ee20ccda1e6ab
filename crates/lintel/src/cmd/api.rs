//! `lintel api`: facts about the control API, without a running gateway.

use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::output;

/// Show facts about the control API.
#[derive(Debug, Args)]
pub(crate) struct Api {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the OpenAPI document of the control API, as `GET /api/v1/openapi.json` answers it.
    Schema,
}

impl Api {
    /// Does it.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self.what {
            What::Schema => Ok(output::print(&format!("{:#}\n", lintel_admin::openapi()))?),
        }
    }
}
