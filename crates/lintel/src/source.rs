//! Where the configuration comes from: a file, or the defaults that are built in.
//!
//! The one place that reads configuration, its environment and its files, for `serve`, `check` and
//! reloads alike: what `check` says is what `serve` does.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lintel_config::{Loaded, Problem, Problems};
use lintel_gateway::SystemClock;
use lintel_types::Clock as _;

/// The file that is read when none is named, if it is there.
const USUAL: &str = "lintel.yaml";
/// No configuration, price file or secret is longer; something that is was named by mistake.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Where the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// What is built in.
    Defaults,
}

impl Source {
    /// The file that was named, else the usual one if it is there, else the defaults.
    pub(crate) fn find(named: Option<&Path>) -> Self {
        match named {
            Some(path) => Source::File(path.to_owned()),
            None if Path::new(USUAL).exists() => Source::File(USUAL.into()),
            None => Source::Defaults,
        }
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Source::File(path) => Some(path),
            Source::Defaults => None,
        }
    }

    /// The name for people.
    pub(crate) fn name(&self) -> String {
        self.file().map_or_else(
            || "embedded defaults".to_owned(),
            |path| path.display().to_string(),
        )
    }

    /// Reads it.
    ///
    /// # Errors
    /// Every problem that it has.
    pub(crate) fn load(&self) -> Result<Loaded, Problems> {
        let mut loaded = match self {
            Source::Defaults => lintel_config::defaults(&env)?,
            Source::File(path) => {
                let origin = path.display().to_string();
                let text = read(path).map_err(|error| unreadable(&origin, &error))?;
                lintel_config::load(&text, &origin, &env, &read)?
            }
        };
        let now = SystemClock::new().wall();
        loaded.warnings.extend(loaded.snapshot.expiring(now));
        Ok(loaded)
    }
}

fn unreadable(origin: &str, error: &io::Error) -> Problems {
    let message = format!("can't be read: {error}; name the file with --config");
    Problems(vec![Problem {
        origin: origin.to_owned(),
        line: 0,
        column: 0,
        path: String::new(),
        message,
        nearest: None,
    }])
}

/// A variable of the environment. One that is set to nothing counts as not set.
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES {
        return Err(io::Error::other(format!(
            "it is over {} MiB",
            FILE_BYTES >> 20
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_that_is_not_there_is_a_problem_with_its_name() {
        let problems = Source::File("/nowhere/lintel.yaml".into())
            .load()
            .unwrap_err();
        assert_eq!(problems.0.len(), 1);
        let text = problems.to_string();
        assert!(
            text.starts_with("/nowhere/lintel.yaml: can't be read"),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_one_is_not_read_whole() {
        let scratch = Scratch::new();
        let path = scratch.path().join("huge.yaml");
        std::fs::File::create(&path)
            .unwrap()
            .set_len(FILE_BYTES + 1)
            .unwrap();
        assert!(
            Source::File(path)
                .load()
                .unwrap_err()
                .to_string()
                .contains("over 16 MiB")
        );
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let scratch = Scratch::new();
        let path = scratch.path().join("lintel.yaml");
        std::fs::write(
            &path,
            "lisen: 127.0.0.1:0\nproviders: { box: { protocol: sandbox, colour: red } }\n",
        )
        .unwrap();
        let problems = Source::File(path).load().unwrap_err();
        let lines: Vec<usize> = problems.0.iter().map(|problem| problem.line).collect();
        assert!(lines.contains(&1) && lines.contains(&2), "{problems}");
    }
}
