//! Which headers cross, in each direction: allow-lists, one table, one test a row.
//!
//! What isn't listed doesn't cross: credentials, cookies, forwarding and hop-by-hop headers never do.

use crate::hosts::{Auth, Host};
use crate::provider;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Request headers that every provider may see. A caller's `traceparent` is read, and every attempt has one of its own.
const TO_ANY_PROVIDER: &[&str] = &["user-agent", "idempotency-key"];
/// Answer headers that cross unchanged.
const TO_CLIENT: &[&str] = &["content-type", "openai-processing-ms", "openai-version"];
/// The provider's request id under its names; clients see it under ours.
const PROVIDER_IDS: &[&str] = &["x-request-id", "request-id", "x-amzn-requestid"];
/// The name under which clients see the provider's request id.
pub const PROVIDER_REQUEST_ID: &str = "x-lintel-provider-request-id";

/// The headers of a provider's request: the client's allowed ones, ours, and the credential.
/// `credential` is the finished value of the credential header, marked sensitive by its maker.
pub fn to_provider(client: &HeaderMap, host: &Host, credential: Option<&HeaderValue>) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(10);
    let own = provider::own(host.protocol);
    let lists = [
        TO_ANY_PROVIDER,
        own.map_or(&[], |p| p.request_headers()),
        host.request_headers,
    ];
    // One pass over the few headers of a request, instead of a look-up for each that might be there.
    for (name, value) in client {
        if lists.iter().any(|list| list.contains(&name.as_str())) {
            out.append(name, value.clone());
        }
    }
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    out.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in own.map_or(&[][..], |p| p.default_headers()) {
        if !out.contains_key(*name) {
            out.insert(*name, value.clone());
        }
    }
    if let Some(value) = credential {
        out.insert(credential_name(host.auth), value.clone());
    }
    out
}

/// The header that carries the credential.
pub fn credential_name(auth: Auth) -> HeaderName {
    match auth {
        Auth::Bearer => http::header::AUTHORIZATION,
        Auth::XApiKey => HeaderName::from_static("x-api-key"),
        Auth::ApiKey => HeaderName::from_static("api-key"),
        Auth::XGoogApiKey => HeaderName::from_static("x-goog-api-key"),
    }
}

/// The finished value of the credential header; none when the secret can't stand in a header.
pub fn credential_value(auth: Auth, secret: &str) -> Option<HeaderValue> {
    let mut value = match auth {
        Auth::Bearer => HeaderValue::from_str(&format!("Bearer {secret}")),
        Auth::XApiKey | Auth::ApiKey | Auth::XGoogApiKey => HeaderValue::from_str(secret),
    }
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Adds to `out` what of a provider's answer headers clients may see.
pub fn to_client(provider: &HeaderMap, out: &mut HeaderMap) {
    for (name, value) in provider {
        if TO_CLIENT.contains(&name.as_str()) {
            out.insert(name, value.clone());
        }
    }
    if let Some(id) = provider_request_id(provider) {
        out.insert(HeaderName::from_static(PROVIDER_REQUEST_ID), id.clone());
    }
}

/// The provider's own id of the request.
pub fn provider_request_id(provider: &HeaderMap) -> Option<&HeaderValue> {
    let named = |wanted: &str| provider.iter().find(|(name, _)| name.as_str() == wanted);
    let found = PROVIDER_IDS.iter().find_map(|wanted| named(wanted));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts;

    fn crosses(host: &Host, name: &'static str) -> bool {
        let mut client = HeaderMap::new();
        client.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static("from-client"),
        );
        to_provider(&client, host, None)
            .get(name)
            .is_some_and(|v| v == "from-client")
    }

    #[test]
    fn every_listed_request_header_crosses_to_its_protocol_and_no_other() {
        let generic = |p: &dyn provider::ProviderSpec| hosts::generic(p.protocol());
        for mine in provider::PROVIDERS {
            assert!(TO_ANY_PROVIDER.iter().all(|n| crosses(generic(*mine), n)));
            for name in mine.request_headers() {
                for other in provider::PROVIDERS {
                    let own = other.request_headers().contains(name);
                    assert_eq!(crosses(generic(*other), name), own, "{name}");
                }
            }
        }
        for host in hosts::HOSTS {
            assert!(
                host.request_headers.iter().all(|name| crosses(host, name)),
                "{}",
                host.name
            );
        }
    }

    #[test]
    fn what_must_never_cross_does_not() {
        for name in [
            "authorization",
            "x-api-key",
            "api-key",
            "x-goog-api-key",
            "cookie",
            "forwarded",
            "x-forwarded-for",
            "x-real-ip",
            "via",
            "connection",
            "keep-alive",
            "proxy-authorization",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "host",
            "content-length",
            "accept-encoding",
            "x-request-id",
            "x-lintel-feature",
            "openai-organization",
            "openai-project",
            "x-anything-else",
            "traceparent",
            "tracestate",
        ] {
            for host in hosts::HOSTS {
                assert!(!crosses(host, name), "{name} to {}", host.name);
            }
        }
    }

    #[test]
    fn the_credential_is_sensitive_and_in_its_place() {
        let value = credential_value(Auth::Bearer, "s3cret").unwrap();
        assert!(value.is_sensitive() && !format!("{value:?}").contains("s3cret"));
        let out = to_provider(
            &HeaderMap::new(),
            hosts::by_name("anthropic").unwrap(),
            credential_value(Auth::XApiKey, "k").as_ref(),
        );
        assert_eq!(out["x-api-key"], "k");
        assert_eq!(out["anthropic-version"], "2023-06-01");
        assert_eq!(out[ACCEPT_ENCODING], "identity");
        assert!(credential_value(Auth::Bearer, "new\nline").is_none());
    }

    #[test]
    fn answers_lose_account_headers_and_keep_what_helps() {
        let mut provider = HeaderMap::new();
        for name in [
            "content-type",
            "openai-processing-ms",
            "openai-version",
            "x-request-id",
            "openai-organization",
            "x-ratelimit-limit-requests",
            "set-cookie",
            "cf-ray",
            "server",
            "anthropic-organization-id",
            "retry-after",
        ] {
            provider.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        }
        let mut out = HeaderMap::new();
        to_client(&provider, &mut out);
        let mut names: Vec<_> = out.keys().map(|k| k.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "content-type",
                "openai-processing-ms",
                "openai-version",
                "x-lintel-provider-request-id"
            ]
        );
    }
}
