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
use lintel_wire::provider::SANDBOX;
use lintel_wire::provider::{Objects, ProviderConfig, ProviderPool};

use crate::base_url::BaseUrl;
use crate::credential::Credential;
use crate::names::refuse_name;
use crate::path::Path;
use crate::peer::{Peer, PoolSettings, Reach, TlsMaterial};
use crate::problem::Report;
use crate::snapshot::Provider;

mod credential;
mod place;
mod pool;
mod proxy;
mod tls;

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
    let credential = credential::resolve(config, host, &path, sources, report);
    let host = host?;
    let base = place::base(config, written, host, credential.as_ref(), &path, report)?;
    credential::warn(config, host, &base, &path, report);
    let tls = tls::resolve(
        config.tls.as_ref(),
        base.https,
        &path.key("tls"),
        sources,
        report,
    )?;
    let proxy = proxy::resolve(config, &base, &path, sources, report)?;
    let name: Arc<str> = Arc::from(name);
    let tokens = match &credential {
        Some(Credential::ServiceAccount(account)) => {
            let place = account.token_uri.clone();
            let reach = Reach {
                tls: TlsMaterial::default(),
                private: config.private_addresses,
                proxy: proxy::resolve(config, &place, &path, sources, report)?,
                pool: PoolSettings::default(),
            };
            Some(Arc::new(Peer::new(&name, place, reach)))
        }
        _ => None,
    };
    let reach = Reach {
        tls,
        private: config.private_addresses,
        proxy,
        pool: pool::resolve(&config.pool, &path.key("pool"), report),
    };
    Some(Provider {
        index,
        host,
        protocol: config.protocol,
        peer: Arc::new(Peer::new(&name, base, reach)),
        tokens,
        name,
        credential,
        api_version: config.api_version.as_deref().map(Arc::from),
        region: config.region.as_deref().map(Arc::from),
        objects: config.objects,
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
        ("aws", config.aws.is_some()),
        ("service_account", config.service_account.is_some()),
        ("api_version", config.api_version.is_some()),
        ("region", config.region.is_some()),
        ("location", config.location.is_some()),
        ("project", config.project.is_some()),
        ("objects", config.objects != Objects::default()),
        ("tls", config.tls.is_some()),
        ("proxy", config.proxy.is_some()),
        ("pool", config.pool != ProviderPool::default()),
        ("private_addresses", config.private_addresses.is_some()),
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
    let name: Arc<str> = Arc::from(name);
    Some(Provider {
        index,
        host: hosts::generic(SANDBOX),
        protocol: SANDBOX,
        peer: Arc::new(Peer::new(&name, base, Reach::default())),
        tokens: None,
        name,
        credential: None,
        api_version: None,
        region: None,
        objects: Objects::Owned,
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
            Some(base) => {
                hosts::by_hostname(&base.host, config.protocol).or_else(|| hosts::by_name(name))
            }
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
