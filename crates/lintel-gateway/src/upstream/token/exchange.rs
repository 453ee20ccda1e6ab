//! One exchange of an assertion for a token: what is sent, and what the answer says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request};
use lintel_config::{Peer, ServiceAccount};
use lintel_guard::Cleared;
use lintel_types::Rendered;
use lintel_wire::{json, percent};
use tokio::time::Instant;

use super::assertion::assertion;
use crate::start::Worker;
use crate::upstream::{Bounds, UpstreamBody, collect, dial, tunnel};
use crate::write::ProviderBody;

/// Longest that one exchange may take.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const CAP: usize = 64 * 1024;
/// The life of a token whose answer doesn't say it.
const UNSAID: Duration = Duration::from_secs(300);

/// No token.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// For the log.
    pub(super) why: String,
    /// Whether the same exchange may succeed soon.
    pub(super) passes: bool,
}

/// Asks for a token: the header's value and its life.
pub(super) async fn ask(
    worker: &Arc<Worker>,
    account: &ServiceAccount,
    peer: &Arc<Peer>,
) -> Result<(HeaderValue, Duration), Refused> {
    let answer = tokio::time::timeout(LONGEST, call(worker, account, peer)).await;
    let (status, body) = answer.map_err(|_| passing("it took longer than 10 s"))??;
    read(status, &body).map_err(|refused| Refused {
        why: format!(
            "{} for {}: {}",
            account.token_uri, account.email, refused.why
        ),
        ..refused
    })
}

fn passing(why: impl ToString) -> Refused {
    Refused {
        why: format!("the token endpoint: {}", why.to_string()),
        passes: true,
    }
}

async fn call(
    worker: &Arc<Worker>,
    account: &ServiceAccount,
    peer: &Arc<Peer>,
) -> Result<(u16, Bytes), Refused> {
    let signed = assertion(account, worker.shared.wall()).ok_or_else(|| Refused {
        why: "the assertion can't be signed: no randomness".to_owned(),
        passes: true,
    })?;
    let grant = percent::segment("urn:ietf:params:oauth:grant-type:jwt-bearer");
    let form = Bytes::from(format!("grant_type={grant}&assertion={signed}"));
    let rendered = Rendered {
        len: form.len(),
        pieces: vec![form],
    };
    let place = &peer.base;
    let path = if place.path.is_empty() {
        "/"
    } else {
        &place.path
    };
    let target = tunnel::target(peer, path.to_owned());
    let mut request = Request::post(target)
        .header(HOST, &place.authority)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(ProviderBody::new(Cleared::own_request(rendered)))
        .map_err(passing)?;
    tunnel::authorize(peer, request.headers_mut());
    let connected = dial::connect(worker, peer).await;
    let mut connection = connected.map_err(|e| passing(e.cause()))?;
    let sent = connection.sender.send_request(request).await;
    let (head, incoming) = sent.map_err(passing)?.into_parts();
    let body = UpstreamBody::http(incoming, connection, Arc::downgrade(worker));
    let bounds = Bounds {
        cap: CAP,
        idle: LONGEST,
        until: Instant::now() + LONGEST,
    };
    let body = collect(body, &bounds, &mut |_| Ok(())).await;
    let body = body.map_err(|_| passing("its answer broke off"))?;
    Ok((head.status.as_u16(), body))
}

/// What an answer says.
fn read(status: u16, body: &[u8]) -> Result<(HeaderValue, Duration), Refused> {
    let root = json::parse(body).ok();
    let text = |name: &str| root.and_then(|r| r.get(name)?.text().map(|t| t.into_owned()));
    if status != 200 {
        let said = [text("error"), text("error_description")];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let said = lintel_wire::scrub::scrub(&said.join(": "));
        return Err(Refused {
            why: format!("it answered {status}: {said}"),
            passes: status >= 500 || status == 429,
        });
    }
    let life = root.and_then(|r| r.get("expires_in")?.u64());
    let value = text("access_token").and_then(|token| {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    });
    let value = value.ok_or_else(|| Refused {
        why: "it answered 200 without a usable `access_token`".to_owned(),
        passes: false,
    })?;
    Ok((value, life.map_or(UNSAID, Duration::from_secs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let (value, life) = read(200, br#"{"access_token":"ya29.t","expires_in":3599}"#).unwrap();
        assert_eq!(
            (value.as_bytes(), life.as_secs()),
            (&b"Bearer ya29.t"[..], 3_599)
        );
        assert!(value.is_sensitive());
        let (_, life) = read(200, br#"{"access_token":"t"}"#).unwrap();
        assert_eq!(life, UNSAID);
        for (status, body, passes) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
                false,
            ),
            (429, "{}", true),
            (503, "<html>", true),
            (200, "{}", false),
            (200, r#"{"access_token":"a\nb"}"#, false),
            (302, "", false),
        ] {
            let refused = read(status, body.as_bytes()).unwrap_err();
            assert_eq!(refused.passes, passes, "{status} {body}");
        }
        let refused = read(
            400,
            br#"{"error":"invalid_grant","error_description":"Bad."}"#,
        );
        assert_eq!(
            refused.unwrap_err().why,
            "it answered 400: invalid_grant: Bad."
        );
    }
}
