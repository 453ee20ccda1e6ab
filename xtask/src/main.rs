//! The repository's own commands: `cargo xtask help` lists them.
//!
//! Decides nothing about the product and is no part of it. Depends on nothing but JSON, so that it
//! builds in seconds on a fresh machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line's output is its result"
)]

mod counts;
mod steps;
mod suite;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  tidy      checks the repository's own rules
  rules     lists them
  test      runs every check and test; the last line is `N passed, N failed`
  verify    the same at full length: more kills, more seeds
  steps     lists what `test` runs
  help      shows this
";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_else(|| "help".to_owned());
    let root = root();
    match command.as_str() {
        "tidy" => tidy::run(&root),
        "rules" => {
            tidy::RULES
                .iter()
                .for_each(|rule| println!("{:<12} {}", rule.name, rule.summary));
            ExitCode::SUCCESS
        }
        "test" => suite::run(&root, false),
        "verify" => suite::run(&root, true),
        "steps" => {
            steps::STEPS
                .iter()
                .for_each(|step| println!("{:<10} {}", step.name, step.line));
            ExitCode::SUCCESS
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("xtask: unknown command `{other}`\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

/// The workspace's root: the folder above this crate's.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
