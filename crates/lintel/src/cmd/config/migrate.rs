//! `lintel config migrate`: the names of before become the names of today, in place, word by word.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use lintel_config::Migrated;
use serde_json::json;

use super::unsound;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::source;

/// Give what has an old name its new one.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// The configuration file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the file instead of printing what it would become. It is replaced whole, and keeps its mode.
    #[arg(long)]
    write: bool,
}

impl Migrate {
    pub(super) fn run(&self, form: Form) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let text = source::read(&self.file)
            .map_err(|error| Failure::failed(format!("{name} can't be read: {error}")))?;
        let migrated = lintel_config::migrate(&text, &name).map_err(|p| unsound(&p))?;
        let changed = !migrated.changes.is_empty();
        if self.write && changed {
            replace(&self.file, &migrated.text).map_err(|error| {
                Failure::failed(format!(
                    "{name} can't be written: {error}; nothing was changed"
                ))
            })?;
        }
        let answer = json!({ "file": name, "written": self.write && changed, "changes": changes(&migrated) });
        if form == Form::Json {
            return Ok(output::answer(form, &answer, |_| String::new())?);
        }
        if !self.write {
            output::print(&migrated.text)?;
        }
        for change in &migrated.changes {
            let done = if self.write {
                "renamed"
            } else {
                "to be renamed"
            };
            output::complain(&format!(
                "{name}:{}: {}: `{}` {done} to `{}` ({})",
                change.line, change.path, change.old, change.new, change.note
            ));
        }
        if !changed {
            output::complain(&format!("{name} has no old names"));
        }
        Ok(())
    }
}

fn changes(migrated: &Migrated) -> Vec<serde_json::Value> {
    let one = |c: &lintel_config::Change| json!({ "line": c.line, "path": c.path, "old": c.old, "new": c.new, "since": c.since, "note": c.note });
    migrated.changes.iter().map(one).collect()
}

/// Puts `text` in the place of the file that `path` leads to, whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let path = path.canonicalize()?;
    let beside = path.with_extension(format!("migrating-{}", std::process::id()));
    let written = (|| {
        let mode = std::fs::metadata(&path)?.permissions();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)?;
        file.set_permissions(mode)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // What was begun is of no use to anybody; the file itself is untouched.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_mode_and_link() {
        let scratch = Scratch::new();
        let (file, link) = (scratch.path().join("a.yaml"), scratch.path().join("l.yaml"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2);
        assert!(replace(&scratch.path().join("gone"), "x").is_err());
    }
}
