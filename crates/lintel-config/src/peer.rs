//! Whom a connection leads to, and how: everything that decides what a connection is.
//!
//! Two connections are alike exactly when their peers have one [`PeerId`], so a pool is keyed by it: what was
//! opened for another configuration is never used for this one. Secrets count towards the id and are in no text.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use lintel_wire::provider::PrivateAddresses;

use crate::base_url::BaseUrl;
use crate::reach::is_local_name;

/// What tells peers apart: the first half of a SHA-256 over all that decides the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerId(u128);

/// Whom a connection leads to, and how.
#[derive(Clone)]
pub struct Peer {
    /// What tells it apart.
    pub id: PeerId,
    /// The provider on whose behalf it is dialled.
    pub provider: Arc<str>,
    /// Where it is.
    pub base: BaseUrl,
    /// What TLS is made of; used over `https` only.
    pub tls: Arc<TlsMaterial>,
    /// Whether its name may lead to private addresses.
    pub private: bool,
}

impl Peer {
    /// A peer of `provider` at `base`. `private` says whether its name may lead to private addresses; unsaid, the
    /// name decides.
    pub fn new(
        provider: &Arc<str>,
        base: BaseUrl,
        tls: TlsMaterial,
        private: Option<PrivateAddresses>,
    ) -> Self {
        let private = match private {
            Some(said) => said == PrivateAddresses::Allow,
            None => is_local_name(&base.host),
        };
        let mut digest = Sha256::new();
        // Lengths keep neighbours apart: no two different peers feed the same bytes.
        let mut feed = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        feed(provider.as_bytes());
        feed(&[u8::from(base.https)]);
        feed(base.authority.as_bytes());
        feed(&tls.id);
        feed(&[u8::from(private)]);
        let digest: [u8; 32] = digest.finalize().into();
        let half = digest.iter().take(16);
        Self {
            id: PeerId(half.fold(0, |id, byte| id << 8 | u128::from(*byte))),
            provider: Arc::clone(provider),
            base,
            tls: Arc::new(tls),
            private,
        }
    }
}

/// Shows what a configuration's hash may cover: neither the id nor anything of the client's certificate, which
/// is a credential; so a rotated one is the same configuration.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("provider", &self.provider)
            .field("base", &self.base)
            .field("tls", &self.tls)
            .field("private", &self.private)
            .finish()
    }
}

/// What TLS to a peer is made of.
#[derive(Clone, Default)]
pub struct TlsMaterial {
    /// SHA-256 of the certificates and the key; zeros when there is nothing but this machine's trust store.
    pub id: [u8; 32],
    /// Who may vouch for the peer; none: this machine's trust store says.
    pub roots: Option<Arc<RootCertStore>>,
    /// SHA-256 of `roots`' certificates.
    pub(crate) roots_id: Option<[u8; 32]>,
    /// What the peer is shown.
    pub identity: Option<Arc<CertifiedKey>>,
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("roots", &self.roots_id)
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(provider: &str, url: &str, tls: u8) -> PeerId {
        let tls = TlsMaterial {
            id: [tls; 32],
            ..TlsMaterial::default()
        };
        Peer::new(
            &Arc::from(provider),
            BaseUrl::parse(url).unwrap(),
            tls,
            None,
        )
        .id
    }

    #[test]
    fn whatever_decides_the_connection_tells_peers_apart() {
        let all = [
            peer("a", "https://x/v1", 0),
            peer("b", "https://x/v1", 0),
            peer("a", "http://x:443/v1", 0),
            peer("a", "https://x:444/v1", 0),
            peer("a", "https://y/v1", 0),
            peer("a", "https://x/v1", 1),
        ];
        let distinct: std::collections::HashSet<PeerId> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(
            peer("a", "https://x/v1", 0),
            peer("a", "https://x/v2", 0),
            "the path is the request's"
        );
    }
}
