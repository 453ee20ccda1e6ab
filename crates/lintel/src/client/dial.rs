//! How the command line reaches the control API: over TCP, over TLS, or through a socket file.
//!
//! Decides what an admin URL means and whom a certificate must come from. Knows nothing of what is asked.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use lintel_config::certificate;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Where the admin listener is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At a host and port.
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// Whether TLS is spoken.
        tls: bool,
        /// What stands before every path.
        prefix: String,
    },
    /// At a socket file.
    Unix(PathBuf),
}

impl Place {
    /// Reads an admin URL; the error says what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        if let Some(path) = url.strip_prefix("unix:") {
            return match path.starts_with('/') {
                true => Ok(Self::Unix(PathBuf::from(path))),
                false => Err("names no absolute path"),
            };
        }
        let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err("is none of http, https and unix"),
            None => return Err("names no scheme"),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or("names no host")?;
        Ok(Self::Tcp {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What the `host` header says, and messages.
    pub(super) fn authority(&self) -> String {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port, .. } => format!("{host}:{port}"),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }

    /// What stands before every path.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Tcp { prefix, .. } => prefix,
            Self::Unix(_) => "",
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Tcp { .. } => self.authority(),
            Self::Unix(path) => path.display().to_string(),
        }
    }
}

/// A connection, whatever carries it.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Connects. Over TLS the certificate must come from an authority in the file `ca`, without one from those that this machine trusts.
///
/// # Errors
/// When nobody answers, or the certificate isn't good.
pub(super) async fn dial(place: &Place, ca: Option<&Path>) -> io::Result<Box<dyn Wire>> {
    let (host, port, tls) = match place {
        Place::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
        Place::Tcp {
            host, port, tls, ..
        } => (host, *port, *tls),
    };
    // Read first: a wrong file is told whether or not somebody answers.
    let config = match tls {
        true => Some(trusting(ca)?),
        false => None,
    };
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    let Some(config) = config else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    connected
        .map(|stream| Box::new(stream) as Box<dyn Wire>)
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{error}; name its authority with --ca"),
            )
        })
}

fn trusting(ca: Option<&Path>) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            let wrong = |why: &dyn std::fmt::Display| {
                io::Error::other(format!("{}: {why}", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
            for anchor in certificate::certificates(&text).map_err(|error| wrong(&error))? {
                roots.add(anchor).map_err(|error| wrong(&error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                let text = "no trusted certificates on this machine: name the authority with --ca";
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, authority, prefix) in [
            ("http://127.0.0.1:8081", "127.0.0.1:8081", ""),
            ("http://lintel.internal/", "lintel.internal:80", ""),
            (
                "https://lintel.internal/admin/",
                "lintel.internal:443",
                "/admin",
            ),
            ("http://[::1]:9/admin/", "[::1]:9", "/admin"),
            ("unix:/run/lintel/admin.sock", "localhost", ""),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!(
                (place.authority().as_str(), place.prefix()),
                (authority, prefix),
                "{url}"
            );
        }
    }

    #[test]
    fn an_address_that_cannot_be_spoken_to_is_refused() {
        for url in [
            "",
            "127.0.0.1:8081",
            "ftp://127.0.0.1:8081",
            "http://",
            "nonsense",
            "unix:",
            "unix:admin.sock",
        ] {
            assert!(Place::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_authorities_file_is_read_before_anybody_is_dialled() {
        let place = Place::parse("https://127.0.0.1:1").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let error = runtime
            .block_on(dial(&place, Some(Path::new("/nowhere/ca.pem"))))
            .err()
            .unwrap();
        assert!(
            error.to_string().starts_with("/nowhere/ca.pem: "),
            "{error}"
        );
    }
}
