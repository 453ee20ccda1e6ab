//! Loading: text to snapshot, in order, with everything that is wrong along the way.

use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use lintel_types::NodeId;
use serde_json::{Map, Value};

use crate::bounds;
use crate::decode::decode;
use crate::document::Document;
use crate::fingerprint;
use crate::path::Path;
use crate::prices;
use crate::problem::{Problem, Problems, Report};
use crate::providers::{self, Sources};
use crate::raw::{RawConfig, Switch};
use crate::renames::{self, RENAMES};
use crate::resolved;
use crate::routes::{self, Known};
use crate::schema::schema;
use crate::shape;
use crate::snapshot::{LogConfig, Snapshot};
use crate::tenants;
use crate::tls::{self, TlsConfig};
use crate::upkeep;

/// A configuration that was loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The compiled configuration.
    pub snapshot: Snapshot,
    /// What is odd about it, but stops nothing.
    pub warnings: Vec<Problem>,
}

/// Loads the text of a `lintel.yaml`. `origin` is its file name: messages begin with it, and the
/// price files that it names lie beside it. `env` gives environment variables, `read` files.
///
/// # Errors
/// Every problem at once, in the order of the text.
pub fn load(
    text: &str,
    origin: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&FilePath) -> io::Result<String>,
) -> Result<Loaded, Problems> {
    let document = Document::parse(text, origin).map_err(Problems)?;
    resolve(document, origin, &Sources { env, read })
}

/// The tree of a text as it was written, with nothing checked but that it is YAML.
///
/// # Errors
/// Every place where it is not.
pub fn written(text: &str, origin: &str) -> Result<Value, Problems> {
    Document::parse(text, origin)
        .map(|d| d.value)
        .map_err(Problems)
}

/// A document to a snapshot.
pub(crate) fn resolve(
    mut document: Document,
    origin: &str,
    sources: &Sources<'_>,
) -> Result<Loaded, Problems> {
    let renamed = renames::apply(RENAMES, &mut document);
    let mut value = std::mem::take(&mut document.value);
    if value.is_null() {
        // An empty file is an empty mapping, and misses what that misses.
        value = Value::Object(Map::new());
    }
    let declared = |section: &str| -> Vec<String> {
        value
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect()
    };
    let (provider_names, route_names) = (declared("providers"), declared("routes"));
    let mut report = Report::new(origin, &document);
    renamed.iter().for_each(|found| found.tell(&mut report));
    if !shape::check(&schema(), &mut value, &mut report) {
        if !value.is_object() {
            return Err(Problems(report.problems));
        }
        fill_in(&mut value);
    }
    let raw: Option<RawConfig> = decode(value, &Path::default(), &mut report);
    let snapshot = raw.map(|raw| {
        compile(
            &raw,
            origin,
            &provider_names,
            &route_names,
            sources,
            &mut report,
        )
    });
    let Report {
        mut problems,
        warnings,
        ..
    } = report;
    match snapshot {
        Some(snapshot) if problems.is_empty() => Ok(Loaded { snapshot, warnings }),
        _ => {
            // Stable: problems of price files keep their own order, behind this file's.
            problems.sort_by_key(|p| (p.origin != origin, p.origin.clone(), p.line, p.column));
            Err(Problems(problems))
        }
    }
}

/// Puts an empty `providers` where it is missing or was cut out, so that the rest can still be looked at. It has been reported.
fn fill_in(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        map.entry("providers")
            .or_insert_with(|| Value::Object(Map::new()));
    }
}

fn compile(
    raw: &RawConfig,
    origin: &str,
    provider_names: &[String],
    route_names: &[String],
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Snapshot {
    bounds::check_listeners(raw, sources.env, report);
    if raw.store.contains("://") {
        report.problem(
            &Path::of(&["store"]),
            "a store is a directory, such as ./.lintel",
        );
    }
    let mut listener = |raw: &Option<TlsConfig>, at: &[&str], protocols: &[&[u8]]| {
        let raw = raw.as_ref()?;
        tls::resolve(raw, &Path::of(at), protocols, sources, report)
    };
    let tls = listener(&raw.tls, &["tls"], &[b"h2", b"http/1.1"]);
    let admin_tls = listener(&raw.admin.tls, &["admin", "tls"], &[b"http/1.1"]);
    let limits = bounds::limits(&raw.limits, report);
    let beside = FilePath::new(origin).parent().unwrap_or(FilePath::new(""));
    let prices = prices::resolve(&raw.prices, beside, sources, report);
    let providers = providers::resolve(&raw.providers, sources, report);
    let known = Known {
        providers: &providers,
        declared: provider_names,
        prices: &prices,
        unknown_model: &raw.prices.unknown_model,
    };
    let routes = routes::resolve(&raw.routes, &known, report);
    let mut snapshot = Snapshot {
        hash: Arc::from(""),
        listen: raw.listen.0,
        tls,
        admin: raw.admin.listen.clone(),
        admin_tls,
        store: PathBuf::from(&raw.store),
        durability: raw.durability,
        node: NodeId(raw.node),
        limits,
        routes,
        providers,
        prices: Arc::new(prices),
        unknown_model: raw.prices.unknown_model.clone(),
        tenants: tenants::resolve(&raw.tenants, route_names, report),
        log: LogConfig {
            level: raw.log.level,
            format: raw.log.format,
            calls: raw.log.calls == Switch::On,
            sample: raw.log.sample,
            slow: raw.log.slow.0,
        },
        resolved: Arc::default(),
        upkeep: upkeep::resolve(
            &raw.retention,
            &raw.backup,
            FilePath::new(&raw.store),
            report,
        ),
    };
    let resolved = resolved::tree(raw, snapshot.providers.iter().map(|p| &**p));
    snapshot.resolved = Arc::new(resolved);
    snapshot.hash = fingerprint::hash(&snapshot);
    snapshot
}
