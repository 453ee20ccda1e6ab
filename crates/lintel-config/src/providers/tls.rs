//! A provider's `tls`: its PEM texts read, taken apart and held against each other, so that a wrong file is
//! told when the configuration is read and not by the first call.

use std::sync::Arc;

use lintel_wire::provider::ProviderTls;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};
use sha2::{Digest, Sha256};

use super::Sources;
use crate::path::Path;
use crate::peer::TlsMaterial;
use crate::problem::Report;
use crate::secret;

/// What the section at `path` is made of; the default without one. What is wrong is reported.
pub(super) fn resolve(
    written: Option<&ProviderTls>,
    https: bool,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<TlsMaterial> {
    let Some(tls) = written else {
        return Some(TlsMaterial::default());
    };
    if !https {
        report.problem_at_key(
            path,
            "there is no TLS over http: write `base_url: https://…`, or remove this",
        );
        return None;
    }
    let mut digest = Sha256::new();
    let mut read = |key: &str, text: Option<&str>, report: &mut Report<'_>| {
        let at = path.key(key);
        let pem = text.map(|text| {
            let read = secret::follow(text, sources.env, sources.read);
            read.map_err(|why| report.problem(&at, why)).ok()
        });
        if let Some(Some((pem, _))) = &pem {
            digest.update(key);
            digest.update((pem.len() as u64).to_be_bytes());
            digest.update(pem);
        }
        pem
    };
    let ca = read("ca", tls.ca.as_deref(), report);
    let cert = read("cert", tls.cert.as_deref(), report);
    let key = read("key", tls.key.as_deref(), report);
    let roots = ca.map(|ca| trusted(ca?, &path.key("ca"), report));
    let identity = match (cert, key) {
        (None, None) => None,
        (Some(cert), Some(key)) => Some(pair(cert?, key?, path, report)),
        (Some(_), None) => {
            report.problem_at_key(
                &path.key("cert"),
                "`key` is missing: a certificate is shown by whoever holds its private key",
            );
            return None;
        }
        (None, Some(_)) => {
            report.problem_at_key(
                &path.key("key"),
                "`cert` is missing: write the certificate that this key belongs to",
            );
            return None;
        }
    };
    // What was written and didn't resolve has been reported.
    let (roots, roots_id) = roots.map_or(Some((None, None)), |found| {
        found.map(|(roots, id)| (Some(roots), Some(id)))
    })?;
    let identity = match identity {
        None => None,
        Some(found) => Some(found?),
    };
    let empty = roots.is_none() && identity.is_none();
    Some(TlsMaterial {
        id: if empty {
            [0; 32]
        } else {
            digest.finalize().into()
        },
        roots,
        roots_id,
        identity,
    })
}

/// The certificates of a PEM text, as trust anchors, and the SHA-256 over them.
fn trusted(
    (pem, whence): (String, String),
    at: &Path,
    report: &mut Report<'_>,
) -> Option<(Arc<RootCertStore>, [u8; 32])> {
    let certificates = certificates(&pem, &whence, at, report)?;
    let mut roots = RootCertStore::empty();
    let mut digest = Sha256::new();
    for (i, certificate) in certificates.into_iter().enumerate() {
        digest.update(&certificate);
        if let Err(why) = roots.add(certificate) {
            let text = format!(
                "{whence}: certificate {} can't be a trust anchor: {why}",
                i + 1
            );
            report.problem(at, text);
            return None;
        }
    }
    Some((Arc::new(roots), digest.finalize().into()))
}

/// The certificates of a PEM text: at least one.
fn certificates(
    pem: &str,
    whence: &str,
    at: &Path,
    report: &mut Report<'_>,
) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match all {
        Ok(all) if !all.is_empty() => Some(all),
        Ok(_) => {
            report.problem(at, format!("{whence} holds no certificate: PEM is expected, which begins with -----BEGIN CERTIFICATE-----"));
            None
        }
        Err(why) => {
            report.problem(at, format!("{whence} is no PEM that can be read: {why}"));
            None
        }
    }
}

/// A chain and its private key.
fn pair(
    (cert, cert_whence): (String, String),
    (key, key_whence): (String, String),
    path: &Path,
    report: &mut Report<'_>,
) -> Option<Arc<CertifiedKey>> {
    let chain = certificates(&cert, &cert_whence, &path.key("cert"), report);
    let at = path.key("key");
    // No message repeats what was read: it is a private key, or was meant to be.
    let parsed = match PrivateKeyDer::from_pem_slice(key.as_bytes()) {
        Ok(parsed) => parsed,
        Err(_) => {
            let text = if key.contains("ENCRYPTED PRIVATE KEY") {
                format!(
                    "{key_whence} is encrypted, and nobody is there to type its passphrase: write it without one (openssl pkey -in … -out …)"
                )
            } else {
                format!(
                    "{key_whence} holds no private key: PEM is expected, which begins with -----BEGIN PRIVATE KEY-----"
                )
            };
            report.problem(&at, text);
            return None;
        }
    };
    match CertifiedKey::from_der(chain?, parsed, &ring::default_provider()) {
        Ok(identity) => Some(Arc::new(identity)),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let text = format!(
                "{key_whence} is not the key of the first certificate in {cert_whence}: name the two that belong together"
            );
            report.problem(&at, text);
            None
        }
        Err(Error::InvalidCertificate(why)) => {
            report.problem(
                &path.key("cert"),
                format!("{cert_whence} can't be used: {why:?}"),
            );
            None
        }
        Err(_) => {
            let text = format!(
                "{key_whence} can't sign: RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519 is expected"
            );
            report.problem(&at, text);
            None
        }
    }
}
