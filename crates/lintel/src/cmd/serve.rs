//! `lintel serve`: runs the gateway.

use std::path::PathBuf;

use clap::Args;

use crate::exit::Failure;
use crate::serve;
use crate::source::Source;

/// Run the gateway until it is told to stop.
///
/// Without a file it runs on loopback with the sandbox provider and every provider whose usual key
/// variable is set, and prints a development key.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file. Without it: lintel.yaml of this directory if there is one, else the embedded defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When it can't start; the text names the port, file or line at fault.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        serve::run(&Source::find(self.config.as_deref()))
    }
}
