//! Whom a connection leads to, and how: everything that decides what a connection is.
//!
//! Two connections are alike exactly when their peers have one [`PeerId`], so a pool is keyed by it: what was
//! opened for another configuration is never used for this one. Secrets count towards the id and are in no text.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use lintel_wire::provider::PrivateAddresses;

use crate::base_url::BaseUrl;
use crate::certificate::Shown;
use crate::proxy::Proxy;
use crate::reach::is_local_name;
use crate::secret::Secret;

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
    /// The proxy on the way to it.
    pub proxy: Option<Proxy>,
    /// What is kept open. Not in the id: a connection is as good under other settings.
    pub pool: PoolSettings,
}

/// The connections to a peer that each worker thread keeps open between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// Unused ones that are opened ahead of calls.
    pub warm: usize,
    /// Unused ones at most.
    pub keep: usize,
    /// The longest that one waits unused.
    pub idle: Duration,
    /// The oldest that one gets.
    pub max_age: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            warm: 0,
            keep: 1_024,
            idle: Duration::from_secs(50),
            max_age: Duration::from_secs(600),
        }
    }
}

/// How a peer is reached. Whatever isn't said is the usual way.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// What TLS is made of.
    pub tls: TlsMaterial,
    /// Whether its name may lead to private addresses; unsaid, the name decides.
    pub private: Option<PrivateAddresses>,
    /// The proxy on the way to it.
    pub proxy: Option<Proxy>,
    /// What is kept open.
    pub pool: PoolSettings,
}

impl Peer {
    /// A peer of `provider` at `base`.
    pub fn new(provider: &Arc<str>, base: BaseUrl, reach: Reach) -> Self {
        let Reach {
            tls,
            private,
            proxy,
            pool,
        } = reach;
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
        if let Some(proxy) = &proxy {
            feed(proxy.place.authority.as_bytes());
            let authorization = proxy.authorization.as_ref();
            feed(authorization.map_or("", Secret::expose).as_bytes());
        }
        let digest: [u8; 32] = digest.finalize().into();
        let half = digest.iter().take(16);
        Self {
            id: PeerId(half.fold(0, |id, byte| id << 8 | u128::from(*byte))),
            provider: Arc::clone(provider),
            base,
            tls: Arc::new(tls),
            private,
            proxy,
            pool,
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
            .field("proxy", &self.proxy)
            .field("pool", &self.pool)
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
    /// Of the certificate in it.
    pub(crate) own: Option<Shown>,
    /// The files that all of it was read from: a change of one is a reason to reload.
    pub files: Vec<PathBuf>,
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

    fn peer(provider: &str, url: &str, tls: u8, proxy: Option<&str>) -> PeerId {
        let reach = Reach {
            tls: TlsMaterial {
                id: [tls; 32],
                ..TlsMaterial::default()
            },
            proxy: proxy.map(|url| Proxy::parse(url).unwrap()),
            ..Reach::default()
        };
        Peer::new(&Arc::from(provider), BaseUrl::parse(url).unwrap(), reach).id
    }

    #[test]
    fn whatever_decides_the_connection_tells_peers_apart() {
        let all = [
            peer("a", "https://x/v1", 0, None),
            peer("b", "https://x/v1", 0, None),
            peer("a", "http://x:443/v1", 0, None),
            peer("a", "https://x:444/v1", 0, None),
            peer("a", "https://y/v1", 0, None),
            peer("a", "https://x/v1", 1, None),
            peer("a", "https://x/v1", 0, Some("proxy:1")),
            peer("a", "https://x/v1", 0, Some("proxy:2")),
            peer("a", "https://x/v1", 0, Some("u:p@proxy:2")),
            peer("a", "https://x/v1", 0, Some("u:q@proxy:2")),
        ];
        let distinct: std::collections::HashSet<PeerId> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(
            peer("a", "https://x/v1", 0, None),
            peer("a", "https://x/v2", 0, None),
            "the path is the request's"
        );
    }
}
