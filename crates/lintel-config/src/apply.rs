//! Files for `lintel apply`: tenants, projects and keys as text, checked as `lintel.yaml` is.
//!
//! Decides what may be declared, and follows secrets to their SHA-256: a text that is accepted as a key goes no further
//! than this module. Knows no gateway: what stands there already is the plan's business. Invariant: two files never
//! declare one key.

pub mod raw;

use std::collections::BTreeMap;

use lintel_types::{CallHeader, Caps, Priority};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::decode::decode;
use crate::document::Document;
use crate::names::refuse_name;
use crate::path::Path;
use crate::problem::{Problem, Problems, Report};
use crate::providers::Sources;
use crate::secret::{BadSecret, follow};
use crate::shape;
use raw::{ApplyFile, ApplyKey};

/// A file and its text.
#[derive(Debug, Clone)]
pub struct ApplyText {
    /// Its name, for messages.
    pub origin: String,
    /// What stands in it.
    pub text: String,
}

/// What files declare. A tenant or project without keys is declared too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declared {
    /// By tenant, project and name.
    pub tenants: BTreeMap<String, BTreeMap<String, BTreeMap<String, DeclaredKey>>>,
}

/// A key that is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredKey {
    /// SHA-256 of the text that is accepted, as hexadecimal digits; none: one is to be made.
    pub sha256: Option<String>,
    /// Seconds for which a former secret stays accepted.
    pub overlap_seconds: u64,
    /// Whom to ask.
    pub owner: String,
    /// What it is for.
    pub description: String,
    /// The routes that it may name.
    pub routes: Option<Vec<String>>,
    /// Whether it may name `provider/model`.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid.
    pub expires: Option<String>,
    /// Whether its calls are refused for now.
    pub disabled: bool,
    /// What its calls may ask for.
    pub caps: Caps,
}

/// The JSON Schema (draft 2020-12) of a file for `lintel apply`.
pub fn apply_schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<ApplyFile>()
        .to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), Value::from("Lintel tenants and keys"));
    }
    schema
}

/// Reads files. `env` gives environment variables, `read` files that secrets stand in.
///
/// # Errors
/// Every problem of every file.
pub fn read_apply(
    files: &[ApplyText],
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&std::path::Path) -> std::io::Result<String>,
) -> Result<Declared, Problems> {
    let mut all = Declared::default();
    let mut origins: BTreeMap<[String; 3], &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in files {
        match one(file, &Sources { env, read }, &mut origins, &mut all) {
            Ok(()) => {}
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(Problems(problems))
    }
}

fn one<'f>(
    file: &'f ApplyText,
    sources: &Sources<'_>,
    origins: &mut BTreeMap<[String; 3], &'f str>,
    all: &mut Declared,
) -> Result<(), Vec<Problem>> {
    let mut document = Document::parse(&file.text, &file.origin)?;
    let mut value = std::mem::take(&mut document.value);
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    let mut report = Report::new(&file.origin, &document);
    shape::check(&apply_schema(), &mut value, &mut report);
    if !report.problems.is_empty() {
        return Err(sorted(report.problems));
    }
    let Some(raw): Option<ApplyFile> = decode(value, &Path::default(), &mut report) else {
        return Err(sorted(report.problems));
    };
    for (tenant, declared) in raw.tenants {
        let path = Path::of(&["tenants", &tenant]);
        name(&tenant, &path, &mut report);
        let projects = all.tenants.entry(tenant.clone()).or_default();
        for (project, declared) in declared.projects {
            let path = path.key("projects").key(&project);
            name(&project, &path, &mut report);
            let keys = projects.entry(project.clone()).or_default();
            for (key, declared) in declared.keys {
                let path = path.key("keys").key(&key);
                name(&key, &path, &mut report);
                let whole = [tenant.clone(), project.clone(), key.clone()];
                if let Some(other) = origins.insert(whole, &file.origin) {
                    report
                        .problem_at_key(&path, format!("this key is declared in {other} already"));
                }
                keys.insert(key, resolve(declared, &path, sources, &mut report));
            }
        }
    }
    if report.problems.is_empty() {
        Ok(())
    } else {
        Err(sorted(report.problems))
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|p| (p.line, p.column));
    problems
}

fn name(name: &str, path: &Path, report: &mut Report<'_>) {
    if let Some(why) = refuse_name(name) {
        report.problem_at_key(path, why);
    }
}

