//! `lintel import`: the configuration of another gateway becomes a `lintel.yaml`, with a list of what has no counterpart.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lintel_config::import::{Imported, Lost, litellm};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output::{self, Form};
use crate::source;
use crate::table::{Align, Table};

/// Import the configuration of another gateway.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Read a configuration of LiteLLM's proxy (config.yaml) and write a lintel.yaml. No secret is copied: keys become
    /// references to environment variables. What has no counterpart is listed, with its line, the reason and what comes nearest.
    Litellm(Litellm),
}

#[derive(Debug, Args)]
struct Litellm {
    /// LiteLLM's configuration file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write; without it the new file goes to standard output, and the list to standard error. A file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Import {
    /// Does it.
    ///
    /// # Errors
    /// A source that can't be read, or in which no model can be called; a file that is there already.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let From::Litellm(litellm) = &self.from;
        litellm.run(form)
    }
}

impl Litellm {
    fn run(&self, form: Form) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let text = source::read(&self.file)
            .map_err(|error| Failure::failed(format!("{name} can't be read: {error}")))?;
        let imported =
            litellm::import(&text, &name, &source::env, &source::read).map_err(|problems| {
                Failure::failed(format!("{name} can't be imported:\n{problems}"))
            })?;
        if let Some(out) = &self.out {
            create(out, &imported.text)?;
        }
        let unset: Vec<&String> = imported
            .variables
            .iter()
            .filter(|v| source::env(v).is_none())
            .collect();
        if form == Form::Json {
            let lost: Vec<Value> = imported.lost.iter().map(row).collect();
            let answer = json!({
                "config": imported.text, "written": self.out, "variables": imported.variables, "unset": unset, "lost": lost,
            });
            return Ok(output::answer(form, &answer, |_| String::new())?);
        }
        let report = self.report(&imported, &unset);
        match &self.out {
            Some(_) => output::print(&report)?,
            None => {
                output::print(&imported.text)?;
                output::complain(report.trim_end());
            }
        }
        Ok(())
    }

    fn report(&self, imported: &Imported, unset: &[&String]) -> String {
        let mut text = String::new();
        if !imported.lost.is_empty() {
            let mut table = Table::new(
                ["LINE", "SETTING", "MATTERS", "WHY", "NEAREST"]
                    .map(|heading| (heading, Align::Left)),
            );
            for l in &imported.lost {
                table.row(vec![
                    format!("{}:{}", l.origin, l.line),
                    l.path.clone(),
                    l.severity.name().to_owned(),
                    l.reason.clone(),
                    l.nearest.clone(),
                ]);
            }
            text.push_str(&format!("{}\n", table.render()));
        }
        if !unset.is_empty() {
            let names: Vec<&str> = unset.iter().map(|v| v.as_str()).collect();
            text.push_str(&format!("set before the start: {}\n", names.join(" ")));
        }
        if let Some(out) = &self.out {
            text.push_str(&format!(
                "written to {0}; next: lintel check --config {0}\n",
                out.display()
            ));
        }
        text
    }
}

fn row(l: &Lost) -> Value {
    json!({ "origin": l.origin, "line": l.line, "path": l.path, "severity": l.severity.name(), "reason": l.reason, "nearest": l.nearest })
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| {
        let text = match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!(
                "{} is there already: name another file, or move it away",
                path.display()
            ),
            _ => format!("{} can't be written: {error}", path.display()),
        };
        Failure::failed(text)
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(told)?;
    file.write_all(text.as_bytes()).map_err(told)
}
