//! Where a provider is called: the base URL as written, or the host's with its gaps filled; and which of
//! `region`, `location`, `project` and `api_version` have a use there.

use lintel_wire::hosts::{self, CredentialKind, Host, Paths};
use lintel_wire::provider::ProviderConfig;

use crate::base_url::BaseUrl;
use crate::credential::Credential;
use crate::path::Path;
use crate::problem::Report;

/// Where the provider's API begins. What was written and has no use is refused on the way.
pub(super) fn base(
    config: &ProviderConfig,
    written: Option<BaseUrl>,
    host: &Host,
    credential: Option<&Credential>,
    path: &Path,
    report: &mut Report<'_>,
) -> Option<BaseUrl> {
    check(config, host, path, report);
    if written.is_some() {
        return written;
    }
    if hosts::by_name(host.name).is_none() {
        let text = format!(
            "`base_url` is missing: write where this {} begins",
            host.name
        );
        report.problem(path, text);
        return None;
    }
    let of_account = match credential {
        Some(Credential::ServiceAccount(account)) => account.project.as_deref(),
        _ => None,
    };
    let value = |name: &str| match name {
        "region" => config.region.as_deref(),
        "location" => config.location.as_deref(),
        "project" => config.project.as_deref().or(of_account),
        _ => None,
    };
    match hosts::fill(host.base_url, &value) {
        // A value with odd characters has been reported.
        Ok(text) => BaseUrl::parse(&text).ok(),
        Err(_) => {
            missing(host, &value, path, report);
            None
        }
    }
}

/// Reports every gap of the host's base URL for which nothing was written.
fn missing<'v>(
    host: &Host,
    value: &dyn Fn(&str) -> Option<&'v str>,
    path: &Path,
    report: &mut Report<'_>,
) {
    let mut seen = Vec::new();
    for name in hosts::placeholders(host.base_url).filter(|name| value(name).is_none()) {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let text = match name {
            "region" => format!(
                "`region` is missing: {} has one API each, such as region: eu-central-1",
                host.name
            ),
            "location" => format!(
                "`location` is missing: {} has one API each, such as location: europe-west4, or global",
                host.name
            ),
            "project" => "`project` is missing: write the project that is billed".to_owned(),
            _ => {
                let shown = host
                    .base_url
                    .replace(&format!("{{{name}}}"), &name.to_uppercase());
                format!(
                    "`base_url` is missing: at {} it is the account's own, such as {shown}",
                    host.name
                )
            }
        };
        report.problem(path, text);
    }
}

/// Refuses what has no use, and values that can't stand in a URL.
fn check(config: &ProviderConfig, host: &Host, path: &Path, report: &mut Report<'_>) {
    let gap = |name: &str| hosts::placeholders(host.base_url).any(|gap| gap == name);
    let signs = host.credentials.contains(&CredentialKind::Aws) && config.aws.is_some();
    let free = config.base_url.is_none();
    let settings = [
        (
            "region",
            config.region.as_deref(),
            (gap("region") && free) || signs,
        ),
        (
            "location",
            config.location.as_deref(),
            gap("location") && free,
        ),
        ("project", config.project.as_deref(), gap("project") && free),
        (
            "api_version",
            config.api_version.as_deref(),
            host.paths == Paths::Azure,
        ),
    ];
    for (key, value, used) in settings {
        let Some(value) = value else { continue };
        if !used {
            let why = if gap(key) {
                "the base URL says it already: remove this, or remove `base_url`".to_owned()
            } else {
                format!(
                    "{} has no {}: remove this",
                    host.name,
                    key.replace('_', " ")
                )
            };
            report.problem_at_key(&path.key(key), why);
        } else if !fits(key, value) {
            let text =
                "letters, digits and hyphens stand here, and nothing that could change a URL";
            report.problem(&path.key(key), text);
        }
    }
    if signs && !free && config.region.is_none() {
        report.problem(
            path,
            "`region` is missing: signatures name it, such as region: eu-central-1",
        );
    }
}

/// Whether `value` can stand in a URL's host name or path as it is.
fn fits(key: &str, value: &str) -> bool {
    let more: &[u8] = match key {
        "project" => b"-.:",
        "api_version" => b"-.",
        _ => b"-",
    };
    let letter = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
    !value.is_empty() && value.bytes().all(letter)
}
