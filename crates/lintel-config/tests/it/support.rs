//! Loading with an environment and files that a test makes up.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

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

/// Whether the variable is one that a file refers to, and not one that is read unasked.
pub(crate) fn is_secret(variable: &str) -> bool {
    !variable.to_lowercase().ends_with("_proxy")
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

/// A service account's key file with a key that is made for this run. Needs the `openssl` command: the libraries
/// in the tree sign with RSA keys, but make none.
pub(crate) fn key_file(token_uri: &str) -> String {
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let made = Command::new("openssl")
            .args([
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ])
            .output()
            .unwrap();
        assert!(made.status.success());
        String::from_utf8(made.stdout).unwrap()
    });
    serde_json::json!({
        "type": "service_account", "project_id": "acme-1", "private_key_id": "k1", "private_key": *KEY,
        "client_email": "lintel@acme-1.iam.gserviceaccount.com", "token_uri": token_uri,
    })
    .to_string()
}

/// A certificate and its private key, made for this run with the `openssl` command.
pub(crate) fn certificate() -> &'static (String, String) {
    static MADE: LazyLock<(String, String)> = LazyLock::new(|| {
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "90",
                "-subj",
                "/CN=test",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                "subjectAltName=DNS:lintel.test",
                "-keyout",
                "-",
                "-out",
                "-",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(made.stdout).unwrap();
        let from = |mark: &str| text.find(mark).unwrap();
        let (key, cert) = (
            from("-----BEGIN PRIVATE KEY"),
            from("-----BEGIN CERTIFICATE"),
        );
        let cut = |at: usize| {
            let end = text.get(at..).unwrap();
            let end = end.find("-----END").unwrap() + at;
            let line = text.get(end..).unwrap().find('\n').unwrap();
            text.get(at..end + line + 1).unwrap().to_owned()
        };
        (cut(cert), cut(key))
    });
    &MADE
}

/// Reads what an example names: files of the repository, else a key, a key file or a certificate of this run.
pub(crate) fn read_anything(path: &Path) -> io::Result<String> {
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    let made = match path.extension().and_then(|e| e.to_str()) {
        Some("yaml") => return std::fs::read_to_string(path),
        Some("json") => key_file("https://oauth2.googleapis.com/token"),
        Some("pem") => certificate().0.clone(),
        Some("key") if name == "lintel.key" => certificate().1.clone(),
        _ => "a-planted-secret\n".to_owned(),
    };
    Ok(made)
}
