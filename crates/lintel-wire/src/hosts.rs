//! Hosts as data: what is known about each API host, and how it differs from its protocol.
//!
//! Adding an OpenAI-compatible host is one row in `hosts/rows.rs`. A host that is no row works too,
//! through [`generic`], with the protocol's own behaviour.

use lintel_types::Protocol;

use crate::provider::{self, ANTHROPIC, BEDROCK, OPENAI, SANDBOX};

mod page;
mod rows;
mod template;

pub use page::hosts_page;
pub use rows::HOSTS;
pub use template::{fill, placeholders};

/// How a credential is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    XApiKey,
    /// `api-key: …`
    ApiKey,
    /// `x-goog-api-key: …`
    XGoogApiKey,
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A key or token, sent as it is.
    Key,
    /// AWS access keys, which sign each request.
    Aws,
    /// A Google service account, whose private key is exchanged for short-lived tokens.
    ServiceAccount,
}

impl CredentialKind {
    /// Its key in a provider's configuration.
    pub const fn key(self) -> &'static str {
        match self {
            CredentialKind::Key => "api_key",
            CredentialKind::Aws => "aws",
            CredentialKind::ServiceAccount => "service_account",
        }
    }
}

/// How paths are made from the base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// The base URL's path, then the operation's.
    Plain,
    /// Azure OpenAI's: `/openai/v1/…`, or `/openai/deployments/{model}/…` when a dated `api_version` is configured.
    Azure,
}

/// One API host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// The row's name: `host:` in configuration, and the default of a provider with this name.
    pub name: &'static str,
    /// Where its API begins; the protocol's path is appended. Words in braces are filled in from the
    /// provider's configuration ([`fill`]); one that has no key there is the account's own to write.
    pub base_url: &'static str,
    /// Host names that are recognised as this row; a `*` stands for an account, region or location.
    pub hostnames: &'static [&'static str],
    /// The environment variable that usually holds its key.
    pub env: Option<&'static str>,
    /// Another variable that is looked at when that one isn't set.
    pub env_also: Option<&'static str>,
    /// What it speaks.
    pub protocol: Protocol,
    /// How it takes its key.
    pub auth: Auth,
    /// The credentials that it takes.
    pub credentials: &'static [CredentialKind],
    /// How its paths are made.
    pub paths: Paths,
    /// Streams report usage without `stream_options.include_usage`, so nothing is inserted.
    pub usage_unasked: bool,
    /// Reasoning shows only as the excess of `total_tokens` over its parts. Not for hosts that name it outside of
    /// `completion_tokens`, such as xAI: the total tells that apart on any host.
    pub hidden_reasoning: bool,
    /// Surfaces of its protocol that it does not serve, by name: calls on them are translated, where they can be.
    pub lacks: &'static [&'static str],
    /// Request headers that it understands beyond its protocol's.
    pub request_headers: &'static [&'static str],
}

/// A row of a host that speaks OpenAI's protocol.
pub(crate) const fn openai_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        name,
        base_url,
        hostnames,
        env: None,
        env_also: None,
        protocol: OPENAI,
        auth: Auth::Bearer,
        credentials: &[CredentialKind::Key],
        paths: Paths::Plain,
        usage_unasked: false,
        hidden_reasoning: false,
        lacks: &[],
        request_headers: &[],
    }
}

/// A row of a host that speaks Anthropic's protocol.
pub(crate) const fn anthropic_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        protocol: ANTHROPIC,
        auth: Auth::XApiKey,
        usage_unasked: true,
        ..openai_compatible(name, base_url, hostnames)
    }
}

/// A row of a host that speaks Bedrock's protocol.
pub(crate) const fn bedrock_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        protocol: BEDROCK,
        credentials: &[CredentialKind::Aws, CredentialKind::Key],
        usage_unasked: true,
        ..openai_compatible(name, base_url, hostnames)
    }
}

static SANDBOX_HOST: Host = Host {
    protocol: SANDBOX,
    ..openai_compatible("sandbox", "", &[])
};

/// The row called `name`.
pub fn by_name(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|h| h.name == name)
}

