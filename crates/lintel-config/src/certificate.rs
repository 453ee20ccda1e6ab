//! Certificates and keys as PEM: what stands in a file, whose it is and how long it holds.
//!
//! Pure: texts and a time in, values out. It knows nothing of listeners and providers; both read theirs
//! with it. Invariant: no message repeats anything of a private key.

use std::path::{Path as FilePath, PathBuf};

use lintel_types::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use crate::path::Path;
use crate::problem::{Problem, Report};
use crate::providers::Sources;
use crate::secret::{self, BadSecret};

/// A certificate with less than this left is warned about.
const SOON_DAYS: i64 = 14;
const DAY_SECS: i64 = 24 * 60 * 60;

/// Why a text holds no usable certificate or key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPem {
    /// Nothing of the kind is in it.
    #[error(
        "holds no certificate: it must be PEM, with a block that begins with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// A block can't be read.
    #[error("holds a certificate that can't be read: it is damaged or no X.509")]
    Certificate,
    /// A certificate can't vouch for others.
    #[error("holds a certificate, its number {0}, that can't be an authority")]
    Authority(usize),
    /// No key is in it.
    #[error(
        "holds no private key: it must be PEM, such as a block that begins with -----BEGIN PRIVATE KEY-----"
    )]
    NoKey,
    /// The key is encrypted.
    #[error(
        "holds an encrypted private key, which nobody would be there to decrypt at a start: decrypt it with `openssl pkey`, and keep the file readable to this user alone"
    )]
    Encrypted,
}

/// What `text`, which stands at `at`, points to.
pub(crate) fn read<T>(
    text: &str,
    at: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
    parse: fn(&str) -> Result<T, BadPem>,
) -> Option<T> {
    let (text, whence) = secret::follow(text, sources.env, sources.read)
        .map_err(|why| match why {
            BadSecret::Literal => report.problem(at, "is not where PEM stands: write file:/path"),
            why => report.problem(at, why),
        })
        .ok()?;
    parse(&text)
        .map_err(|why| report.problem(at, format!("{whence} {why}")))
        .ok()
}

/// The files among what is written: a change of one is a reason to reload.
pub(crate) fn files<'a>(written: impl IntoIterator<Item = Option<&'a String>>) -> Vec<PathBuf> {
    let path = |text: &String| Some(FilePath::new(text.strip_prefix("file:")?).to_owned());
    written.into_iter().flatten().filter_map(path).collect()
}

/// Why a chain and a key make no pair. It stands at the key.
pub(crate) fn unfit(why: &rustls::Error) -> String {
    match why {
        rustls::Error::InconsistentKeys(_) => {
            "is not the key of the certificate in `cert`: the two must be made together".to_owned()
        }
        why => format!("can't be used with the certificate in `cert`: {why}"),
    }
}

/// Who may vouch for a peer.
#[derive(Debug)]
pub struct Authorities {
    /// As rustls looks them up.
    pub roots: RootCertStore,
    /// SHA-256 over the certificates, in their order.
    pub digest: [u8; 32],
}

/// The authorities of a PEM text, at least one.
///
/// # Errors
/// When there is none, or one can't be read or vouch for others.
pub fn authorities(text: &str) -> Result<Authorities, BadPem> {
    let mut roots = RootCertStore::empty();
    let mut digest = Sha256::new();
    for (n, certificate) in (1..).zip(blocks(text)?) {
        digest.update(&certificate);
        roots.add(certificate).map_err(|_| BadPem::Authority(n))?;
    }
    let digest = digest.finalize().into();
    Ok(Authorities { roots, digest })
}

/// The certificates of a PEM text, undecoded.
fn blocks(text: &str) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let all = all.map_err(|_| BadPem::Certificate)?;
    match all.is_empty() {
        true => Err(BadPem::NoCertificate),
        false => Ok(all),
    }
}

/// The certificates of a PEM text, in its order. Never empty.
///
/// # Errors
/// When there is none, or one can't be read.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let chain = blocks(text)?;
    chain.iter().try_for_each(|one| facts(one).map(|_| ()))?;
    Ok(chain)
}

/// The first private key of a PEM text: PKCS #8, PKCS #1 or SEC 1.
///
/// # Errors
/// When there is none that isn't encrypted.
pub fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, BadPem> {
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| match text.contains("ENCRYPTED") {
        true => BadPem::Encrypted,
        false => BadPem::NoKey,
    })
}

