//! The proxy through which a provider is reached: as its own `proxy` says, else as the environment does.
//!
//! Of the environment: `https_proxy` or `HTTPS_PROXY` for an `https` base URL, `http_proxy` or `HTTP_PROXY` for an
//! `http` one, the lower case first; `no_proxy` or `NO_PROXY` lists where to go directly. Loopback is never reached
//! through a proxy of the environment. No message repeats a proxy's password.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lintel_wire::percent;

use crate::base_url::BaseUrl;
use crate::secret::Secret;

/// A proxy that is spoken to over plain HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is.
    pub place: BaseUrl,
    /// The value of its `proxy-authorization` header.
    pub authorization: Option<Secret>,
}

/// Shows where it is, and never with what it is called.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}, {:?})", self.place, self.authorization)
    }
}

/// A text that is no proxy. Never repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadProxy {
    #[error("a proxy's URL is http://host:port, or http://user:password@host:port: {0}")]
    Url(String),
    #[error(
        "a proxy is spoken to over http://, also for https providers, whose calls it only passes on: {0} isn't supported"
    )]
    Scheme(String),
    #[error("the user name or password of the proxy isn't percent-encoded UTF-8")]
    UserInfo,
}

impl Proxy {
    /// Reads a URL; `http://` may be left out.
    pub(crate) fn parse(text: &str) -> Result<Self, BadProxy> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") {
            // What stands before `://` is short and no secret, or it isn't shown.
            let shown = scheme.len() <= 8 && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
            let shown = if shown { scheme } else { "this" };
            return Err(BadProxy::Scheme(shown.to_owned()));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if !matches!(path, "" | "/") {
            return Err(BadProxy::Url("it carries no path".to_owned()));
        }
        let place = BaseUrl::parse(&format!("http://{place}"));
        let place = place.map_err(|why| BadProxy::Url(why.to_string()))?;
        let authorization = user.map(basic).transpose()?;
        Ok(Self {
            place,
            authorization,
        })
    }
}

/// `user:password`, percent-encoded, as a header's value (RFC 7617).
fn basic(user: &str) -> Result<Secret, BadProxy> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decode = |text| percent::decode(text).ok_or(BadProxy::UserInfo);
    let pair = format!("{}:{}", decode(name)?, decode(password)?);
    Ok(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
}

/// What the environment says about calls to `base`. With the name of the variable, if it can't be read.
pub(crate) fn of_environment(
    env: &dyn Fn(&str) -> Option<String>,
    base: &BaseUrl,
) -> Result<Option<Proxy>, (&'static str, BadProxy)> {
    if base.is_loopback() {
        return Ok(None);
    }
    let set = |name: &&str| env(name).filter(|value| !value.trim().is_empty());
    let names = if base.https {
        ["https_proxy", "HTTPS_PROXY"]
    } else {
        ["http_proxy", "HTTP_PROXY"]
    };
    let Some(name) = names.into_iter().find(|name| set(name).is_some()) else {
        return Ok(None);
    };
    let direct = ["no_proxy", "NO_PROXY"].iter().find_map(set);
    if direct.is_some_and(|list| is_direct(&list, &base.host, base.port)) {
        return Ok(None);
    }
    let value = set(&name).unwrap_or_default();
    Proxy::parse(value.trim()).map(Some).map_err(|e| (name, e))
}

/// Whether `list`, as `NO_PROXY` writes it, names `host` at `port`: `*`; `example.com` and what is under it;
/// `.example.com` or `*.example.com`, only what is under it; an address; a network such as `10.0.0.0/8`; each, but a
/// network, with `:port` for that port alone. Names are compared as they are written, never looked up.
fn is_direct(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    let entries = list.split([',', ' ', '\t']).filter(|e| !e.is_empty());
    entries.into_iter().any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let (Some(ip), Some((network, bits))) = (ip, entry.split_once('/')) {
            return is_within(ip, network, bits);
        }
        let (name, at) = split_port(&entry);
        if at.is_some_and(|at| at != port) {
            return false;
        }
        if let Some(ip) = ip {
            return name.parse() == Ok(ip);
        }
        let bare = name.strip_prefix('*').unwrap_or(name);
        match bare.strip_prefix('.') {
            Some(domain) => is_under(&host, domain),
            None => host == bare || is_under(&host, bare),
        }
    })
}

