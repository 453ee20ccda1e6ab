//! Runs the steps and adds up what they say.
//!
//! Output goes through as it comes. Every step runs even when an earlier one failed, so that one run
//! tells everything, except after a gate: without setup or binary the rest says nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use crate::counts::{Counter, Totals};
use crate::steps::{STEPS, Step};

/// Runs every step; `long` asks the tests for their full length.
pub(crate) fn run(root: &Path, long: bool) -> ExitCode {
    let binary = binary(root);
    let mut total = Totals::default();
    let mut report = Vec::new();
    for step in STEPS {
        println!("\n=== {} ===", step.name);
        let began = Instant::now();
        let totals = run_step(root, step, &binary, long);
        total.add(totals);
        report.push(format!(
            "{:<10} {:>5} passed {:>4} failed {:>5} s",
            step.name,
            totals.passed,
            totals.failed,
            began.elapsed().as_secs()
        ));
        if step.gate && totals.failed > 0 {
            report.push(format!("the steps after {} were not run", step.name));
            break;
        }
    }
    println!(
        "\n{}\n{} passed, {} failed",
        report.join("\n"),
        total.passed,
        total.failed
    );
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The release binary: where cargo puts it.
fn binary(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("release").join("lintel")
}

fn run_step(root: &Path, step: &Step, binary: &Path, long: bool) -> Totals {
    let mut counter = Counter::new(step.count);
    match stream(&mut command(root, step, binary, long), &mut counter) {
        Ok(success) => counter.end(success),
        Err(error) => {
            println!("{}: can't be run: {error}", step.name);
            counter.end(false)
        }
    }
}

fn command(root: &Path, step: &Step, binary: &Path, long: bool) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", step.line])
        .env("BINARY", binary)
        .current_dir(root)
        .stdout(Stdio::piped());
    // What cargo told this program about itself is not meant for the crates that it will build.
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_"))
    {
        command.env_remove(name);
    }
    command.env_remove("CARGO_MANIFEST_DIR");
    if long {
        command.env("LINTEL_LONG", "1");
    }
    command
}

fn stream(command: &mut Command, counter: &mut Counter) -> std::io::Result<bool> {
    let mut child = command.spawn()?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).split(b'\n') {
            let line = line?;
            let text = String::from_utf8_lossy(&line);
            writeln!(std::io::stdout(), "{text}")?;
            counter.line(text.trim_end());
        }
    }
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Count;

    fn totals(line: &'static str, count: Count) -> Totals {
        let step = Step {
            name: "sample",
            line,
            count,
            gate: false,
        };
        run_step(Path::new("."), &step, Path::new("/bin/true"), true)
    }

    #[test]
    fn a_step_is_counted_by_what_it_prints_and_how_it_ends() {
        assert_eq!(
            totals("echo 3 passed, 1 failed; exit 1", Count::Summary),
            Totals {
                passed: 3,
                failed: 1
            }
        );
        assert_eq!(
            totals("$BINARY", Count::Exit),
            Totals {
                passed: 1,
                failed: 0
            }
        );
        assert_eq!(
            totals("a-program-that-does-not-exist", Count::Exit),
            Totals {
                passed: 0,
                failed: 1
            }
        );
    }

    #[test]
    fn a_long_run_says_so_to_its_steps() {
        assert_eq!(
            totals("test \"$LINTEL_LONG\" = 1", Count::Exit),
            Totals {
                passed: 1,
                failed: 0
            }
        );
    }
}
