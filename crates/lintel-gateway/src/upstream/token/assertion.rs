//! The signed assertion that is exchanged for a token (RFC 7523; Google's "OAuth 2.0 for server to server
//! applications"). Pure: the time is an argument.
//!
//! Three texts in base64 and one signature: a library for it would bring more code than this is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lintel_config::ServiceAccount;
use lintel_types::Timestamp;
use lintel_wire::json::write;

/// What the token may do: everything that the account may.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long an assertion stands; the longest that is accepted.
const LIFE: i64 = 3_600;

/// An assertion made at `now`; none when it can't be signed.
pub(super) fn assertion(account: &ServiceAccount, now: Timestamp) -> Option<String> {
    let seconds = now.as_micros().div_euclid(1_000_000);
    let mut header = String::with_capacity(96);
    write::object(&mut header, |o| {
        o.str("alg", "RS256").str("typ", "JWT");
        o.str_if("kid", account.key_id.as_deref());
    });
    let mut claims = String::with_capacity(256);
    write::object(&mut claims, |o| {
        o.str("iss", &account.email)
            .str("scope", SCOPE)
            .str("aud", &account.token_uri.to_string())
            .signed("iat", seconds)
            .signed("exp", seconds.saturating_add(LIFE));
    });
    let mut out = URL_SAFE_NO_PAD.encode(header);
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut out);
    let signature = account.sign(out.as_bytes())?;
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut out);
    Some(out)
}