fn resolve(
    key: ApplyKey,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> DeclaredKey {
    let sha256 = key.secret.as_deref().and_then(|text| {
        sha256_of(text, sources)
            .map_err(|why| report.problem(&path.key("secret"), why))
            .ok()
    });
    if key.expires.as_deref().is_some_and(is_a_span) {
        let why =
            "a span would mean another time at every apply: write a date, or an RFC 3339 time";
        report.problem(&path.key("expires"), why);
    }
    for (at, model) in key.models.iter().flatten().enumerate() {
        if !model.contains('/') {
            let why = "names no target: write `provider/model`, with `*` for any run of characters";
            report.problem(&path.key("models").index(at), why);
        }
    }
    let shared = |list: Option<Vec<String>>| list.map(|l| l.into_iter().map(Into::into).collect());
    DeclaredKey {
        sha256,
        overlap_seconds: key.overlap.0.as_secs(),
        owner: key.owner,
        description: key.description,
        routes: key.routes,
        direct: key.direct,
        expose_targets: key.expose_targets,
        expires: key.expires,
        disabled: key.disabled,
        caps: Caps {
            max_body: key.max_body.map(|size| size.0 as u64),
            max_in_flight: key.max_in_flight,
            models: shared(key.models),
            priority: key.priority.map(Priority::from),
            headers: key
                .headers
                .map(|h| h.into_iter().map(CallHeader::from).collect()),
            feature: key.feature.map(Into::into),
        },
    }
}

fn is_a_span(text: &str) -> bool {
    // A time has a `-` after its year; no span has one.
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('-')
}

/// Follows a secret to the hash of its text, as 64 digits.
fn sha256_of(text: &str, sources: &Sources<'_>) -> Result<String, String> {
    if let Some(digits) = text.strip_prefix("sha256:") {
        let fits = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        return fits
            .then(|| digits.to_ascii_lowercase())
            .ok_or_else(|| "a hash is `sha256:` and 64 hexadecimal digits".to_owned());
    }
    let (value, whence) = follow(text, sources.env, sources.read).map_err(|bad| match bad {
        BadSecret::Literal => "a secret doesn't belong in this file: write `sha256:` and the SHA-256 of its text, \"${NAME}\" for an environment variable, or \"file:/path\"".to_owned(),
        other => other.to_string(),
    })?;
    // Whoever can be told a key can be told a good one.
    if value.len() < 20 || value.len() > 512 || !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!(
            "{whence} is no secret for a key: it takes 20 to 512 printable ASCII characters without spaces"
        ));
    }
    let digest = Sha256::digest(value.as_bytes());
    Ok(digest.iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Declared, Vec<String>> {
        let files: Vec<ApplyText> = files
            .iter()
            .map(|(origin, text)| ApplyText {
                origin: (*origin).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let env = |name: &str| match name {
            "KEY" => Some("lk_abcdefghijklmnopqrst".to_owned()),
            "SHORT" => Some("lk_a".to_owned()),
            _ => None,
        };
        let file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        read_apply(&files, &env, &file)
            .map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
    }

    const FILE: &str = "tenants:
  acme:
    projects:
      search:
        keys:
          web:
            secret: ${KEY}
            owner: search@acme.example
            max_body: 1MB
            priority: critical
            headers: [user, tags]
            models: [openai/gpt-5*]
            expires: 2027-01-01
          batch: {}
      empty: {}
";

    #[test]
    fn a_file_becomes_keys_and_secrets_become_hashes() {
        let declared = read(&[("keys.yaml", FILE)]).unwrap();
        let projects = &declared.tenants["acme"];
        assert!(projects["empty"].is_empty());
        let web = &projects["search"]["web"];
        let hash = Sha256::digest("lk_abcdefghijklmnopqrst");
        let hash: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(web.sha256.as_deref(), Some(&*hash));
        assert_eq!(web.caps.max_body, Some(1 << 20));
        assert_eq!(web.caps.priority, Some(Priority::Critical));
        assert_eq!(web.overlap_seconds, 86_400);
        let batch = &projects["search"]["batch"];
        assert_eq!((&batch.sha256, &batch.caps), (&None, &Caps::default()));
    }

    #[test]
    fn every_problem_has_its_place_and_no_text_of_a_secret() {
        let key = |line: &str| {
            format!(
                "tenants:\n  acme:\n    projects:\n      search:\n        keys:\n          web:\n            {line}\n"
            )
        };
        for (line, told) in [
            (
                "ownr: x",
                "k.yaml:7:13: tenants.acme.projects.search.keys.web.ownr: unknown key; did you mean `owner`?",
            ),
            ("priority: urgent", "k.yaml:7:23"),
            ("max_body: 1", "k.yaml:7:23"),
            (
                "secret: lk_plain_text_of_a_secret",
                "a secret doesn't belong in this file",
            ),
            ("secret: sha256:abc", "64 hexadecimal digits"),
            (
                "secret: ${SHORT}",
                "environment variable SHORT is no secret",
            ),
            ("secret: ${NONE}", "environment variable NONE is not set"),
            ("expires: 30d", "a span would mean another time"),
            ("models: [gpt-5]", "names no target"),
        ] {
            let problems = read(&[("k.yaml", &key(line))]).unwrap_err();
            assert!(
                problems.iter().any(|p| p.contains(told)),
                "{line}: {problems:?}"
            );
            assert!(!problems.concat().contains("plain_text"), "{problems:?}");
        }
        let named = read(&[("k.yaml", "tenants: { 'a b': {} }")]).unwrap_err();
        assert!(named[0].contains("a name is made of"), "{named:?}");
    }

    #[test]
    fn files_add_up_and_may_not_declare_one_key_twice() {
        let other = "tenants: { acme: { projects: { ads: { keys: { web: {} } } } } }";
        let both = read(&[("a.yaml", FILE), ("b.yaml", other)]).unwrap();
        assert_eq!(both.tenants["acme"].len(), 3);
        let twice = read(&[("a.yaml", FILE), ("b.yaml", FILE)]).unwrap_err();
        assert!(
            twice[0].starts_with("b.yaml:") && twice[0].contains("declared in a.yaml already"),
            "{twice:?}"
        );
    }

    #[test]
    fn the_schema_says_what_the_reader_takes() {
        let schema = apply_schema();
        let text = schema.to_string();
        assert!(text.contains("\"max_in_flight\"") && text.contains("\"critical\""));
    }
}
