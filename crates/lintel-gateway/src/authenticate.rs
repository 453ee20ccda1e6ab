//! The authenticate step: key → principal, from the table in memory. No lock, no I/O.
//!
//! The key's text is hashed and forgotten. Errors never repeat it.

use std::sync::Arc;

use http::HeaderMap;
use lintel_types::{Error, Kind, Timestamp};
use sha2::{Digest, Sha256};

use crate::control::{KnownKey, Refusal};
use crate::cut::Cut;
use crate::start::Worker;

/// Longest credential that is looked at.
const LONGEST_KEY: usize = 512;

/// Where SDKs put their key.
const KEY_HEADERS: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// The beginning of a request signed by an AWS SDK, up to the access key's id. AWS SDKs send bearer tokens over
/// TLS alone; over plain HTTP the Lintel key stands as the id. The signature proves nothing here and is not looked at.
const AWS_SIGNED: &[u8] = b"AWS4-HMAC-SHA256 Credential=";

/// Finds the caller's key, and puts the call on the worker's roll. `in_query` are the keys that stand in the query,
/// where the dialect allows that.
pub(crate) fn key(
    worker: &Worker,
    cut: &Arc<Cut>,
    headers: &HeaderMap,
    in_query: &[String],
    now: Timestamp,
) -> Result<Arc<KnownKey>, Error> {
    let key = presented(headers, in_query)?;
    let hash: [u8; 32] = Sha256::digest(key).into();
    let keys = worker.shared.keys.load();
    let known = keys.find(&hash, now).map_err(told)?;
    known.note_use(now);
    worker.roll.enter(cut, hash, Arc::clone(known));
    Ok(Arc::clone(known))
}

fn told(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Unknown => refused(
            "invalid_api_key",
            "this key is not known: check it, or create one with `lintel key create`",
        ),
        Refusal::Disabled => refused(
            "disabled_key",
            "this key is disabled for now: ask who runs this gateway",
        ),
        Refusal::Revoked => refused(
            "revoked_key",
            "this key was revoked: create another with `lintel key create`",
        ),
        Refusal::Expired => refused(
            "expired_key",
            "this key has expired: create another with `lintel key create`",
        ),
    }
}

/// The key of the request. Two different keys are refused: which one pays must be plain.
fn presented<'r>(headers: &'r HeaderMap, in_query: &'r [String]) -> Result<&'r [u8], Error> {
    let mut found: Option<&[u8]> = None;
    let written = headers
        .iter()
        .filter(|(name, _)| KEY_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| bare(name.as_str(), value.as_bytes()));
    for key in written.chain(in_query.iter().map(|key| Some(key.as_bytes()))) {
        let Some(key) = key else {
            return Err(refused(
                "invalid_api_key",
                "the authorization header must be `Bearer` and a key",
            ));
        };
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(refused(
                "invalid_api_key",
                "the key is empty or too long to be one",
            ));
        }
        if found.is_some_and(|f| f != key) {
            return Err(refused(
                "conflicting_keys",
                "the request carries two different keys: send one",
            ));
        }
        found = Some(key);
    }
    found.ok_or_else(|| {
        refused(
            "missing_api_key",
            "no key: send `authorization: Bearer` and a key, or `x-api-key`",
        )
    })
}

fn bare<'h>(name: &str, value: &'h [u8]) -> Option<&'h [u8]> {
    if name != "authorization" {
        return Some(value);
    }
    if let Some(signed) = value.strip_prefix(AWS_SIGNED) {
        return signed.split(|b| *b == b'/').next();
    }
    let (scheme, key) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| key.trim_ascii())
}

fn refused(code: &'static str, text: &'static str) -> Error {
    Error::client(Kind::Authentication, code, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn key(list: &[(&'static str, &'static str)]) -> Result<String, &'static str> {
        let headers: HeaderMap = list
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect();
        presented(&headers, &[])
            .map(|k| String::from_utf8(k.to_vec()).unwrap())
            .map_err(|e| e.code())
    }

    #[test]
    fn finds_the_key_wherever_an_sdk_puts_it() {
        assert_eq!(key(&[("authorization", "Bearer abc")]).unwrap(), "abc");
        assert_eq!(key(&[("authorization", "bearer abc")]).unwrap(), "abc");
        assert_eq!(key(&[("x-api-key", "abc")]).unwrap(), "abc");
        let signed = "AWS4-HMAC-SHA256 Credential=abc/20150830/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=5f";
        assert_eq!(key(&[("authorization", signed)]).unwrap(), "abc");
        assert_eq!(
            key(&[("x-api-key", "abc"), ("authorization", "Bearer abc")]).unwrap(),
            "abc"
        );
    }

    #[test]
    fn a_key_in_the_query_counts_like_any_other() {
        let mut headers = HeaderMap::new();
        let abc = ["abc".to_owned()];
        assert_eq!(presented(&headers, &abc).unwrap(), b"abc");
        headers.insert("x-goog-api-key", HeaderValue::from_static("abc"));
        assert_eq!(presented(&headers, &abc).unwrap(), b"abc");
        let code = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|k| (*k).to_owned()).collect();
            presented(&headers, &list).map_or_else(|e| e.code(), |_| "")
        };
        assert_eq!(code(&["other"]), "conflicting_keys");
        assert_eq!(code(&["abc", "other"]), "conflicting_keys");
        assert_eq!(code(&["abc", "abc"]), "");
        assert_eq!(code(&[""]), "invalid_api_key");
    }

    #[test]
    fn refuses_what_is_no_key() {
        assert_eq!(key(&[]), Err("missing_api_key"));
        assert_eq!(
            key(&[("authorization", "Basic abc")]),
            Err("invalid_api_key")
        );
        assert_eq!(key(&[("authorization", "Bearer ")]), Err("invalid_api_key"));
        assert_eq!(key(&[("authorization", "B")]), Err("invalid_api_key"));
        let empty = "AWS4-HMAC-SHA256 Credential=/20150830";
        assert_eq!(key(&[("authorization", empty)]), Err("invalid_api_key"));
        assert_eq!(
            key(&[("x-api-key", "a"), ("authorization", "Bearer b")]),
            Err("conflicting_keys")
        );
    }
}
