//! TLS to providers: rustls over ring; this machine's trust store, or the certificates that the provider's
//! configuration names in its place.
//!
//! A client configuration is made once for what it is made of, away from the threads that serve calls, and is
//! shared by all of them: sessions are resumed whichever thread began them. At a reload the trust store is read
//! anew, and what nothing refers to any more is forgotten.

mod fault;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_config::peer::TlsMaterial;
use parking_lot::Mutex;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

pub(super) use fault::Fault;

/// What providers are asked to speak. HTTP/2 would put many calls into one connection, and one stalled client
/// in the way of all the others: it isn't offered.
const SPOKEN: &[u8] = b"http/1.1";

/// The client configurations in use.
#[derive(Default)]
pub(crate) struct Trust {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// This machine's trust store, once something has needed it.
    machine: Option<Machine>,
    /// By [`TlsMaterial::id`].
    made: HashMap<[u8; 32], Arc<ClientConfig>>,
}

struct Machine {
    certificates: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// The configuration for `tls`. The first for it is made on a thread that may block.
    pub(super) async fn of(
        self: &Arc<Self>,
        tls: &Arc<TlsMaterial>,
    ) -> io::Result<Arc<ClientConfig>> {
        // `try_lock`: a renewal reads files under the lock, and a thread that serves calls doesn't wait for that.
        if let Some(inner) = self.inner.try_lock()
            && let Some(made) = inner.made.get(&tls.id)
        {
            return Ok(Arc::clone(made));
        }
        let (this, tls) = (Arc::clone(self), Arc::clone(tls));
        let made = tokio::task::spawn_blocking(move || this.inner.lock().client(&tls));
        made.await.map_err(io::Error::other)?
    }

    /// Follows a reload: the trust store is read anew if it is in use, what providers of `snapshot` will need is
    /// made, the rest is forgotten. Reads files.
    pub(crate) fn renew(&self, snapshot: &Snapshot) {
        let peers = snapshot.peers().filter(|p| p.base.https);
        let wanted: Vec<_> = peers.map(|p| &p.tls).collect();
        let mut inner = self.inner.lock();
        inner.refresh();
        inner
            .made
            .retain(|id, _| wanted.iter().any(|tls| tls.id == *id));
        for tls in wanted {
            // Without a trust store the first call says so; nothing is in its way before.
            let _ = inner.client(tls);
        }
    }
}

impl Inner {
    fn client(&mut self, tls: &TlsMaterial) -> io::Result<Arc<ClientConfig>> {
        if let Some(made) = self.made.get(&tls.id) {
            return Ok(Arc::clone(made));
        }
        let roots = match &tls.roots {
            Some(roots) => Arc::clone(roots),
            None => self.machine()?,
        };
        let verified = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots);
        let mut config = match &tls.identity {
            Some(identity) => {
                let shown = SingleCertAndKey::from(Arc::clone(identity));
                verified.with_client_cert_resolver(Arc::new(shown))
            }
            None => verified.with_no_client_auth(),
        };
        config.alpn_protocols = vec![SPOKEN.to_vec()];
        let config = Arc::new(config);
        self.made.insert(tls.id, Arc::clone(&config));
        Ok(config)
    }

    fn machine(&mut self) -> io::Result<Arc<RootCertStore>> {
        if let Some(machine) = &self.machine {
            return Ok(Arc::clone(&machine.roots));
        }
        let machine = self.machine.insert(Machine::read()?);
        Ok(Arc::clone(&machine.roots))
    }

    /// Reads the trust store again. If it has changed, nothing that was made with it is used for new connections.
    fn refresh(&mut self) {
        let Some(before) = &self.machine else { return };
        // One that can't be read for a moment is no reason to trust nobody.
        let Ok(now) = Machine::read() else { return };
        if now.certificates != before.certificates {
            self.machine = Some(now);
            self.made.clear();
        }
    }
}

impl Machine {
    fn read() -> io::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _unusable) = roots.add_parsable_certificates(found.certs.iter().cloned());
        if added == 0 {
            let text = "no trusted certificates on this machine: install its ca-certificates package, or name the provider's in `tls.ca`";
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        Ok(Self {
            certificates: found.certs,
            roots: Arc::new(roots),
        })
    }
}