/// What matters of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its subject, as RFC 4514 writes it: `CN=lintel.internal,O=Acme`.
    pub subject: String,
    /// Holds from here.
    pub not_before: Timestamp,
    /// Holds until here.
    pub not_after: Timestamp,
    /// It may sign others. Some clients refuse such a one as a server's.
    pub is_ca: bool,
    /// It names the hosts it is for. Clients look nowhere else.
    pub names_hosts: bool,
}

/// Reads one certificate.
///
/// # Errors
/// When it is no X.509 certificate.
pub fn facts(der: &CertificateDer<'_>) -> Result<Facts, BadPem> {
    let read = x509_cert::Certificate::from_der(der).map_err(|_| BadPem::Certificate)?;
    let inner = &read.tbs_certificate;
    let at = |time: x509_cert::time::Time| {
        let secs = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_micros(secs.saturating_mul(1_000_000))
    };
    let constraints = inner.get::<BasicConstraints>().ok().flatten();
    Ok(Facts {
        subject: inner.subject.to_string(),
        not_before: at(inner.validity.not_before),
        not_after: at(inner.validity.not_after),
        is_ca: constraints.is_some_and(|(_, basic)| basic.ca),
        names_hosts: matches!(inner.get::<SubjectAltName>(), Ok(Some(_))),
    })
}

/// A certificate that is shown to others, and where it is configured.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) facts: Facts,
    pub(crate) place: Problem,
}

impl Shown {
    /// What is to be said of its dates at `now`, and where.
    pub(crate) fn expiring(&self, now: Timestamp) -> Option<Problem> {
        let message = self.facts.expiry(now)?;
        Some(Problem {
            message,
            ..self.place.clone()
        })
    }
}

impl Facts {
    /// What is to be said of its dates at `now`, if anything is.
    pub fn expiry(&self, now: Timestamp) -> Option<String> {
        let (subject, left) = (&self.subject, self.not_after.as_secs() - now.as_secs());
        let text = if left <= 0 {
            format!(
                "the certificate of `{subject}` has expired, on {}: it is refused; put a new one in its place",
                self.not_after
            )
        } else if self.not_before > now {
            format!(
                "the certificate of `{subject}` doesn't hold before {}: it is refused until then; check it and this machine's clock",
                self.not_before
            )
        } else if left < SOON_DAYS * DAY_SECS {
            format!(
                "the certificate of `{subject}` expires on {}, in {} days: put a new one in its place",
                self.not_after,
                left / DAY_SECS
            )
        } else {
            return None;
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["lintel.test".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn reads_a_pair_and_says_what_is_missing() {
        let (cert, key) = pair();
        let chain = certificates(&format!("a comment\n{cert}{cert}")).unwrap();
        assert_eq!(chain.len(), 2);
        let facts = facts(&chain[0]).unwrap();
        assert!(facts.names_hosts && !facts.is_ca, "{facts:?}");
        assert!(facts.subject.starts_with("CN="), "{facts:?}");
        assert!(private_key(&key).is_ok());
        assert_eq!(certificates(&key), Err(BadPem::NoCertificate));
        assert_eq!(certificates(""), Err(BadPem::NoCertificate));
        assert_eq!(private_key(&cert).unwrap_err(), BadPem::NoKey);
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert_eq!(private_key(encrypted).unwrap_err(), BadPem::Encrypted);
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(damaged), Err(BadPem::Certificate));
        assert_eq!(authorities(damaged).unwrap_err(), BadPem::Authority(1));
        assert_eq!(authorities(&key).unwrap_err(), BadPem::NoCertificate);
        let (one, two) = (
            authorities(&cert).unwrap(),
            authorities(&format!("{cert}{cert}")).unwrap(),
        );
        assert_ne!(one.digest, two.digest);
    }

    #[test]
    fn dates_are_told_in_time() {
        let day = |n: i64| Timestamp::from_micros(n * DAY_SECS * 1_000_000);
        let facts = Facts {
            subject: "CN=a".to_owned(),
            not_before: day(100),
            not_after: day(200),
            is_ca: false,
            names_hosts: true,
        };
        let check = |now: i64, says: Option<&str>| {
            let said = facts.expiry(day(now));
            assert_eq!(said.is_some(), says.is_some(), "{now}: {said:?}");
            if let (Some(said), Some(says)) = (said, says) {
                assert!(said.contains(says), "{said}");
            }
        };
        check(99, Some("doesn't hold before"));
        check(100, None);
        check(186, None);
        check(187, Some("in 13 days"));
        check(199, Some("in 1 days"));
        check(200, Some("has expired"));
        check(900, Some("has expired"));
    }
}
