//! Where a provider's API begins, and which places no configuration may send calls to.
//!
//! A base URL is never an address that [`standing`] forbids. What a name resolves to is only known when dialling:
//! whoever dials asks again.

use std::fmt;
use std::net::IpAddr;

use crate::reach::{Standing, standing};

/// A base URL, taken apart for dialling and for writing request lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// TLS or not.
    pub https: bool,
    /// Host name in lower case, or IP address without brackets.
    pub host: String,
    /// Port, the scheme's when none is written.
    pub port: u16,
    /// The `host` header: host (IPv6 in brackets), and the port when it is not the scheme's.
    pub authority: String,
    /// Prefix of every path, as written, without a trailing slash: `/v1`, or nothing.
    pub path: String,
}

/// A text that is no base URL, or one that may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// The scheme is something else.
    #[error("a base URL begins with https:// or http://")]
    Scheme,
    /// It can't be taken apart.
    #[error("not a URL: write scheme, host and path, such as https://api.openai.com/v1")]
    Malformed,
    /// It carries a user name or password.
    #[error("a base URL carries no user name or password: use `api_key`")]
    UserInfo,
    /// It carries a query or fragment.
    #[error("a base URL carries no `?query` or `#fragment`")]
    Query,
    /// The host is a number in a spelling that resolvers read as an address.
    #[error("write an IPv4 address as four decimal numbers, such as 127.0.0.1")]
    OddAddress,
    /// The place is forbidden.
    #[error(
        "link-local and cloud metadata addresses are never called: they hand out this machine's own credentials"
    )]
    Forbidden,
}

/// Names of metadata services, which resolve only inside the cloud in question.
const METADATA_NAMES: [&str; 4] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data.ec2.internal",
];

impl BaseUrl {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let scheme = |s: &str| {
            text.get(..s.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(s))
        };
        let https = scheme("https://");
        if !https && !scheme("http://") {
            return Err(BadUrl::Scheme);
        }
        if text.contains(['?', '#']) {
            return Err(BadUrl::Query);
        }
        let uri: http::Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
        let authority = uri.authority().ok_or(BadUrl::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(BadUrl::UserInfo);
        }
        let default_port = if https { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => default_port,
            Some(rest) => rest
                .strip_prefix(':')
                .and_then(|p| p.parse().ok())
                .filter(|p| *p != 0)
                .ok_or(BadUrl::Malformed)?,
            None => return Err(BadUrl::Malformed),
        };
        let written = authority.host().to_ascii_lowercase();
        let host = check_host(&written)?;
        let authority = if port == default_port {
            written
        } else {
            format!("{written}:{port}")
        };
        Ok(Self {
            https,
            host,
            port,
            authority,
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether it is on this machine, so that nothing crosses a network.
    pub fn is_loopback(&self) -> bool {
        let ip = || self.host.parse::<IpAddr>();
        self.host == "localhost" || ip().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            if self.https { "https" } else { "http" },
            self.authority,
            self.path
        )
    }
}

/// The host without brackets, if calls may go there.
fn check_host(written: &str) -> Result<String, BadUrl> {
    let bare = written
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(written);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return if standing(ip) == Standing::Forbidden {
            Err(BadUrl::Forbidden)
        } else {
            Ok(bare.to_owned())
        };
    }
    let name = bare.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    // `http://2852039166/` and `http://0xa9.0xfe.0xa9.0xfe/` are 169.254.169.254 to a resolver.
    let numeric =
        !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if numeric {
        return Err(BadUrl::OddAddress);
    }
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if name.is_empty() || bare.contains(':') || !name.bytes().all(letters) {
        return Err(BadUrl::Malformed);
    }
    if METADATA_NAMES.contains(&name) {
        return Err(BadUrl::Forbidden);
    }
    Ok(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, authority: &str, host: &str, port: u16, path: &str) {
        let url = BaseUrl::parse(text).unwrap();
        assert_eq!(
            (&*url.authority, &*url.host, url.port, &*url.path),
            (authority, host, port, path),
            "{text}"
        );
        assert_eq!(url.https, text.to_lowercase().starts_with("https"));
        assert_eq!(BaseUrl::parse(&url.to_string()), Ok(url));
    }

    #[test]
    fn takes_urls_apart() {
        check(
            "https://api.openai.com/v1",
            "api.openai.com",
            "api.openai.com",
            443,
            "/v1",
        );
        check(
            "https://API.OpenAI.com/v1/",
            "api.openai.com",
            "api.openai.com",
            443,
            "/v1",
        );
        check(
            "https://api.anthropic.com",
            "api.anthropic.com",
            "api.anthropic.com",
            443,
            "",
        );
        check(
            "http://127.0.0.1:8000/v1",
            "127.0.0.1:8000",
            "127.0.0.1",
            8000,
            "/v1",
        );
        check("http://[::1]:80/", "[::1]", "::1", 80, "");
        check(
            "HTTP://localhost:443/a/b",
            "localhost:443",
            "localhost",
            443,
            "/a/b",
        );
        check(
            "http://vllm_1.svc:8000",
            "vllm_1.svc:8000",
            "vllm_1.svc",
            8000,
            "",
        );
        check("http://10.0.0.7", "10.0.0.7", "10.0.0.7", 80, "");
    }

    #[test]
    fn refuses_what_is_no_base_url() {
        for (text, why) in [
            ("ftp://a/", BadUrl::Scheme),
            ("api.openai.com/v1", BadUrl::Scheme),
            ("", BadUrl::Scheme),
            ("https://", BadUrl::Malformed),
            ("https://a b/", BadUrl::Malformed),
            ("https://a:0/", BadUrl::Malformed),
            ("https://a:99999/", BadUrl::Malformed),
            ("https://${HOST}/v1", BadUrl::Malformed),
            ("https://user:pw@a/", BadUrl::UserInfo),
            ("https://a/?k=v", BadUrl::Query),
            ("https://a/#f", BadUrl::Query),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn never_calls_metadata_services_in_any_spelling() {
        for host in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "224.0.0.1",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[::]",
            "metadata",
            "metadata.google.internal",
            "METADATA.google.internal.",
        ] {
            assert_eq!(
                BaseUrl::parse(&format!("http://{host}/latest")),
                Err(BadUrl::Forbidden),
                "{host}"
            );
        }
        for host in [
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "169.254.43518",
            "0251.0376.0251.0376",
        ] {
            assert_eq!(
                BaseUrl::parse(&format!("http://{host}/")),
                Err(BadUrl::OddAddress),
                "{host}"
            );
        }
    }
}
