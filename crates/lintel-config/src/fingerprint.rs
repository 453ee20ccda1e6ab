//! The configuration's hash: which configuration decided. Carried by every row of the ledger.
//!
//! It covers everything that was resolved: defaults, host rows and prices too, so that the same file
//! under another build with other defaults has another hash. Secret values are not in it (their
//! `Debug` is `***`): a rotated credential is the same configuration.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::snapshot::Snapshot;

/// First 16 hexadecimal digits of the SHA-256 of `snapshot`, whose own `hash` is ignored.
pub(crate) fn hash(snapshot: &Snapshot) -> Arc<str> {
    // Every field is named, so that a new one can't be forgotten.
    let Snapshot {
        hash: _,
        listen,
        tls,
        admin,
        admin_tls,
        store,
        durability,
        node,
        limits,
        routes,
        providers,
        prices,
        unknown_model,
        tenants,
        log,
        // What it was compiled from: the same thing in other words.
        resolved: _,
        upkeep,
    } = snapshot;
    let mut routes: Vec<_> = routes.iter().collect();
    routes.sort_by_key(|(name, _)| *name);
    let resolved = (
        (listen, tls, admin, admin_tls, store, durability, node),
        (limits, routes, providers, unknown_model),
        (prices, tenants, log, upkeep),
    );
    let digest = Sha256::digest(format!("{resolved:?}"));
    let mut text = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    Arc::from(text)
}
