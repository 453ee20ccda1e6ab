//! Providers behind an HTTP proxy: tunnels, absolute targets, credentials that stay with the proxy, refusals that say
//! whose they are.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_gateway::Resolve;

use crate::certificates::{Authority, server};
use crate::plane::{Plane, load_with};
use crate::proxy::Proxy;
use crate::server::{ANSWER, Server};

/// Knows no name: behind a proxy none is asked for.
struct Nobody;

impl Resolve for Nobody {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other(format!("asked for {name}")))
    }
}

fn configuration(url: &str, more: &str, env: &[(&str, &str)]) -> Snapshot {
    let text = format!(
        "listen: 127.0.0.1:0\nproviders:\n  up: {{ protocol: openai, base_url: '{url}'{more} }}\nprices: {{ unknown_model: allow_unpriced }}\n"
    );
    load_with(&text, env)
}

fn plane(url: &str, more: &str, env: &[(&str, &str)]) -> Plane {
    Plane::resolving(configuration(url, more, env), None, Arc::new(Nobody))
}

#[test]
fn https_goes_through_a_tunnel_that_the_proxy_resolves() {
    let ca = Authority::new("ours");
    let shown = ca.good("api.example.com");
    let up = Server::with(Some(server(&shown, None)), |_, _| (200, ANSWER.to_owned()));
    let proxy = Proxy::to(up.address);
    let url = format!("http://bob:s%40cret@{}", proxy.address);
    let (ca, https) = (ca.pem(), "https://api.example.com/v1");
    let tls = ", tls: { ca: '${CA}' }";
    for (more, variable) in [
        (format!("{tls}, proxy: '${{OURS}}'"), "OURS"),
        (tls.to_owned(), "HTTPS_PROXY"),
        (tls.to_owned(), "https_proxy"),
    ] {
        let plane = plane(https, &more, &[("CA", &ca), (variable, &url)]);
        for _ in 0..2 {
            let answer = plane.call("up/m", false);
            assert!(
                answer.contains("200 OK"),
                "{variable}: {answer} {}",
                plane.log()
            );
        }
    }
    let asked = proxy.asked();
    assert_eq!(asked.len(), 3, "a tunnel is used again: {asked:?}");
    for head in asked {
        assert!(
            head.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"),
            "{head}"
        );
        // base64 of bob:s@cret
        assert!(
            head.contains("proxy-authorization: Basic Ym9iOnNAY3JldA==\r\n"),
            "{head}"
        );
    }
    for seen in up.seen() {
        assert_eq!(seen.line, "POST /v1/chat/completions HTTP/1.1");
        assert_eq!(seen.header("host"), "api.example.com");
        assert_eq!(seen.header("proxy-authorization"), "", "it is the proxy's");
    }
}

#[test]
fn http_goes_to_the_proxy_with_an_absolute_target() {
    let proxy = Server::start(|_, _| (200, ANSWER.to_owned()));
    let url = format!("http://bob:secret@{}", proxy.address);
    let env = [("http_proxy", &*url), ("HTTPS_PROXY", "other:1")];
    let plane = plane("http://api.example.com:8000/v1", "", &env);
    assert!(plane.call("up/m", false).contains("200 OK"));
    let seen = &proxy.seen()[0];
    assert_eq!(
        seen.line,
        "POST http://api.example.com:8000/v1/chat/completions HTTP/1.1"
    );
    assert_eq!(seen.header("host"), "api.example.com:8000");
    assert_eq!(seen.header("proxy-authorization"), "Basic Ym9iOnNlY3JldA==");
}

#[test]
fn what_goes_directly_meets_no_proxy() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let proxy = Proxy::refusing("403 Forbidden");
    let url = format!("http://{}", proxy.address);
    let loopback = format!("http://{}/v1", up.address);
    let named = format!("http://vllm.lan:{}/v1", up.address.port());
    let direct = [
        (&loopback, "", ("a", "b")),
        (&named, "", ("NO_PROXY", ".lan")),
        (&named, "", ("no_proxy", "*")),
        (&named, ", proxy: off", ("a", "b")),
    ];
    for (base, more, variable) in direct {
        let snapshot = configuration(base, more, &[("HTTP_PROXY", &url), variable]);
        let here = up.address.ip();
        let plane = Plane::resolving(snapshot, None, Arc::new(Always(here)));
        assert!(
            plane.call("up/m", false).contains("200 OK"),
            "{base} {more}"
        );
    }
    assert_eq!(proxy.asked().len(), 0);
    let sent = plane(&named, "", &[("HTTP_PROXY", &url)]);
    assert!(!sent.call("up/m", false).contains("200 OK"));
    assert_eq!(proxy.asked().len(), 1);
}

struct Always(IpAddr);

impl Resolve for Always {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

#[test]
fn a_refusal_says_that_it_is_the_proxys_and_never_with_what_it_was_asked() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = gone.local_addr().unwrap();
    drop(gone);
    for (status, why) in [
        (
            "407 Proxy Authentication Required",
            "wants other credentials (407)",
        ),
        ("403 Forbidden", "forbids this provider (403)"),
        ("502 Bad Gateway", "can't reach the provider (502)"),
        ("", "hung up without an answer"),
        ("gone", "can't be reached"),
    ] {
        let proxy = Proxy::refusing(status);
        let address = if status == "gone" {
            nobody
        } else {
            proxy.address
        };
        let url = format!("http://bob:secret@{address}");
        let plane = plane("https://api.example.com/v1", "", &[("HTTPS_PROXY", &url)]);
        let answer = plane.call("up/m", false);
        let told = answer.contains(" 502 ") && answer.contains("upstream_proxy");
        assert!(told && !answer.contains(&address.to_string()), "{answer}");
        let log = plane.log();
        assert!(
            log.contains(why) && log.contains(r#""class":"proxy""#),
            "{log}"
        );
        let secret = log.contains("secret") || log.contains("Ym9iOnNlY3JldA");
        assert!(!secret, "{log}");
    }
    // Over http the proxy's own answers look like the provider's; one can't be.
    let proxy = Proxy::refusing("407 Proxy Authentication Required\r\ncontent-length: 0");
    let url = format!("http://{}", proxy.address);
    let plane = plane("http://api.example.com/v1", "", &[("HTTP_PROXY", &url)]);
    let answer = plane.call("up/m", false);
    assert!(answer.contains("upstream_proxy"), "{answer}");
}

#[test]
fn another_proxy_is_another_connection() {
    let up = Server::start(|_, _| (200, ANSWER.to_owned()));
    let other = Server::start(|_, _| (200, ANSWER.to_owned()));
    let through = |proxy: &Server| {
        let more = format!(", proxy: 'http://{}'", proxy.address);
        configuration("http://api.example.com/v1", &more, &[])
    };
    let plane = Plane::resolving(through(&up), None, Arc::new(Nobody));
    assert!(plane.call("up/m", false).contains("200 OK"));
    let handle = plane.running.as_ref().unwrap().handle.clone();
    handle.apply(Arc::new(through(&other)));
    assert!(plane.call("up/m", false).contains("200 OK"));
    assert_eq!((up.seen().len(), other.seen().len()), (1, 1));
}
