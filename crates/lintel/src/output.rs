//! Where a verb's answer goes: standard output, as JSON or as a person's text.
//!
//! The one place that writes there, so that a closed pipe is an error with a name and never a panic.

use std::io::{self, Write};

use serde_json::Value;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Tables and sentences.
    Human,
    /// The control API's JSON, unchanged, on one line.
    Json,
}

impl Form {
    /// What `--json` asks for.
    pub(crate) fn of(json: bool) -> Self {
        if json { Form::Json } else { Form::Human }
    }
}

/// Prints `value` when JSON was asked for, else the text that `human` makes of it.
///
/// # Errors
/// When standard output can't be written.
pub(crate) fn answer(
    form: Form,
    value: &Value,
    human: impl FnOnce(&Value) -> String,
) -> io::Result<()> {
    match form {
        Form::Json => print(&format!("{value}\n")),
        Form::Human => print(&human(value)),
    }
}

/// Prints `text` as it is and flushes it.
///
/// # Errors
/// When standard output can't be written.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line to standard error. A closed standard error has no one to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
