//! TLS as both ends of the benchmark speak it: TLS 1.3, one cipher suite, HTTP/1.1.
//!
//! The load client offers nothing else and the mock takes nothing else, so whatever stands between
//! them encrypts the same bytes with the same cipher on both sides, whichever it would prefer.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The files in the directory of certificates.
pub const CA: &str = "ca.pem";
/// The leaf, signed by [`CA`], for `localhost` and 127.0.0.1.
pub const CERT: &str = "cert.pem";
/// The leaf's private key.
pub const KEY: &str = "key.pem";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..default_provider()
    })
}

/// The mock's side: the leaf in `directory`.
///
/// # Errors
/// A file that can't be read or is not what its name says.
pub fn server(directory: &Path) -> Result<ServerConfig, Box<dyn Error>> {
    let chain =
        CertificateDer::pem_file_iter(directory.join(CERT))?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(directory.join(KEY))?;
    Ok(ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}

/// The load client's side: trusts the certificates in the file `ca` and nothing else.
///
/// # Errors
/// A file that can't be read or holds no certificate.
pub fn client(ca: &Path) -> Result<ClientConfig, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(format!("{}: no certificate in it", ca.display()).into());
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
