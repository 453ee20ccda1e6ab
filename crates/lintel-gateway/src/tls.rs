//! The server's side of TLS: one handshake, and what it came to. Both listeners use it.
//!
//! Which certificate is shown and which clients are taken is the configuration's. A handshake that fails is counted by
//! reason and leaves a line at `debug` alone: a scanner can make as many as it likes. Invariant: no handshake
//! outlives its bound.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lintel_config::{ServerTls, certificate};
use lintel_telemetry::{Handshake, Listener, Metrics};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{AlertDescription, Error};
use tokio_rustls::server::TlsStream;

/// The protocol that a client chose by ALPN: <https://www.rfc-editor.org/rfc/rfc9113#section-3.1>.
const H2: &[u8] = b"h2";

/// Most characters of a client certificate's subject that are kept.
const LONGEST_SUBJECT: usize = 256;

/// Shakes hands on `stream` within `bound`, and counts how that ended.
///
/// # Errors
/// What it failed by.
pub async fn handshake<S>(
    tls: &ServerTls,
    stream: S,
    bound: Duration,
    listener: Listener,
    metrics: &Metrics,
) -> Result<TlsStream<S>, Handshake>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let accept = TlsAcceptor::from(Arc::clone(&tls.server)).accept(stream);
    let shaken = match tokio::time::timeout(bound, accept).await {
        Ok(shaken) => shaken.map_err(|error| failure(&error)),
        Err(_) => Err(Handshake::Timeout),
    };
    let how = shaken
        .as_ref()
        .map_or_else(|failed| *failed, |_| Handshake::Done);
    metrics.handshake(listener, how);
    shaken
}

/// The subject of the certificate that the client has shown, and that was found good.
pub fn client_subject<S>(stream: &TlsStream<S>) -> Option<Arc<str>> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates()?.first()?;
    let facts = certificate::facts(shown).ok()?;
    let whole = facts.subject.char_indices().nth(LONGEST_SUBJECT);
    let kept = whole.map_or(facts.subject.as_str(), |(end, _)| {
        facts.subject.get(..end).unwrap_or_default()
    });
    Some(Arc::from(kept))
}

/// Whether the client chose HTTP/2.
pub fn chose_h2<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(H2)
}

fn failure(error: &io::Error) -> Handshake {
    let told = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match told {
        Some(Error::NoCertificatesPresented | Error::InvalidCertificate(_)) => {
            Handshake::ClientCertificate
        }
        Some(Error::AlertReceived(
            AlertDescription::CloseNotify | AlertDescription::UserCanceled,
        )) => Handshake::HungUp,
        Some(Error::AlertReceived(_)) => Handshake::Refused,
        Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => Handshake::Incompatible,
        Some(Error::InvalidMessage(_)) => Handshake::NotTls,
        Some(_) => Handshake::Broken,
        None if error.kind() == io::ErrorKind::TimedOut => Handshake::Timeout,
        None => Handshake::HungUp,
    }
}
