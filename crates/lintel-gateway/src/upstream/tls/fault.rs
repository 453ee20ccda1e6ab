//! What is wrong with a TLS session, in words that say whose certificate it is about and what to do.

use std::error::Error as StdError;
use std::io::ErrorKind;

use rustls::{AlertDescription, CertificateError, Error};

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Fault {
    /// The name in metrics.
    pub(crate) name: &'static str,
    text: String,
}

fn fault(name: &'static str, text: impl Into<String>) -> Fault {
    let text = text.into();
    Fault { name, text }
}

impl Fault {
    /// The fault among the causes of `error`; none when TLS isn't what went wrong.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<Error>() {
                return Some(Self::of(error));
            }
            // An I/O error hides what it carries from `source`, and shows it here.
            let carried = error.downcast_ref::<std::io::Error>();
            if let Some(inner) = carried.and_then(|e| e.get_ref()) {
                return Self::find(inner);
            }
            next = error.source();
        }
        None
    }

    /// The same for a handshake that didn't come to its end.
    pub(crate) fn of_handshake(error: &std::io::Error) -> Self {
        Self::find(error).unwrap_or_else(|| match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => fault(
                "handshake",
                "the provider ended the connection in the handshake: check the port, and whether it wants a client certificate",
            ),
            _ => fault("handshake", format!("no TLS session: {error}")),
        })
    }

    /// Whether it is about what Lintel showed, which a session of TLS 1.3 learns after its handshake.
    pub(crate) fn is_of_client(&self) -> bool {
        self.name == "client_certificate"
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(why) => certificate(why),
            Error::AlertReceived(alert) => refused(*alert),
            Error::InvalidMessage(_) => fault(
                "not_tls",
                "what answers there doesn't speak TLS: check the port, or write http://",
            ),
            other => fault("handshake", format!("no TLS session: {other}")),
        }
    }
}

fn certificate(why: &CertificateError) -> Fault {
    use CertificateError::*;
    match why {
        Expired => fault("expired", "the provider's certificate has expired"),
        ExpiredContext { time, not_after } => {
            let ago = time.as_secs().saturating_sub(not_after.as_secs());
            let text = format!(
                "the provider's certificate has expired, {ago} seconds ago by this machine's clock"
            );
            fault("expired", text)
        }
        NotValidYet => fault(
            "not_yet_valid",
            "the provider's certificate isn't valid yet",
        ),
        NotValidYetContext { time, not_before } => {
            let ahead = not_before.as_secs().saturating_sub(time.as_secs());
            let text = format!(
                "the provider's certificate isn't valid yet, for {ahead} seconds by this machine's clock"
            );
            fault("not_yet_valid", text)
        }
        UnknownIssuer => fault(
            "unknown_issuer",
            "the provider's certificate was issued by nobody who is trusted: if it is the right one, name its CA in `tls.ca`",
        ),
        NotValidForName => fault(
            "wrong_host",
            "the provider's certificate is for another host name",
        ),
        NotValidForNameContext { presented, .. } => {
            let names = presented.join(", ");
            let text =
                format!("the provider's certificate is for another host name; it names {names}");
            fault("wrong_host", text)
        }
        Revoked => fault("revoked", "the provider's certificate has been revoked"),
        other => {
            let text = format!("the provider's certificate can't be trusted: {other}");
            fault("certificate", text)
        }
    }
}

/// The provider ended the handshake, and says why.
fn refused(alert: AlertDescription) -> Fault {
    use AlertDescription::*;
    match alert {
        CertificateRequired => fault(
            "client_certificate",
            "the provider asks for a client certificate: write `tls.cert` and `tls.key`",
        ),
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | AccessDenied => {
            let text = format!("the provider refused the client certificate: {alert:?}");
            fault("client_certificate", text)
        }
        other => fault(
            "handshake",
            format!("the provider ended the handshake: {other:?}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn name(error: Error) -> &'static str {
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, error);
        Fault::find(&wrapped).unwrap().name
    }

    #[test]
    fn faults_are_named_through_whatever_carries_them() {
        let invalid = Error::InvalidCertificate;
        for (error, expect) in [
            (invalid(CertificateError::Expired), "expired"),
            (invalid(CertificateError::NotValidYet), "not_yet_valid"),
            (invalid(CertificateError::UnknownIssuer), "unknown_issuer"),
            (invalid(CertificateError::NotValidForName), "wrong_host"),
            (invalid(CertificateError::Revoked), "revoked"),
            (invalid(CertificateError::BadSignature), "certificate"),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "client_certificate",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "client_certificate",
            ),
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "handshake",
            ),
            (
                Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "not_tls",
            ),
        ] {
            assert_eq!(name(error), expect);
        }
        let other = io::Error::other("no TLS here");
        assert_eq!(Fault::find(&other), None);
    }
}
