//! The repository as the rules see it: text files and packages, as plain values.
//!
//! Files are those that could be committed: what `.gitignore` names is left out. Rules never touch
//! the disk, so that each can be tried on a repository made of three lines.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Something a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    text: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// A text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let in_folder = ["tests", "benches", "examples"]
            .iter()
            .any(|folder| self.path.split('/').any(|part| part == *folder));
        in_folder || self.path.ends_with("/tests.rs")
    }
}

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the root.
    pub(crate) dir: String,
    /// Names of what it depends on, development included.
    pub(crate) needs: Vec<String>,
    /// The same without development dependencies.
    pub(crate) ships: Vec<String>,
}

/// Everything the rules look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Repo {
    /// The root's path on this machine: it must stand in no file.
    pub(crate) root: String,
    pub(crate) files: Vec<File>,
    pub(crate) packages: Vec<Package>,
}

impl Repo {
    /// A repository of the given files, for samples.
    pub(crate) fn of(files: &[(&str, &str)]) -> Repo {
        let files = files.iter().map(|(path, text)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        });
        Repo {
            files: files.collect(),
            ..Repo::default()
        }
    }

    /// With a package, for samples.
    pub(crate) fn with_package(mut self, name: &str, needs: &[&str]) -> Repo {
        let needs: Vec<String> = needs.iter().map(|n| (*n).to_owned()).collect();
        self.packages.push(Package {
            name: name.to_owned(),
            dir: format!("crates/{name}"),
            ships: needs.clone(),
            needs,
        });
        self
    }

    /// Reads the repository at `root`.
    pub(crate) fn read(root: &Path) -> io::Result<Repo> {
        let ignored = Ignored::read(root)?;
        let mut files = Vec::new();
        walk(root, "", &ignored, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Repo {
            root: root.to_string_lossy().into_owned(),
            files,
            packages: packages(root)?,
        })
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// Names that `.gitignore` keeps out: `name/`, `/path/`, `*.ending`, the forms that this repository uses.
struct Ignored(Vec<String>);

impl Ignored {
    fn read(root: &Path) -> io::Result<Ignored> {
        let text = std::fs::read_to_string(root.join(".gitignore"))?;
        Ok(Ignored(
            text.lines()
                .map(str::trim)
                .filter(|l| !l.is_empty() && !l.starts_with('#'))
                .map(str::to_owned)
                .collect(),
        ))
    }

    fn covers(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        name == ".git"
            || self.0.iter().any(
                |entry| match (entry.strip_prefix('/'), entry.strip_prefix('*')) {
                    (Some(from_root), _) => from_root.trim_end_matches('/') == path,
                    (_, Some(ending)) => name.ends_with(ending),
                    _ => entry.trim_end_matches('/') == name,
                },
            )
    }
}

/// Adds every text file below `at`. Links are not followed; files that are not UTF-8 are no text.
fn walk(root: &Path, at: &str, ignored: &Ignored, files: &mut Vec<File>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(at))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if at.is_empty() {
            name
        } else {
            format!("{at}/{name}")
        };
        if ignored.covers(&path) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &path, ignored, files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(std::fs::read(entry.path())?)
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// The workspace's packages, as cargo sees them.
fn packages(root: &Path) -> io::Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()?;
    if !out.status.success() {
        return Err(io::Error::other(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&out.stderr)
        )));
    }
    let value: Value = serde_json::from_slice(&out.stdout).map_err(io::Error::other)?;
    let packages = value
        .get("packages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(packages
        .filter_map(|package| self::package(package, root))
        .collect())
}

fn package(value: &Value, root: &Path) -> Option<Package> {
    let manifest = Path::new(value.get("manifest_path")?.as_str()?);
    let dir = manifest
        .parent()?
        .strip_prefix(root)
        .ok()?
        .to_string_lossy()
        .into_owned();
    let dependencies = value.get("dependencies")?.as_array()?;
    let name = |d: &Value| d.get("name").and_then(Value::as_str).map(str::to_owned);
    let is_dev = |d: &Value| d.get("kind").and_then(Value::as_str) == Some("dev");
    Some(Package {
        name: value.get("name")?.as_str()?.to_owned(),
        dir,
        needs: dependencies.iter().filter_map(name).collect(),
        ships: dependencies
            .iter()
            .filter(|d| !is_dev(d))
            .filter_map(name)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_ignores_is_left_out() {
        let ignored = Ignored(vec![
            "/target/".into(),
            "node_modules/".into(),
            "*.pyc".into(),
            "/bench/target/".into(),
        ]);
        for path in [
            "target",
            "tests/sdk/node_modules",
            "tests/a.pyc",
            "bench/target",
            ".git",
        ] {
            assert!(ignored.covers(path), "{path}");
        }
        for path in [
            "crates/x/target.rs",
            "crates/target",
            "tests/a.py",
            ".gitignore",
        ] {
            assert!(!ignored.covers(path), "{path}");
        }
    }

    #[test]
    fn a_dependency_for_tests_is_needed_but_not_shipped() {
        let value = serde_json::json!({ "name": "a", "manifest_path": "/r/crates/a/Cargo.toml",
            "dependencies": [ { "name": "b", "kind": null }, { "name": "c", "kind": "dev" } ] });
        let package = package(&value, Path::new("/r")).unwrap();
        assert_eq!(
            (
                package.dir.as_str(),
                package.needs.len(),
                package.ships.len()
            ),
            ("crates/a", 2, 1)
        );
    }
}
