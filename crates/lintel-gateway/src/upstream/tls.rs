//! TLS to providers: rustls over ring, the machine's own trust store.

use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The client configuration. Loaded when the first provider is dialled over TLS: reading the trust store
/// costs milliseconds that a start needs not pay.
pub(crate) fn client_config() -> io::Result<Arc<ClientConfig>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _unusable) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let text = "no trusted certificates on this machine: install its ca-certificates package";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
