//! The configuration of somebody who has none: loopback, the sandbox, and every provider whose usual
//! environment variable is set.
//!
//! It is written as a document and goes the way of every file, so that it can't drift from what a file may say.

use std::io;

use lintel_wire::hosts::{HOSTS, placeholders};
use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::load::{Loaded, resolve};
use crate::problem::Problems;
use crate::providers::Sources;

/// What stands for a file name in messages.
const ORIGIN: &str = "built-in defaults";

/// The configuration without a file. `LINTEL_LISTEN`, `LINTEL_ADMIN_LISTEN` and `LINTEL_STORE` override addresses and store.
///
/// # Errors
/// An override that is no address, or a provider's variable that can't be a credential.
pub fn defaults(env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let mut root = Map::new();
    let mut put = |key: &str, value: Value| drop(root.insert(key.to_owned(), value));
    if let Some(address) = set("LINTEL_LISTEN") {
        put("listen", json!(address));
    }
    if let Some(address) = set("LINTEL_ADMIN_LISTEN") {
        put("admin", json!({ "listen": address }));
    }
    if let Some(directory) = set("LINTEL_STORE") {
        put("store", json!(directory));
    }
    put("providers", providers(&set));
    put(
        "routes",
        json!({ "sandbox": { "tiers": [{ "targets": [{ "provider": "sandbox", "model": "sandbox" }] }] } }),
    );
    // Whoever just tries a new model gets their answer; its rows are marked unpriced.
    put("prices", json!({ "unknown_model": "allow_unpriced" }));
    let no_file = |_: &std::path::Path| Err(io::Error::from(io::ErrorKind::NotFound));
    resolve(
        Document::made(Value::Object(root)),
        ORIGIN,
        &Sources {
            env,
            read: &no_file,
        },
    )
}

/// The sandbox, and every host of the table whose variable is set and which needs nothing else said.
fn providers(set: &dyn Fn(&str) -> Option<String>) -> Value {
    let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
    let found = HOSTS.iter().filter_map(|host| {
        let mut names = host.env.into_iter().chain(host.env_also);
        let name = names.find(|name| set(name).is_some())?;
        let mut provider =
            json!({ "protocol": host.protocol.name(), "api_key": format!("${{{name}}}") });
        for gap in placeholders(host.base_url) {
            // What else is needed no variable says, and the host is left out.
            let region = region.as_deref().filter(|_| gap == "region")?;
            provider
                .as_object_mut()?
                .insert("region".to_owned(), json!(region));
        }
        Some((host.name.to_owned(), provider))
    });
    let mut providers: Map<String, Value> = found.collect();
    providers.insert("sandbox".to_owned(), json!({ "protocol": "sandbox" }));
    Value::Object(providers)
}
