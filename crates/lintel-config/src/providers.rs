//! Providers: which host row describes each, where it is called, and with what.
//!
//! The host row is the one named by `host`; else the one of the base URL's host name; else the one
//! whose name the provider bears; else, without a base URL, the protocol's home; else its generic one. A row of another protocol is only
//! refused when it was named: some hosts speak two protocols at one host name.

use std::collections::BTreeMap;
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use lintel_wire::hosts::{self, Host};
use lintel_wire::provider::ProviderConfig;
use lintel_wire::provider::SANDBOX;

use crate::base_url::BaseUrl;
use crate::names::refuse_name;
use crate::path::Path;
use crate::problem::Report;
use crate::secret::{self, Secret};
use crate::snapshot::Provider;

/// Where environment variables and files come from.
pub(crate) struct Sources<'s> {
    pub(crate) env: &'s dyn Fn(&str) -> Option<String>,
    pub(crate) read: &'s dyn Fn(&FilePath) -> io::Result<String>,
}

/// Resolves all providers; those with problems are left out.
pub(crate) fn resolve(
    raw: &BTreeMap<String, ProviderConfig>,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Vec<Arc<Provider>> {
    let mut providers = Vec::with_capacity(raw.len());
    for (name, config) in raw {
        if let Some(provider) = resolve_one(name, config, providers.len(), sources, report) {
            providers.push(Arc::new(provider));
        }
    }
    providers
}

fn resolve_one(
    name: &str,
    config: &ProviderConfig,
    index: usize,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Provider> {
    let path = Path::of(&["providers", name]);
    if let Some(why) = refuse_name(name) {
        report.problem_at_key(&path, why);
    }
    if config.protocol == SANDBOX {
        return sandbox(name, config, index, &path, report);
    }
    if config.sandbox.is_some() {
        report.problem_at_key(&path.key("sandbox"), "only a provider of `protocol: sandbox` is simulated: remove this, or change the protocol");
    }
    let written = match config.base_url.as_deref().map(BaseUrl::parse).transpose() {
        Ok(written) => written,
        Err(why) => {
            report.problem(&path.key("base_url"), why);
            return None;
        }
    };
    let host = host(name, config, written.as_ref(), &path, report);
    let credential = config
        .api_key
        .as_deref()
        .and_then(|text| credential(text, &path, sources, report));
    let base = match written {
        Some(base) => base,
        None => default_base(host?, &path, report)?,
    };
    let host = host?;
    warn_about_credential(config, host, &base, &path, report);
    Some(Provider {
        index,
        name: Arc::from(name),
        host,
        protocol: config.protocol,
        base,
        credential,
        sandbox: None,
    })
}

/// The simulated provider: no address, no credential.
fn sandbox(
    name: &str,
    config: &ProviderConfig,
    index: usize,
    path: &Path,
    report: &mut Report<'_>,
) -> Option<Provider> {
    let idle = [
        ("base_url", config.base_url.is_some()),
        ("host", config.host.is_some()),
        ("api_key", config.api_key.is_some()),
    ];
    for (key, _) in idle.into_iter().filter(|(_, written)| *written) {
        report.problem_at_key(
            &path.key(key),
            "the sandbox answers inside this process: remove this, or change the protocol",
        );
    }
    let base = BaseUrl {
        https: false,
        host: "sandbox".into(),
        port: 80,
        authority: "sandbox".into(),
        path: String::new(),
    };
    Some(Provider {
        index,
        name: Arc::from(name),
        host: hosts::generic(SANDBOX),
        protocol: SANDBOX,
        base,
        credential: None,
        sandbox: Some(config.sandbox.clone().unwrap_or_default()),
    })
}

fn host(
    name: &str,
    config: &ProviderConfig,
    base: Option<&BaseUrl>,
    path: &Path,
    report: &mut Report<'_>,
) -> Option<&'static Host> {
    let generic = hosts::generic(config.protocol);
    let speaks = |host: &&'static Host| host.protocol == config.protocol;
    let Some(wanted) = config.host.as_deref() else {
        let found = match base {
            Some(base) => hosts::by_hostname(&base.host).or_else(|| hosts::by_name(name)),
            None => hosts::by_name(name),
        };
        // Without a place of its own it is an account at the protocol's first host: who invented it.
        let home = hosts::HOSTS.iter().find(speaks).filter(|_| base.is_none());
        return Some(found.filter(speaks).or(home).unwrap_or(generic));
    };
    let found = Some(generic)
        .filter(|g| g.name == wanted)
        .or_else(|| hosts::by_name(wanted));
    match found {
        Some(host) if speaks(&host) => Some(host),
        Some(host) => {
            let message = format!(
                "host `{wanted}` speaks {}, but this provider's protocol is {}",
                host.protocol.name(),
                config.protocol.name()
            );
            report.problem(&path.key("host"), message);
            None
        }
        None => {
            let known = || {
                hosts::HOSTS
                    .iter()
                    .filter(speaks)
                    .map(|h| h.name)
                    .chain([generic.name])
            };
            let list = known().collect::<Vec<_>>().join(", ");
            report.problem_near(
                &path.key("host"),
                format!("no host is called `{wanted}`; known with this protocol: {list}"),
                wanted,
                known(),
            );
            None
        }
    }
}

/// Where a known host's API begins. A generic host has no place of its own.
fn default_base(host: &Host, path: &Path, report: &mut Report<'_>) -> Option<BaseUrl> {
    if hosts::by_name(host.name).is_some() {
        let parsed = BaseUrl::parse(host.base_url);
        if parsed.is_ok() {
            return parsed.ok();
        }
    }
    let text = format!(
        "`base_url` is missing: write where this {} begins",
        host.name
    );
    report.problem(path, text);
    None
}

fn credential(
    text: &str,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Secret> {
    match secret::resolve(text, sources.env, sources.read) {
        Ok(secret) => Some(secret),
        Err(why) => {
            report.problem(&path.key("api_key"), why);
            None
        }
    }
}

fn warn_about_credential(
    config: &ProviderConfig,
    host: &Host,
    base: &BaseUrl,
    path: &Path,
    report: &mut Report<'_>,
) {
    let loopback = base.host == "localhost"
        || base
            .host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if config.api_key.is_some() && !base.https && !loopback {
        report.warn(
            &path.key("base_url"),
            "the credential crosses the network in clear text: use https",
        );
    }
    if let (None, Some(variable), false) = (&config.api_key, host.env, loopback) {
        report.warn(path, format!("no `api_key`, so calls go without a credential; usual here: api_key: \"${{{variable}}}\""));
    }
}
