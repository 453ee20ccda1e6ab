//! The files of a configuration as trees whose nodes know where they stand. `include` is followed, one level deep.

use std::io;
use std::path::Path as FilePath;

use serde_json::Value;

use super::super::Lost;
use crate::document::Document;
use crate::path::{Path, Step};
use crate::problem::{Problem, Problems};

/// The file and what it includes.
pub(super) struct Source {
    files: Vec<(String, Document)>,
}

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct Node<'s> {
    origin: &'s str,
    document: &'s Document,
    path: Path,
    pub(super) value: &'s Value,
}

impl Source {
    pub(super) fn open(
        text: &str,
        origin: &str,
        read: &dyn Fn(&FilePath) -> io::Result<String>,
    ) -> Result<Self, Problems> {
        let first = Document::parse(text, origin).map_err(Problems)?;
        let mut files = vec![(origin.to_owned(), first)];
        let beside = FilePath::new(origin).parent().unwrap_or(FilePath::new(""));
        let mut problems = Vec::new();
        let source = Self { files };
        let mut more = Vec::new();
        for name in source.section("include").iter().flat_map(Node::elements) {
            let Some(file) = name.value.as_str() else {
                continue;
            };
            let path = beside.join(file);
            let shown = path.display().to_string();
            match read(&path) {
                Ok(text) => match Document::parse(&text, &shown) {
                    Ok(document) => more.push((shown, document)),
                    Err(found) => problems.extend(found),
                },
                Err(error) => problems.push(name.problem(&format!("can't read {shown}: {error}"))),
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        files = source.files;
        files.extend(more);
        Ok(Self { files })
    }

    /// The top-level value called `name`, once a file that has it; the main file first.
    pub(super) fn section(&self, name: &str) -> Vec<Node<'_>> {
        self.roots().filter_map(|root| root.get(name)).collect()
    }

    /// The whole of every file.
    pub(super) fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.files.iter().map(|(origin, document)| Node {
            origin,
            document,
            path: Path::default(),
            value: &document.value,
        })
    }

    /// Nothing can be made of it.
    pub(super) fn hopeless(&self, message: &str, lost: &[Lost]) -> Problems {
        let mut problems: Vec<Problem> = lost
            .iter()
            .filter(|l| l.path.starts_with("model_list"))
            .map(|l| Problem {
                origin: l.origin.clone(),
                line: l.line,
                column: 1,
                path: l.path.clone(),
                message: format!("{}; {}", l.reason, l.nearest),
                nearest: None,
            })
            .collect();
        problems.extend(self.roots().next().map(|root| root.problem(message)));
        Problems(problems)
    }
}

impl<'s> Node<'s> {
    pub(super) fn origin(&self) -> &'s str {
        self.origin
    }

    pub(super) fn line(&self) -> usize {
        self.document.key_position(&self.path).0
    }

    pub(super) fn path(&self) -> String {
        self.path.to_string()
    }

    fn problem(&self, message: &str) -> Problem {
        let (line, column) = self.document.key_position(&self.path);
        Problem {
            origin: self.origin.to_owned(),
            line,
            column,
            path: self.path.to_string(),
            message: message.to_owned(),
            nearest: None,
        }
    }

    fn step(&self, step: Step, value: &'s Value) -> Node<'s> {
        Node {
            path: self.path.with(step),
            value,
            ..self.clone()
        }
    }

    /// The member called `name`; nothing written is no member.
    pub(super) fn get(&self, name: &str) -> Option<Node<'s>> {
        let value = self.value.as_object()?.get(name).filter(|v| !v.is_null())?;
        Some(self.step(Step::Key(name.to_owned()), value))
    }

    /// The members of a mapping.
    pub(super) fn members(&self) -> Vec<(&'s str, Node<'s>)> {
        let map = self.value.as_object().into_iter().flatten();
        map.filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.as_str(), self.step(Step::Key(key.clone()), value)))
            .collect()
    }

    /// The elements of a list.
    pub(super) fn elements(&self) -> Vec<Node<'s>> {
        let list = self.value.as_array().into_iter().flatten();
        list.enumerate()
            .map(|(i, value)| self.step(Step::Index(i), value))
            .collect()
    }

    /// The text of a member.
    pub(super) fn text(&self, name: &str) -> Option<&'s str> {
        self.get(name)?.value.as_str()
    }

    /// A number, also one that was written as a text.
    pub(super) fn number(&self) -> Option<f64> {
        let text = self.value.as_str().and_then(|t| t.trim().parse().ok());
        self.value.as_f64().or(text).filter(|n: &f64| n.is_finite())
    }

    /// Seconds as a length of time.
    pub(super) fn seconds(&self) -> Option<String> {
        let millis = (self.number()? * 1_000.0).round();
        if !(1.0..=3_600_000.0 * 24.0 * 365.0).contains(&millis) {
            return None;
        }
        let period = lintel_policy::Period(std::time::Duration::from_millis(millis as u64));
        Some(period.to_string())
    }
}
