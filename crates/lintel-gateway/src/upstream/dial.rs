//! Dialling: resolve, check, connect to that very address, through a proxy where there is one, TLS where the base URL says so.
//!
//! Invariant: a connection goes to an address that was checked, after it was resolved for that connection.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use lintel_config::Peer;
use lintel_config::reach::{Standing, standing};
use lintel_types::{FailureClass, Phase};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::line::Line;
use super::pool::{Connection, dies};
use super::race;
use super::tls::Fault;
use super::tunnel;
use crate::failed::AttemptFailed;
use crate::start::Worker;
use crate::write::ProviderBody;

/// Opens a connection to `peer`.
pub(super) async fn connect(
    worker: &Arc<Worker>,
    peer: &Arc<Peer>,
) -> Result<Connection, AttemptFailed> {
    let base = &peer.base;
    let line = match &peer.proxy {
        None => tcp(worker, &base.host, base.port, peer.private)
            .await
            .map(Line::new)
            .map_err(|e| failed(FailureClass::Connect, e))?,
        Some(proxy) => tunnel::through(worker, proxy, peer).await?,
    };
    let snapshot = worker.shared.snapshot.load();
    let head_cap = snapshot.limits.header_bytes.max(8 * 1024);
    drop(snapshot);
    if !base.https {
        return handshake(worker, TokioIo::new(line.clone()), line, peer, head_cap).await;
    }
    let config = worker.shared.trust.of(&peer.tls).await;
    let config = config.map_err(|e| failed(FailureClass::Tls, e))?;
    let name = ServerName::try_from(base.host.clone()).map_err(|e| failed(FailureClass::Tls, e))?;
    let secure = TlsConnector::from(config)
        .connect(name, line.clone())
        .await
        .map_err(|e| failed(FailureClass::Tls, Fault::of_handshake(&e)))?;
    handshake(worker, TokioIo::new(secure), line, peer, head_cap).await
}

pub(super) fn failed(
    class: FailureClass,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> AttemptFailed {
    AttemptFailed::new(class, Phase::BeforeSend).because(cause)
}

/// Opens a socket to `host`: an address as it is written, or one of those that its name has now.
pub(super) async fn tcp(
    worker: &Worker,
    host: &str,
    port: u16,
    private: bool,
) -> io::Result<TcpStream> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        // Written so in the configuration: the operator's word, but never a forbidden one.
        let allowed = allowed(host, &[ip], true)?;
        return race::connect(&allowed, port).await;
    }
    let found = worker.shared.resolver.find(host).await.map_err(|e| {
        let text = format!("no address of {host} is known: {e}");
        io::Error::new(e.kind(), text)
    })?;
    race::connect(&allowed(host, &found, private)?, port).await
}

/// Those of `found` that calls may go to. The connection goes to one of these very addresses: nobody asks again.
fn allowed(host: &str, found: &[IpAddr], private: bool) -> io::Result<Vec<IpAddr>> {
    let (mut kept, mut refused) = (Vec::new(), None);
    for ip in found {
        match standing(*ip) {
            Standing::Public => kept.push(*ip),
            Standing::Private if private => kept.push(*ip),
            kind => refused = Some((ip, kind)),
        }
    }
    if !kept.is_empty() {
        return Ok(kept);
    }
    let text = match refused {
        None => format!("{host} has no address"),
        Some((ip, Standing::Forbidden)) => format!(
            "{host} leads to {ip}, which is link-local or a cloud's metadata service: never called"
        ),
        Some((ip, _)) => format!(
            "{host} is a public name and leads to the private address {ip}: refused; if it is meant, write `private_addresses: allow`"
        ),
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

async fn handshake<S>(
    worker: &Worker,
    stream: S,
    line: Line,
    peer: &Arc<Peer>,
    head_cap: usize,
) -> Result<Connection, AttemptFailed>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(head_cap)
        .handshake::<S, ProviderBody>(stream)
        .await
        .map_err(|e| failed(FailureClass::Connect, e))?;
    let ended = Arc::new(OnceLock::new());
    let told = Arc::clone(&ended);
    // Ends when the connection does. What it fails with reaches the sender, but not why a session ended in between.
    tokio::spawn(async move {
        if let Err(e) = connection.await
            && let Some(fault) = Fault::find(&e)
        {
            let _ = told.set(fault);
        }
    });
    let shared = &worker.shared;
    Ok(Connection {
        sender,
        peer: Arc::clone(peer),
        line,
        ended,
        dies: dies(shared.now(), peer.pool.max_age, shared.random()),
        reused: false,
        counted: shared.metrics.upstream_opened(&peer.provider),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_called_is_kept() {
        let check = |found: &[&str], private: bool, expect: Result<&[&str], &str>| {
            let found: Vec<IpAddr> = found.iter().map(|ip| ip.parse().unwrap()).collect();
            match (allowed("x.example", &found, private), expect) {
                (Ok(kept), Ok(expect)) => {
                    let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
                    assert_eq!(kept, expect);
                }
                (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{e}"),
                (got, _) => panic!("{found:?}: {got:?}"),
            }
        };
        check(
            &["1.1.1.1", "2606:4700::1111"],
            false,
            Ok(&["1.1.1.1", "2606:4700::1111"]),
        );
        check(&["10.0.0.1", "1.1.1.1"], false, Ok(&["1.1.1.1"]));
        check(&["10.0.0.1", "1.1.1.1"], true, Ok(&["10.0.0.1", "1.1.1.1"]));
        check(&["10.0.0.1"], false, Err("private_addresses: allow"));
        check(&["169.254.169.254"], true, Err("never called"));
        check(&["169.254.169.254", "::1"], true, Ok(&["::1"]));
        check(&[], true, Err("has no address"));
    }
}
