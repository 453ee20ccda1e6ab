//! Dialling: resolve, check, connect to that very address, TLS where the base URL says so.
//!
//! Link-local addresses and clouds' metadata services are refused, whatever name led there.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use lintel_config::base_url::is_forbidden_ip;
use lintel_config::{BaseUrl, Peer, PeerId};
use lintel_types::{FailureClass, Phase};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::line::Line;
use super::pool::Connection;
use super::tls::Fault;
use crate::failed::AttemptFailed;
use crate::start::Worker;
use crate::write::ProviderBody;

/// Opens a connection to `peer`.
pub(super) async fn connect(
    worker: &Arc<Worker>,
    peer: &Peer,
) -> Result<Connection, AttemptFailed> {
    let base = &peer.base;
    let line = tcp(base)
        .await
        .map(Line::new)
        .map_err(|e| failed(FailureClass::Connect, e))?;
    let snapshot = worker.shared.snapshot.load();
    let head_cap = snapshot.limits.header_bytes.max(8 * 1024);
    drop(snapshot);
    if !base.https {
        return handshake(TokioIo::new(line.clone()), line, peer.id, head_cap).await;
    }
    let config = worker.shared.trust.of(&peer.tls).await;
    let config = config.map_err(|e| failed(FailureClass::Tls, e))?;
    let name = ServerName::try_from(base.host.clone()).map_err(|e| failed(FailureClass::Tls, e))?;
    let secure = TlsConnector::from(config)
        .connect(name, line.clone())
        .await
        .map_err(|e| failed(FailureClass::Tls, Fault::of_handshake(&e)))?;
    handshake(TokioIo::new(secure), line, peer.id, head_cap).await
}

fn failed(
    class: FailureClass,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> AttemptFailed {
    AttemptFailed::new(class, Phase::BeforeSend).because(cause)
}

async fn tcp(base: &BaseUrl) -> io::Result<TcpStream> {
    let host = base.host.trim_matches(['[', ']']);
    if let Ok(ip) = host.parse::<IpAddr>() {
        return open(SocketAddr::new(ip, base.port)).await;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in tokio::net::lookup_host((host, base.port)).await? {
        match open(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    if is_forbidden_ip(address.ip()) {
        let text = format!(
            "{} is link-local or a cloud's metadata service: refused",
            address.ip()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn handshake<S>(
    stream: S,
    line: Line,
    peer: PeerId,
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
    Ok(Connection {
        sender,
        peer,
        line,
        ended,
        reused: false,
    })
}
