//! How a verb ends: the exit codes, and the one failure type that carries them.
//!
//! The codes are a contract (docs/cli.md): a script decides on them, never on a text.

use std::fmt;
use std::process::ExitCode;

/// Why a verb did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was tried, and failed: 1.
    Failed,
    /// It was asked in a way that can't be understood, here or by the gateway: 2, as clap exits too.
    Usage,
    /// The object does not exist: 3.
    NotFound,
    /// The gateway refused: no token, a wrong one, or too many wrong ones: 4.
    Refused,
    /// Nothing answers at the admin listener's address: 5.
    Unreachable,
    /// A plan was asked for, and has changes: 6.
    Changes,
}

impl Why {
    /// The process's exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Why::Failed => 1,
            Why::Usage => 2,
            Why::NotFound => 3,
            Why::Refused => 4,
            Why::Unreachable => 5,
            Why::Changes => 6,
        }
    }
}

/// A verb's failure: why, and the lower-case text for standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Which exit code.
    pub(crate) why: Why,
    /// What happened and what to do.
    pub(crate) text: String,
}

impl Failure {
    /// A failure with its text.
    pub(crate) fn new(why: Why, text: impl Into<String>) -> Self {
        Self {
            why,
            text: text.into(),
        }
    }

    /// It was tried, and failed.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::new(Why::Failed, text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    /// Standard output is gone (`lintel log | head`): there is no one left to tell.
    fn from(error: std::io::Error) -> Self {
        Self::failed(format!("can't write the answer: {error}"))
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        ExitCode::from(failure.why.code())
    }
}