/// The row that answers at `hostname`; of several, the one that speaks `protocol`.
pub fn by_hostname(hostname: &str, protocol: Protocol) -> Option<&'static Host> {
    let is_here = |h: &&Host| h.hostnames.iter().any(|pattern| is_at(pattern, hostname));
    let here = || HOSTS.iter().filter(is_here);
    here().find(|h| h.protocol == protocol).or(here().next())
}

/// Whether `hostname` is the pattern's. A `*` stands for a part of one label, and for whole labels where the
/// pattern begins with `*.`.
fn is_at(pattern: &str, hostname: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == hostname;
    };
    let labels = before.is_empty() && after.starts_with('.');
    hostname
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .is_some_and(|part| !part.is_empty() && (labels || !part.contains('.')))
}

/// What is assumed of a host that is no row.
pub fn generic(protocol: Protocol) -> &'static Host {
    provider::own(protocol).map_or(&SANDBOX_HOST, |p| p.generic_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn generics() -> impl Iterator<Item = &'static str> {
        provider::protocols().map(|p| generic(p).name)
    }

    #[test]
    fn rows_are_distinct_and_complete() {
        let names: HashSet<_> = HOSTS.iter().map(|h| h.name).chain(generics()).collect();
        assert_eq!(names.len(), HOSTS.len() + generics().count());
        let place = |h: &'static Host| h.hostnames.iter().map(|n| (*n, h.protocol.name()));
        let hostnames: Vec<_> = HOSTS.iter().flat_map(place).collect();
        assert_eq!(
            hostnames.iter().collect::<HashSet<_>>().len(),
            hostnames.len()
        );
        for host in HOSTS {
            let name = host.name;
            assert!(!host.base_url.ends_with('/'), "{name}");
            assert!(!host.credentials.is_empty(), "{name}");
            assert!(host.request_headers.iter().all(|h| *h == h.to_lowercase()));
            let (scheme, rest) = host.base_url.split_once("://").unwrap();
            let place = rest.split('/').next().unwrap();
            if scheme == "http" {
                // A server on this machine: found by name alone, and never set up by itself.
                assert!(place.starts_with("127.0.0.1:") && host.hostnames.is_empty());
                assert_eq!(host.env, None, "{name}");
                continue;
            }
            assert_eq!(scheme, "https", "{name}");
            let made = fill(place, &|_| Some("eu-1")).unwrap();
            let found = by_hostname(&made, host.protocol).map(|h| h.base_url);
            assert_eq!(found, Some(host.base_url), "{name}: {made}");
        }
    }

    #[test]
    fn a_row_lacks_only_surfaces_of_its_protocol_and_never_all_of_them() {
        for host in HOSTS {
            for name in host.lacks {
                let prefix = format!("{}.", host.protocol.name());
                assert!(name.starts_with(&prefix), "{}: {name}", host.name);
                assert_ne!(*name, "openai.chat", "{}", host.name);
            }
        }
    }

    #[test]
    fn host_names_match_whole_or_below() {
        let name = |hostname: &str| by_hostname(hostname, OPENAI).map(|h| h.name);
        assert_eq!(name("api.openai.com"), Some("openai"));
        assert_eq!(name("mine.openai.azure.com"), Some("azure"));
        assert_eq!(name("a.b.cognitiveservices.azure.com"), Some("azure"));
        assert_eq!(name("x.services.ai.azure.com"), Some("azure"));
        assert_eq!(name("org-acc.snowflakecomputing.com"), Some("snowflake"));
        for other in [
            "openai.azure.com",
            ".openai.azure.com.evil.example",
            "notopenai.com",
            "xapi.openai.com",
            "",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn a_row_with_regions_is_found_in_every_one() {
        let found = |name: &str| by_hostname(name, BEDROCK).map(|h| h.name);
        assert_eq!(
            found("bedrock-runtime.eu-west-3.amazonaws.com"),
            Some("bedrock")
        );
        assert_eq!(found("bedrock-runtime..amazonaws.com"), None);
        assert_eq!(found("bedrock-runtime.a.b.amazonaws.com"), None);
    }

    #[test]
    fn every_protocol_has_a_generic_host() {
        for protocol in provider::protocols() {
            assert_eq!(generic(protocol).protocol, protocol);
        }
    }
}
