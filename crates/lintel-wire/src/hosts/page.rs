//! `docs/hosts.md`, made from the rows.

use std::fmt::Write;

use super::{Auth, HOSTS, Host};

const HEAD: &str = "# Hosts

What Lintel knows about each API host. A provider whose `base_url` or name leads to a row takes the row's
facts; `host:` names one outright, and any other host works by its protocol's own behaviour. This page is made
from `crates/lintel-wire/src/hosts/rows.rs`; `UPDATE_DOCS=1 cargo test -p lintel-wire` writes it anew.

Words in braces come from the provider's configuration: `region`, `location` and `project` have keys there; a
host with any other word needs its own `base_url`. `{location-}` is the location and a hyphen, or nothing for
`global`. *Lacks*: surfaces of its protocol that the host does not serve; calls on them are translated where
they can be. *Usage*: whether a stream reports it unasked; where it does not, Lintel asks for it and takes the
extra chunk out again.

| host | protocol | base URL | credential | usual variable | usage | lacks |
|---|---|---|---|---|---|---|
";

/// The page's text.
pub fn hosts_page() -> String {
    let mut page = HEAD.to_owned();
    for host in HOSTS {
        // Writing to a `String` can't fail.
        let _ = writeln!(
            page,
            "| `{}` | `{}` | `{}` | {} | {} | {} | {} |",
            host.name,
            host.protocol.name(),
            host.base_url,
            credential(host),
            list(
                &[host.env, host.env_also]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
            ),
            if host.usage_unasked {
                "unasked"
            } else {
                "asked for"
            },
            list(host.lacks),
        );
    }
    page
}

/// The credentials that a host takes, and where a key goes.
fn credential(host: &Host) -> String {
    let header = match host.auth {
        Auth::Bearer => "authorization",
        Auth::XApiKey => "x-api-key",
        Auth::ApiKey => "api-key",
        Auth::XGoogApiKey => "x-goog-api-key",
    };
    let kinds: Vec<String> = host
        .credentials
        .iter()
        .map(|kind| match kind {
            super::CredentialKind::Key => format!("`api_key` in `{header}`"),
            other => format!("`{}`", other.key()),
        })
        .collect();
    if host.base_url.starts_with("http://") {
        return "none needed".to_owned();
    }
    kinds.join(" or ")
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "–".to_owned();
    }
    let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_DOCS=1` writes the page; otherwise a page that differs from the rows fails.
    #[test]
    fn the_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hosts.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, hosts_page()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == hosts_page(),
            "docs/hosts.md is stale: run UPDATE_DOCS=1 cargo test -p lintel-wire"
        );
    }
}
