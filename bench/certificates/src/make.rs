//! Makes a CA and a leaf. A leaf of its own, because rustls refuses a CA's certificate as a server's.

use std::error::Error;
use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::{CA, CERT, KEY};

/// Writes [`CA`], [`CERT`] and [`KEY`] into `directory`, which is created. The CA's key is not kept.
///
/// # Errors
/// The directory or a file can't be written.
pub fn make(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut params = CertificateParams::default();
    // Names of their own: a leaf named as its CA passes for self-signed.
    params
        .distinguished_name
        .push(DnType::CommonName, "the benchmark's CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_key = KeyPair::generate()?;
    let ca = params.self_signed(&ca_key)?;
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    let leaf = params.signed_by(&key, &issuer)?;
    fs::create_dir_all(directory)?;
    fs::write(directory.join(CA), ca.pem())?;
    fs::write(directory.join(CERT), leaf.pem())?;
    fs::write(directory.join(KEY), key.serialize_pem())?;
    Ok(())
}