/// An entry without its port; brackets of IPv6 addresses go too.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((ip, port)) => (ip, port.strip_prefix(':').and_then(|p| p.parse().ok())),
            None => (entry, None),
        };
    }
    match entry.split_once(':') {
        // Another colon: an IPv6 address without brackets.
        Some((name, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_under(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain);
    !domain.is_empty() && above.is_some_and(|above| above.ends_with('.'))
}

/// Whether `ip` is in the network of that address with so many bits.
fn is_within(ip: IpAddr, network: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else {
        return false;
    };
    let (ip, network, width) = match (ip, network.parse()) {
        (IpAddr::V4(ip), Ok(IpAddr::V4(net))) => {
            (u128::from(ip.to_bits()), u128::from(net.to_bits()), 32)
        }
        (IpAddr::V6(ip), Ok(IpAddr::V6(net))) => (ip.to_bits(), net.to_bits(), 128),
        _ => return false,
    };
    let low = width - bits.min(width);
    bits <= width && (ip ^ network).checked_shr(low).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_passwords_never_shown() {
        let proxy = Proxy::parse("http://bob:p%40ss%3Aword@proxy.corp:3128/").unwrap();
        assert_eq!(proxy.place.authority, "proxy.corp:3128");
        let expect = format!("Basic {}", STANDARD.encode("bob:p@ss:word"));
        assert_eq!(proxy.authorization.as_ref().unwrap().expose(), expect);
        assert_eq!(
            format!("{proxy:?}"),
            "Proxy(http://proxy.corp:3128, Some(***))"
        );
        let plain = Proxy::parse("10.0.0.1:8080").unwrap();
        assert_eq!((plain.place.port, plain.authorization), (8080, None));
        for text in [
            "socks5://u:secret@proxy:1",
            "https://u:secret@proxy:1",
            "u:secret://proxy",
            "http://u:secret@pro xy:1",
            "http://u:secret@169.254.169.254:80",
            "http://u:secret@proxy:3128/path",
            "http://u:secret%ZZ@proxy:3128",
            "http://u:secret@",
            "",
        ] {
            let refused = Proxy::parse(text).unwrap_err();
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }

    #[test]
    fn what_goes_directly() {
        for (list, host, port, expect) in [
            ("*", "api.openai.com", 443, true),
            ("openai.com", "api.openai.com", 443, true),
            ("openai.com", "openai.com", 443, true),
            ("openai.com", "notopenai.com", 443, false),
            (".openai.com", "api.openai.com", 443, true),
            (".openai.com", "openai.com", 443, false),
            ("*.openai.com", "api.openai.com", 443, true),
            ("*.openai.com", "openai.com", 443, false),
            ("API.OpenAI.com", "api.openai.com", 443, true),
            ("openai.com:8443", "api.openai.com", 443, false),
            ("openai.com:443", "api.openai.com", 443, true),
            ("a, b  c,openai.com", "openai.com", 443, true),
            ("10.0.0.0/8", "10.1.2.3", 80, true),
            ("10.0.0.0/8", "11.1.2.3", 80, false),
            ("10.0.0.7", "10.0.0.7", 80, true),
            ("10.0.0.7:81", "10.0.0.7", 80, false),
            ("0.0.0.0/0", "10.0.0.7", 80, true),
            ("10.0.0.0/33", "10.0.0.7", 80, false),
            ("fd00::/8", "fd12::1", 80, true),
            ("fd00::/8", "10.0.0.1", 80, false),
            ("[fd12::1]:80", "fd12::1", 80, true),
            ("fd12::1", "fd12::1", 80, true),
            ("::/0", "fd12::1", 80, true),
            ("10.0.0.0/8", "ten.example", 80, false),
            ("", "x", 80, false),
            (".", "x", 80, false),
        ] {
            assert_eq!(is_direct(list, host, port), expect, "{list} {host}:{port}");
        }
    }

    #[test]
    fn the_environment_is_followed_but_to_loopback() {
        let of = |set: &[(&str, &str)], url: &str| {
            let env = |name: &str| {
                let found = set.iter().find(|(n, _)| *n == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let found = of_environment(&env, &BaseUrl::parse(url).unwrap());
            found.map(|proxy| proxy.map(|p| p.place.authority))
        };
        let both = [("HTTPS_PROXY", "http://up:1"), ("http_proxy", "low:2")];
        let at = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of(&both, "https://a.example"), at("up:1"));
        assert_eq!(of(&both, "http://a.example"), at("low:2"));
        for local in ["https://localhost", "https://127.0.0.1", "https://[::1]"] {
            assert_eq!(of(&both, local), Ok(None));
        }
        let lower = [("HTTPS_PROXY", "up:1"), ("https_proxy", "low:2")];
        assert_eq!(of(&lower, "https://a.example"), at("low:2"));
        let blank = [("HTTPS_PROXY", "up:1"), ("https_proxy", " ")];
        assert_eq!(of(&blank, "https://a.example"), at("up:1"));
        let but = [("HTTPS_PROXY", "up:1"), ("NO_PROXY", "a.example")];
        assert_eq!(of(&but, "https://a.example"), Ok(None));
        let bad = [("HTTPS_PROXY", "socks5://up:1")];
        assert_eq!(of(&bad, "https://a.example").unwrap_err().0, "HTTPS_PROXY");
    }
}
