//! AWS Signature Version 4: the headers that prove to an AWS service who calls it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! Decides nothing: the same arguments give the same headers. The time and the keys are arguments; the body is
//! known by its SHA-256 alone, so that one in pieces needs no copy. Every service but S3 is signed so: the path
//! as it goes over the wire is percent-encoded once more.

use std::fmt;

use hmac::{Hmac, Mac};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use lintel_types::time::civil_from_days;
use sha2::{Digest, Sha256};

mod canonical;

/// The keys of one AWS account or role.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Such as `AKIA…`; temporary ones begin with `ASIA`.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: String,
    /// The session token of temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for Keys {
    /// Never the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// What is signed for.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The region whose endpoint is called, such as `us-east-1`.
    pub region: &'a str,
    /// The service's signing name: `bedrock`.
    pub service: &'a str,
    /// Now, in seconds since 1970. A signature is good for five minutes around it.
    pub now: i64,
}

/// A request, as it will go over the wire.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// `POST`
    pub method: &'a str,
    /// The value of the `host` header, with a port where that has one.
    pub host: &'a str,
    /// The path, percent-encoded as it is sent. It may not hold `.` or `..` as a segment.
    pub path: &'a str,
    /// The query without `?`, percent-encoded as it is sent; empty when there is none.
    pub query: &'a str,
    /// Further headers to sign, names in lower case; `host` and the `x-amz-…` of the signature are not among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body's hash: see [`payload_hash`].
    pub payload: &'a str,
}

/// The SHA-256 of a body in pieces, in lower-case hex.
pub fn payload_hash<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update(piece);
    }
    hex(&hash.finalize())
}

/// The headers to add to `request`: `x-amz-date`, `x-amz-security-token` for temporary keys, and
/// `authorization`. They are marked sensitive. Fails when a key or token holds what can't stand in a header.
///
/// ```
/// use lintel_wire::sigv4::{Keys, Signing, ToSign, payload_hash, sign};
///
/// let keys = Keys { access_key_id: "AKIDEXAMPLE".into(), secret_access_key: "secret".into(), session_token: None };
/// let signing = Signing { region: "us-east-1", service: "bedrock", now: 1_440_938_160 };
/// let payload = payload_hash([&b"{}"[..]]);
/// let request = ToSign {
///     method: "POST",
///     host: "bedrock-runtime.us-east-1.amazonaws.com",
///     path: "/model/amazon.nova-lite-v1%3A0/converse",
///     query: "",
///     headers: &[("content-type", "application/json")],
///     payload: &payload,
/// };
/// let headers = sign(&request, &keys, &signing).unwrap();
/// assert_eq!(headers[0].1, "20150830T123600Z");
/// ```
pub fn sign(
    request: &ToSign<'_>,
    keys: &Keys,
    signing: &Signing<'_>,
) -> Result<Vec<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
    let stamp = stamp(signing.now);
    let date = stamp.get(..8).unwrap_or_default();
    let token = keys.session_token.as_deref();
    let (canonical, signed) = canonical::request(request, &stamp, token);
    let scope = format!("{date}/{}/{}/aws4_request", signing.region, signing.service);
    let hash = payload_hash([canonical.as_bytes()]);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hash}");
    let signature = hex(&hmac(&key(keys, date, signing), text.as_bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        keys.access_key_id
    );
    let mut headers = vec![(HeaderName::from_static("x-amz-date"), value(&stamp)?)];
    if let Some(token) = token {
        let name = HeaderName::from_static("x-amz-security-token");
        headers.push((name, value(token)?));
    }
    headers.push((AUTHORIZATION, value(&authorization)?));
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The key of one day, region and service, derived from the secret.
fn key(keys: &Keys, date: &str, signing: &Signing<'_>) -> [u8; 32] {
    let secret = format!("AWS4{}", keys.secret_access_key);
    [date, signing.region, signing.service, "aws4_request"]
        .iter()
        .fold(None, |key: Option<[u8; 32]>, word| {
            let key = key.as_ref().map_or(secret.as_bytes(), |k| &k[..]);
            Some(hmac(key, word.as_bytes()))
        })
        .unwrap_or_default()
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // A key of any length is a key: this constructor can't fail.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(text);
            mac.finalize().into_bytes().into()
        })
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    let digits = |b: &u8| [digit(b >> 4), digit(b & 15)];
    bytes.iter().flat_map(digits).collect()
}

/// `20150830T123600Z`
fn stamp(seconds: i64) -> String {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests;
