//! Loading with an environment and files that a test makes up.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use lintel_config::{Loaded, Problems};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Loads `text` with these variables and files.
pub(crate) fn load_with(
    text: &str,
    env: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<Loaded, Problems> {
    let env: HashMap<&str, &str> = env.iter().copied().collect();
    let files: HashMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &Path| {
        let found = path.to_str().and_then(|p| files.get(p));
        found
            .map(|text| (*text).to_owned())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    lintel_config::load(
        text,
        "lintel.yaml",
        &|name| env.get(name).map(|v| (*v).to_owned()),
        &read,
    )
}

/// Loads `text` with a key in `KEY`, and nothing else.
pub(crate) fn load(text: &str) -> Result<Loaded, Problems> {
    load_with(text, &[("KEY", "sk-test")], &[])
}

/// The problems of `text` as they are shown.
pub(crate) fn problems(text: &str) -> Vec<String> {
    match load(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}
