//! The connection under a call: a raw socket, or TLS over one.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::plan::Plan;

/// Opens connections as the plan says.
pub(crate) struct Connector(Option<TlsConnector>);

/// One open connection.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    /// Reads whom to trust, when the plan is to speak TLS.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Box<dyn Error>> {
        let config = plan.ca.as_deref().map(certificates::client).transpose()?;
        Ok(Self(config.map(|c| TlsConnector::from(Arc::new(c)))))
    }

    /// A connection that can carry the first request.
    pub(crate) async fn open(&self, address: SocketAddr) -> io::Result<Socket> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let Some(connector) = &self.0 else {
            return Ok(Socket::Plain(stream));
        };
        let name = ServerName::from(address.ip());
        Ok(Socket::Tls(Box::new(
            connector.connect(name, stream).await?,
        )))
    }
}

impl Socket {
    /// Writes all of `bytes` to the peer.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                // What TLS has encrypted may still lie in its own buffer.
                stream.flush().await
            }
        }
    }

    /// Reads what has come, at most `buffer`; 0 at the end.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
        }
    }
}
