//! The way through an HTTP proxy: a tunnel by CONNECT for `https` (RFC 9110 §9.3.6), the absolute form of the target
//! for `http` (RFC 9112 §3.2.2).
//!
//! The proxy is reached like a provider whose address is the operator's word. Where the provider's name leads is
//! the proxy's affair: it resolves. No text here shows the proxy's credentials.

use bytes::BytesMut;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use lintel_config::{Peer, Proxy};
use lintel_types::FailureClass;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::dial::{failed, tcp};
use super::line::Line;
use crate::failed::AttemptFailed;
use crate::start::Worker;

/// Bytes of a proxy's answer that are read.
const HEAD: usize = 16 * 1024;

/// A line to `peer` through `proxy`: to the proxy itself for `http`, a tunnel for `https`.
pub(super) async fn through(
    worker: &Worker,
    proxy: &Proxy,
    peer: &Peer,
) -> Result<Line, AttemptFailed> {
    let place = &proxy.place;
    let refused = |why: String| failed(FailureClass::Proxy, format!("the proxy {place} {why}"));
    let stream = tcp(worker, &place.host, place.port, true)
        .await
        .map_err(|e| refused(format!("can't be reached: {e}")))?;
    let line = Line::new(stream);
    if peer.base.https {
        connect(&mut line.clone(), proxy, peer)
            .await
            .map_err(refused)?;
    }
    Ok(line)
}

/// Asks for a tunnel and reads the answer. Fails with what the proxy did.
async fn connect(line: &mut Line, proxy: &Proxy, peer: &Peer) -> Result<(), String> {
    let broke = |e: std::io::Error| format!("broke off: {e}");
    line.write_all(request(proxy, peer).as_bytes())
        .await
        .map_err(broke)?;
    let mut head = BytesMut::with_capacity(1_024);
    loop {
        if let Some(answer) = answer(&head) {
            return answer;
        }
        if line.read_buf(&mut head).await.map_err(broke)? == 0 {
            return Err("hung up without an answer".to_owned());
        }
    }
}

fn request(proxy: &Proxy, peer: &Peer) -> String {
    let host = &peer.base.host;
    // The port always stands in a tunnel's target, and an IPv6 address in brackets.
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    let target = format!("{host}:{}", peer.base.port);
    let authorization = proxy.authorization.as_ref().map_or(String::new(), |value| {
        format!("proxy-authorization: {}\r\n", value.expose())
    });
    format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{authorization}\r\n")
}

/// What the bytes so far say; none when the head isn't whole.
fn answer(bytes: &[u8]) -> Option<Result<(), String>> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        let long = bytes.len() > HEAD;
        return long.then(|| Err("answers without end".to_owned()));
    };
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
    let status = line
        .strip_prefix(b"HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse::<u16>().ok());
    let said = match status {
        // Bytes ahead of the handshake would be taken for the provider's.
        Some(200..=299) if bytes.len() > end + 4 => "sends bytes ahead of the tunnel".to_owned(),
        Some(200..=299) => return Some(Ok(())),
        Some(407) => {
            "wants other credentials (407): check the user name and password in its URL".to_owned()
        }
        Some(403) => "forbids this provider (403): ask for a rule that allows it".to_owned(),
        Some(status @ (502..=504)) => format!("can't reach the provider ({status})"),
        Some(status) => format!("opened no tunnel ({status})"),
        None => "doesn't speak HTTP: check its port".to_owned(),
    };
    Some(Err(said))
}

/// The target of a request for `path`: absolute where a proxy has to know the host.
pub(super) fn target(peer: &Peer, path: String) -> String {
    match &peer.proxy {
        Some(_) if !peer.base.https => format!("http://{}{path}", peer.base.authority),
        _ => path,
    }
}

/// Adds the proxy's credentials to a request that the proxy reads; inside a tunnel it doesn't.
pub(super) fn authorize(peer: &Peer, headers: &mut HeaderMap) {
    let Some(proxy) = peer.proxy.as_ref().filter(|_| !peer.base.https) else {
        return;
    };
    let value = proxy.authorization.as_ref();
    let value = value.and_then(|value| HeaderValue::from_str(value.expose()).ok());
    if let Some(mut value) = value {
        value.set_sensitive(true);
        headers.insert(PROXY_AUTHORIZATION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_when_their_head_is_whole() {
        let check = |bytes: &str, expect: Option<Result<(), &str>>| {
            let got = answer(bytes.as_bytes());
            match (&got, expect) {
                (None, None) | (Some(Ok(())), Some(Ok(()))) => {}
                (Some(Err(text)), Some(Err(part))) if text.contains(part) => {}
                _ => panic!("{bytes:?}: {got:?}"),
            }
        };
        check("", None);
        check("HTTP/1.1 200 Connection established\r\nvia: x\r\n", None);
        check(
            "HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n",
            Some(Ok(())),
        );
        check("HTTP/1.0 200 OK\r\n\r\n", Some(Ok(())));
        check(
            "HTTP/1.1 200 OK\r\n\r\n\u{16}",
            Some(Err("ahead of the tunnel")),
        );
        check("HTTP/1.1 407 X\r\n\r\n", Some(Err("other credentials")));
        check("HTTP/1.1 403 X\r\n\r\nbody", Some(Err("forbids")));
        check(
            "HTTP/1.1 503 X\r\n\r\n",
            Some(Err("can't reach the provider (503)")),
        );
        check("HTTP/1.1 302 X\r\n\r\n", Some(Err("no tunnel (302)")));
        check("SSH-2.0\r\n\r\n", Some(Err("doesn't speak HTTP")));
        check(&"x".repeat(HEAD + 1), Some(Err("without end")));
    }
}
