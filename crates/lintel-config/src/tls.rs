//! TLS of a listener: as written, and as what a handshake needs.
//!
//! The files are read when the configuration is, so a new pair comes into force as every other change does:
//! whole, at a reload, or not at all. Invariant: what stands here has been tried: the key is the certificate's,
//! and clients can be held against their authority.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certificate::{self, Facts, Shown};
use crate::path::Path;
use crate::problem::Report;
use crate::providers::Sources;

/// TLS of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, the listener's own certificate first: PEM, `file:/path`.
    pub cert: String,
    /// Its private key: PEM without a passphrase, `file:/path` or `"${NAME}"`.
    pub key: String,
    /// The authorities whose client certificates are taken: PEM, `file:/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<String>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// They aren't asked.
    #[default]
    Off,
    /// They are asked; one that is shown must be good.
    Optional,
    /// Without a good one there is no connection.
    Required,
}

/// What a listener's handshakes need.
#[derive(Clone)]
pub struct ServerTls {
    /// What rustls serves with.
    pub server: Arc<ServerConfig>,
    /// The files that it was read from: a change of one is a reason to reload.
    pub files: Vec<PathBuf>,
    written: TlsConfig,
    pub(crate) own: Shown,
}

impl fmt::Debug for ServerTls {
    /// As written: a renewed certificate is the same configuration, and has the same hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl ServerTls {
    /// Of the listener's own certificate.
    pub fn facts(&self) -> &Facts {
        &self.own.facts
    }
}

/// Reads what `raw`, which stands at `at`, names. `protocols` are offered by ALPN, the first one first.
pub(crate) fn resolve(
    raw: &TlsConfig,
    at: &Path,
    protocols: &[&[u8]],
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Arc<ServerTls>> {
    let chain = certificate::read(
        &raw.cert,
        &at.key("cert"),
        sources,
        report,
        certificate::certificates,
    );
    let key = certificate::read(
        &raw.key,
        &at.key("key"),
        sources,
        report,
        certificate::private_key,
    );
    let clients = clients(raw, at, sources, report);
    let (chain, key, clients) = (chain?, key?, clients?);
    let facts = chain.first().and_then(|own| certificate::facts(own).ok())?;
    odd(&facts, &at.key("cert"), report);
    let built = server(chain, key, clients, protocols);
    let server = built
        .map_err(|why| report.problem(&at.key("key"), certificate::unfit(&why)))
        .ok()?;
    let named = [Some(&raw.cert), Some(&raw.key), raw.client_ca.as_ref()];
    Some(Arc::new(ServerTls {
        server: Arc::new(server),
        files: certificate::files(named),
        written: raw.clone(),
        own: Shown {
            facts,
            place: report.place(&at.key("cert")),
        },
    }))
}

/// How clients are held against their authority; the outer none is a problem, the inner one that they aren't.
fn clients(
    raw: &TlsConfig,
    at: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Option<Arc<dyn ClientCertVerifier>>> {
    let place = at.key("client_ca");
    let Some(text) = &raw.client_ca else {
        if raw.client_auth == ClientAuth::Off {
            return Some(None);
        }
        report.problem(at, "`client_ca` is missing: name the authorities whose client certificates are taken, or turn `client_auth` off");
        return None;
    };
    let clients = certificate::read(text, &place, sources, report, certificate::authorities)?;
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(clients.roots), provider);
    let builder = match raw.client_auth {
        ClientAuth::Off => {
            report.warn(
                &place,
                "no client is asked for a certificate: set `client_auth`, or remove this",
            );
            return Some(None);
        }
        ClientAuth::Optional => builder.allow_unauthenticated(),
        ClientAuth::Required => builder,
    };
    builder
        .build()
        .map_err(|why| report.problem(&place, why))
        .ok()
        .map(Some)
}

fn server(
    chain: Vec<CertificateDer<'static>>,
    key: rustls::pki_types::PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    protocols: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    // A client that comes back resumes by its ticket: nothing is kept here for it. New keys at each reading.
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

/// Warns of what a listener can serve but clients refuse.
fn odd(facts: &Facts, at: &Path, report: &mut Report<'_>) {
    let subject = &facts.subject;
    if facts.is_ca {
        report.warn(at, format!("`{subject}` is an authority's certificate, which many clients refuse as a server's: issue one of its own for the listener"));
    }
    if !facts.names_hosts {
        report.warn(at, format!("`{subject}` names no host in its subject alternative names, and clients look nowhere else"));
    }
}
