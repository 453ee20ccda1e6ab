//! The proof that a backup is whole: anywhere, without the store that it came from.
//!
//! Reads only. Invariant: what it accepts can be restored, and comes to the sums that it had when it was made.

use std::collections::BTreeSet;
use std::path::Path;

use super::manifest::{self, Manifest};
use super::{PARTIAL, sums, wrong};
use crate::database::Schema;
use crate::error::StoreError;
use crate::journal;
use crate::prepare::DATABASES;

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// What is wrong with it; nothing when it is whole. At most 100.
    pub problems: Vec<String>,
}

/// Checks the backup in `dir`: every file's length and SHA-256, the structure of each database page by page, the
/// frames of the journal, and the sums.
///
/// Errors: it has no manifest that can be read, its making never ended, or a newer version made it.
pub fn verify(dir: &Path) -> Result<Checked, StoreError> {
    let manifest = finished(dir)?;
    let mut problems = files(dir, &manifest);
    // What has other bytes than it should is not worth a look inside.
    if problems.is_empty() {
        problems.extend(
            DATABASES
                .into_iter()
                .flat_map(|schema| database(dir, schema, &manifest)),
        );
    }
    if problems.is_empty() {
        problems.extend(amounts(dir, &manifest));
    }
    problems.truncate(100);
    Ok(Checked { manifest, problems })
}

/// The manifest of a backup whose making ended.
pub(super) fn finished(dir: &Path) -> Result<Manifest, StoreError> {
    if dir
        .file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(PARTIAL))
    {
        return Err(wrong(dir, "its making never ended: use another one"));
    }
    Manifest::read(dir)
}

fn files(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    for wanted in &manifest.files {
        let name = &wanted.name;
        match manifest::entry(dir, name) {
            Ok(found) if found == *wanted => {}
            Ok(found) if found.bytes != wanted.bytes => {
                problems.push(format!(
                    "{name} has {} bytes, the manifest says {}",
                    found.bytes, wanted.bytes
                ));
            }
            Ok(_) => problems.push(format!("{name} has another SHA-256 than the manifest says")),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let named: BTreeSet<&str> = manifest
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    for schema in DATABASES {
        if !named.contains(schema.file) {
            problems.push(format!("{} is not in the manifest", schema.file));
        }
    }
    problems
}

fn database(dir: &Path, schema: &Schema, manifest: &Manifest) -> Vec<String> {
    let file = schema.file;
    let checked = || -> Result<Vec<String>, StoreError> {
        let db = sums::still(schema, dir)?;
        let mut rows = db
            .prepare("PRAGMA integrity_check(20)")
            .map_err(StoreError::sql(file))?;
        let found = rows
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(StoreError::sql(file))?;
        let found: rusqlite::Result<Vec<String>> = found.collect();
        let mut problems: Vec<String> = found
            .map_err(StoreError::sql(file))?
            .into_iter()
            .filter(|line| line != "ok")
            .map(|line| format!("{file}: {line}"))
            .collect();
        let version = sums::schema_version(schema, dir)?;
        if manifest.schemas.get(file) != Some(&version) {
            problems.push(format!(
                "{file} has schema version {version}, the manifest says another"
            ));
        }
        Ok(problems)
    };
    checked().unwrap_or_else(|error| vec![error.to_string()])
}

/// Whether rows and records come to what the manifest says.
fn amounts(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    let journal = records(dir, manifest, &mut problems);
    match sums::sum(dir) {
        Err(error) => problems.push(error.to_string()),
        Ok(mut found) => {
            found.counts.journal = journal;
            if found.counts != manifest.counts {
                problems.push(format!(
                    "its rows are {:?}, the manifest says {:?}",
                    found.counts, manifest.counts
                ));
            }
            for (what, found, wanted) in [
                ("usage", &found.usage, &manifest.usage),
                ("ledger", &found.ledger, &manifest.ledger),
            ] {
                let differs = found.iter().filter(|sum| !wanted.contains(sum));
                problems.extend(differs.map(|sum| {
                    format!("the {what} of tenant `{}` comes to {} in {} rows, the manifest says another", sum.tenant, sum.cost, sum.rows)
                }));
                if found.len() != wanted.len() {
                    problems.push(format!(
                        "the {what} has {} tenants, the manifest {}",
                        found.len(),
                        wanted.len()
                    ));
                }
            }
        }
    }
    problems
}

fn records(dir: &Path, manifest: &Manifest, problems: &mut Vec<String>) -> u64 {
    let mut records = 0;
    for file in manifest
        .files
        .iter()
        .filter(|file| file.name.ends_with(".log"))
    {
        match std::fs::read(dir.join(&file.name)) {
            Err(error) => problems.push(format!("{}: {error}", file.name)),
            Ok(bytes) => match journal::check(&bytes) {
                Ok(frames) => records += frames,
                Err(damage) => problems.push(format!(
                    "{}: {} at byte {}",
                    file.name, damage.why, damage.offset
                )),
            },
        }
    }
    records
}
