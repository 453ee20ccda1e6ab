//! Headers that cross: the lists hold, whatever a client or a provider sends.

use http::{HeaderMap, HeaderName, HeaderValue};
use lintel_wire::headers::{PROVIDER_REQUEST_ID, credential_name, to_client, to_provider};
use lintel_wire::hosts::{self, Host};
use lintel_wire::provider::PROVIDERS;

use crate::corpus::Part;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "headers",
    laws: "no credential, cookie, forwarding or hop-by-hop header crosses, in either direction; the credential that goes out is the provider's alone; one content type, never compressed",
    run,
    seeds: Part::None,
    words: &[
        "authorization: Bearer lk_1\n",
        "x-api-key: lk_1\n",
        "api-key: lk_1\n",
        "x-goog-api-key: lk_1\n",
        "cookie: a=b\n",
        "set-cookie: a=b\n",
        "connection: close\n",
        "transfer-encoding: chunked\n",
        "content-length: 1\n",
        "x-forwarded-for: 1.2.3.4\n",
        "x-amz-date: x\n",
        "x-amz-security-token: t\n",
        "user-agent: x\n",
        "anthropic-beta: a\n",
        "openai-organization: o\n",
        "x-request-id: r\n",
        "host: x\n",
        "te: trailers\n",
        "content-encoding: gzip\n",
        "traceparent: 00-0-0-0\n",
    ],
};

/// What never crosses, from either side.
const NEVER: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "x-amz-date",
    "x-amz-security-token",
    "location",
    "www-authenticate",
    "server",
    "alt-svc",
];

fn run(data: &[u8]) {
    let headers = read(data);
    let credential = HeaderValue::from_static("Bearer the-providers-own");
    for provider in PROVIDERS {
        let every: Vec<&'static Host> = hosts::HOSTS
            .iter()
            .filter(|h| h.protocol == provider.protocol())
            .collect();
        for host in every.into_iter().chain([provider.generic_host()]) {
            let out = to_provider(&headers, host, Some(&credential));
            let carries = credential_name(host.auth);
            for name in NEVER.iter().filter(|n| **n != carries.as_str()) {
                assert!(!out.contains_key(*name), "{name} crosses to {}", host.name);
            }
            let sent: Vec<&HeaderValue> = out.get_all(&carries).iter().collect();
            assert_eq!(sent, [&credential], "{}", host.name);
            assert_eq!(out.get_all("content-type").iter().count(), 1);
            assert_eq!(out["accept-encoding"], "identity");
        }
    }
    let mut out = HeaderMap::new();
    to_client(&headers, &mut out);
    let allowed = [
        "content-type",
        "openai-processing-ms",
        "openai-version",
        PROVIDER_REQUEST_ID,
    ];
    for name in out.keys() {
        assert!(
            allowed.contains(&name.as_str()),
            "{name} crosses to the client"
        );
        assert_eq!(out.get_all(name).iter().count(), 1, "{name} twice");
    }
}

fn read(data: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(100) {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    map
}
