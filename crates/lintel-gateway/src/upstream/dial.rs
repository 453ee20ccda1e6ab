//! Dialling: resolve, check, connect to that very address, TLS where the base URL says so.
//!
//! Link-local addresses and clouds' metadata services are refused, whatever name led there.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use lintel_config::BaseUrl;
use lintel_config::base_url::is_forbidden_ip;
use lintel_types::{FailureClass, Phase};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::line::Line;
use super::pool::{Connection, Place};
use crate::failed::AttemptFailed;
use crate::start::Worker;
use crate::write::ProviderBody;

/// Opens a connection to `base`.
pub(super) async fn connect(
    worker: &Arc<Worker>,
    base: &BaseUrl,
) -> Result<Connection, AttemptFailed> {
    let line = tcp(base)
        .await
        .map(Line::new)
        .map_err(|e| failed(FailureClass::Connect, e))?;
    let place = Arc::new(Place {
        https: base.https,
        authority: base.authority.clone(),
    });
    let head_cap = worker
        .shared
        .snapshot
        .load()
        .limits
        .header_bytes
        .max(8 * 1024);
    if !base.https {
        return handshake(TokioIo::new(line.clone()), line, place, head_cap).await;
    }
    let config = worker
        .shared_tls()
        .map_err(|e| failed(FailureClass::Tls, e))?;
    let name = ServerName::try_from(base.host.clone()).map_err(|e| failed(FailureClass::Tls, e))?;
    let secure = TlsConnector::from(config)
        .connect(name, line.clone())
        .await
        .map_err(|e| failed(FailureClass::Tls, e))?;
    handshake(TokioIo::new(secure), line, place, head_cap).await
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
    place: Arc<Place>,
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
    // Ends when the connection does; what it fails with reaches the sender.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Connection {
        sender,
        place,
        line,
        reused: false,
    })
}
