//! A provider's `tls`: its PEM texts read and held against each other, so that a wrong file is told when the
//! configuration is read and not by the first call.

use std::sync::Arc;

use lintel_wire::provider::ProviderTls;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use super::Sources;
use crate::certificate::{self, Shown};
use crate::path::Path;
use crate::peer::TlsMaterial;
use crate::problem::Report;

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
    let authorities = tls.ca.as_ref().map(|ca| {
        let at = path.key("ca");
        certificate::read(ca, &at, sources, report, certificate::authorities)
    });
    let written = written_pair(tls, path, report)?;
    let own = written.map(|(cert, key)| own(cert, key, path, sources, report));
    let mut digest = Sha256::new();
    let mut material = TlsMaterial {
        files: certificate::files([&tls.ca, &tls.cert, &tls.key].map(Option::as_ref)),
        ..TlsMaterial::default()
    };
    // What was written and didn't resolve has been reported.
    if let Some(authorities) = authorities {
        let authorities = authorities?;
        digest.update(authorities.digest);
        material.roots_id = Some(authorities.digest);
        material.roots = Some(Arc::new(authorities.roots));
    }
    if let Some(own) = own {
        let (identity, shown, own_digest) = own?;
        digest.update(own_digest);
        material.identity = Some(identity);
        material.own = Some(shown);
    }
    if material.roots.is_some() || material.identity.is_some() {
        material.id = digest.finalize().into();
    }
    Some(material)
}

/// What a provider is shown, and the SHA-256 over it.
fn own(
    cert: &str,
    key: &str,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<(Arc<CertifiedKey>, Shown, [u8; 32])> {
    let (at_cert, at_key) = (path.key("cert"), path.key("key"));
    let chain = certificate::read(cert, &at_cert, sources, report, certificate::certificates);
    let key = certificate::read(key, &at_key, sources, report, certificate::private_key);
    let (chain, key) = (chain?, key?);
    let shown = Shown {
        facts: certificate::facts(chain.first()?).ok()?,
        place: report.place(&at_cert),
    };
    let mut digest = Sha256::new();
    let certificates = chain.iter().map(|certificate| certificate.as_ref());
    for bytes in certificates.chain([key.secret_der()]) {
        // Lengths keep neighbours apart: no two different pairs feed the same bytes.
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
    let identity = CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|why| report.problem(&at_key, certificate::unfit(&why)))
        .ok()?;
    Some((Arc::new(identity), shown, digest.finalize().into()))
}

/// `cert` and `key`, which come together; the outer none is a problem, the inner one that there are none.
fn written_pair<'a>(
    tls: &'a ProviderTls,
    path: &Path,
    report: &mut Report<'_>,
) -> Option<Option<(&'a str, &'a str)>> {
    match (tls.cert.as_deref(), tls.key.as_deref()) {
        (None, None) => Some(None),
        (Some(cert), Some(key)) => Some(Some((cert, key))),
        (Some(_), None) => {
            report.problem_at_key(
                &path.key("cert"),
                "`key` is missing: a certificate is shown by whoever holds its private key",
            );
            None
        }
        (None, Some(_)) => {
            report.problem_at_key(
                &path.key("key"),
                "`cert` is missing: write the certificate that this key belongs to",
            );
            None
        }
    }
}
