//! Certificates and keys as PEM: what stands in a file, whose it is and how long it holds.
//!
//! Pure: texts and a time in, values out. It knows nothing of listeners and providers; both read theirs
//! with it. Invariant: no message repeats anything of a private key.

use lintel_types::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

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

/// The certificates of a PEM text, in its order. Never empty.
///
/// # Errors
/// When there is none, or one can't be read.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let chain = chain.map_err(|_| BadPem::Certificate)?;
    match chain.iter().try_for_each(|one| facts(one).map(|_| ())) {
        _ if chain.is_empty() => Err(BadPem::NoCertificate),
        Err(bad) => Err(bad),
        Ok(()) => Ok(chain),
    }
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

impl Facts {
    /// What is to be said of its dates at `now`, if anything is.
    pub fn expiry(&self, now: Timestamp) -> Option<String> {
        let (subject, left) = (&self.subject, self.not_after.as_secs() - now.as_secs());
        let text = if left <= 0 {
            format!(
                "the certificate of `{subject}` has expired, on {}: clients refuse it; put a new one in its place",
                self.not_after
            )
        } else if self.not_before > now {
            format!(
                "the certificate of `{subject}` doesn't hold before {}: clients refuse it until then; check it and this machine's clock",
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
