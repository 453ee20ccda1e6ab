//! The files that are applied, read and put into the shape of the control API.

use std::path::{Path, PathBuf};

use lintel_config::apply::{ApplyText, Declared, DeclaredKey, read_apply};
use serde_json::{Map, Value, json};

use crate::exit::{Failure, Why};
use crate::source;

/// Reads every file; a directory stands for the YAML files in it, by name.
///
/// # Errors
/// [`Why::Usage`] with every problem of every file.
pub(super) fn read(paths: &[PathBuf]) -> Result<Declared, Failure> {
    let mut texts = Vec::new();
    for path in paths {
        for file in expand(path)? {
            let text = source::read(&file).map_err(|e| unreadable(&file, &e))?;
            texts.push(ApplyText {
                origin: file.display().to_string(),
                text,
            });
        }
    }
    read_apply(&texts, &source::env, &source::read).map_err(|problems| {
        Failure::new(Why::Usage, format!("the files are not sound:\n{problems}"))
    })
}

fn expand(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|e| unreadable(path, &e))?.path();
        let yaml = file
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        let text = format!("no .yaml or .yml file in {}", path.display());
        return Err(Failure::new(Why::Usage, text));
    }
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Why::Usage,
        format!("can't read {}: {error}", path.display()),
    )
}

/// What is declared, as the control API reads it.
pub(super) fn tenants(declared: &Declared) -> Value {
    let mut tenants = Map::new();
    for (tenant, projects) in &declared.tenants {
        let mut of_tenant = Map::new();
        for (project, keys) in projects {
            let keys = keys.iter().map(|(name, k)| (name.clone(), key(k)));
            of_tenant.insert(project.clone(), Value::Object(keys.collect()));
        }
        tenants.insert(tenant.clone(), Value::Object(of_tenant));
    }
    Value::Object(tenants)
}

fn key(key: &DeclaredKey) -> Value {
    let mut fields = match json!(key.caps) {
        Value::Object(caps) => caps,
        _ => Map::new(),
    };
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    set("sha256", json!(key.sha256));
    set("overlap_seconds", json!(key.overlap_seconds));
    set("owner", json!(key.owner));
    set("description", json!(key.description));
    set("routes", json!(key.routes));
    set("direct", json!(key.direct));
    set("expose_targets", json!(key.expose_targets));
    set("expires", json!(key.expires));
    set("disabled", json!(key.disabled));
    Value::Object(fields)
}
