//! What is wrong with a configuration, and where. Collected, never thrown one at a time.

use std::fmt;

use crate::document::Document;
use crate::nearest::nearest;
use crate::path::Path;

/// One thing that is wrong, or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or what stands for it.
    pub origin: String,
    /// From 1; 0 when there is no text.
    pub line: usize,
    /// From 1, in characters; 0 when there is no text.
    pub column: usize,
    /// Where in the tree, such as `routes.chat.tiers[0]`; empty for the whole.
    pub path: String,
    /// What is wrong and what to do, in lower case.
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    /// `lintel.yaml:12:5: routes.chat.deadlin: unknown key; did you mean `deadline`?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.nearest {
            Some(word) => write!(f, "; did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, in the order of the text. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    /// One problem a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects what is found in one text.
pub(crate) struct Report<'d> {
    origin: String,
    document: &'d Document,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl<'d> Report<'d> {
    /// Nothing found yet in `document`, which came from `origin`.
    pub(crate) fn new(origin: &str, document: &'d Document) -> Self {
        Self {
            origin: origin.to_owned(),
            document,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The text in question.
    pub(crate) fn document(&self) -> &'d Document {
        self.document
    }

    /// Something wrong with the value at `path`.
    pub(crate) fn problem(&mut self, path: &Path, message: impl fmt::Display) {
        let problem = self.make(path, self.document.position(path), message);
        self.problems.push(problem);
    }

    /// Something wrong with the key at the end of `path`.
    pub(crate) fn problem_at_key(&mut self, path: &Path, message: impl fmt::Display) {
        let problem = self.make(path, self.document.key_position(path), message);
        self.problems.push(problem);
    }

    /// Like [`Report::problem`], naming the candidate nearest to `word`.
    pub(crate) fn problem_near<'c>(
        &mut self,
        path: &Path,
        message: impl fmt::Display,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) {
        let mut problem = self.make(path, self.document.position(path), message);
        problem.nearest = nearest(word, candidates).map(str::to_owned);
        self.problems.push(problem);
    }

    /// An unknown key at the end of `path`; `known` are the keys that may stand there.
    pub(crate) fn unknown_key<'c>(
        &mut self,
        path: &Path,
        key: &str,
        known: impl Iterator<Item = &'c str> + Clone,
    ) {
        let mut message = "unknown key".to_owned();
        let near = nearest(key, known.clone()).map(str::to_owned);
        if near.is_none() {
            let list: Vec<&str> = known.collect();
            message = if list.is_empty() {
                "unknown key: nothing stands here".to_owned()
            } else {
                format!("unknown key; known here: {}", list.join(", "))
            };
        }
        let mut problem = self.make(path, self.document.key_position(path), message);
        problem.nearest = near;
        self.problems.push(problem);
    }

    /// Something odd about the value at `path`, that stops nothing.
    pub(crate) fn warn(&mut self, path: &Path, message: impl fmt::Display) {
        let warning = self.make(path, self.document.key_position(path), message);
        self.warnings.push(warning);
    }

    /// Something wrong at a place of the text that has another name now.
    pub(crate) fn problem_there(
        &mut self,
        path: &Path,
        at: (usize, usize),
        message: impl fmt::Display,
    ) {
        let problem = self.make(path, at, message);
        self.problems.push(problem);
    }

    /// Something odd at a place of the text that has another name now.
    pub(crate) fn warn_there(
        &mut self,
        path: &Path,
        at: (usize, usize),
        message: impl fmt::Display,
    ) {
        let warning = self.make(path, at, message);
        self.warnings.push(warning);
    }

    /// Where the key at the end of `path` stands, for what will be said of it later.
    pub(crate) fn place(&self, path: &Path) -> Problem {
        self.make(path, self.document.key_position(path), "")
    }

    fn make(
        &self,
        path: &Path,
        (line, column): (usize, usize),
        message: impl fmt::Display,
    ) -> Problem {
        Problem {
            origin: self.origin.clone(),
            line,
            column,
            path: path.to_string(),
            message: message.to_string(),
            nearest: None,
        }
    }
}
