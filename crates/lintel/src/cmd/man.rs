//! `lintel man`: manual pages, made from the grammar itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::Failure;
use crate::output;

/// Print the manual page of `lintel`, or write those of every verb into a folder.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// Write `lintel.1` and a page for each verb here; the folder is made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Manual {
    /// Does it.
    ///
    /// # Errors
    /// When the folder or standard output can't be written.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let Some(folder) = &self.out else {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page)?;
            return Ok(output::print(&String::from_utf8_lossy(&page))?);
        };
        let write = || {
            std::fs::create_dir_all(folder)?;
            clap_mangen::generate_to(Cli::command(), folder)
        };
        write().map_err(|error| {
            Failure::failed(format!(
                "can't write manual pages to {}: {error}",
                folder.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn every_verb_has_a_page() {
        let scratch = Scratch::new();
        let out = scratch.path().join("man");
        Manual {
            out: Some(out.clone()),
        }
        .run()
        .unwrap();
        for page in [
            "lintel.1",
            "lintel-serve.1",
            "lintel-key.1",
            "lintel-key-create.1",
            "lintel-token-create.1",
        ] {
            let text = std::fs::read_to_string(out.join(page)).unwrap();
            assert!(
                text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"),
                "{page}"
            );
        }
        let whole = std::fs::read_to_string(out.join("lintel.1")).unwrap();
        assert!(whole.contains("Exit codes"), "{whole}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let scratch = Scratch::new();
        let file = scratch.path().join("file");
        std::fs::write(&file, "").unwrap();
        let failure = Manual {
            out: Some(file.join("man")),
        }
        .run()
        .unwrap_err();
        assert!(failure.text.contains("file/man"), "{failure}");
    }
}
