//! Which keys are in force: those of the control store, and those that live in this process alone.
//!
//! Decides how a stored key becomes what the data plane knows of it: a key may name no route that its
//! project may not. Reading and putting in force happen under one lock, so that of two changes at the
//! same moment the later one stays.

use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_gateway::{KeyEntry, Standing};
use lintel_store::{Control, KeyState, StoreError, StoredSecret};
use lintel_types::{Principal, RouteAccess};
use parking_lot::Mutex;

use crate::plane::DataPlane;

/// Puts keys in force.
pub struct Keyring {
    control: Control,
    plane: Arc<dyn DataPlane>,
    fixed: Vec<KeyEntry>,
    publishing: Mutex<()>,
}

impl Keyring {
    /// The keys of `control` and `fixed`, which live as long as the process, for `plane`.
    pub fn new(control: Control, plane: Arc<dyn DataPlane>, fixed: Vec<KeyEntry>) -> Self {
        Self {
            control,
            plane,
            fixed,
            publishing: Mutex::new(()),
        }
    }

    /// Puts the keys that the store holds now in force. Call it after every change of keys or configuration.
    ///
    /// # Errors
    /// When the store can't be read: the keys before stay in force.
    pub fn publish(&self) -> Result<(), StoreError> {
        let _alone = self.publishing.lock();
        let keys = entries(&self.control, &self.plane.snapshot())?;
        self.plane
            .set_keys(keys.into_iter().chain(self.fixed.iter().cloned()).collect());
        Ok(())
    }
}

impl Keyring {
    /// Writes down when keys were last used. To be called every minute or so, and at the end; what can't be written is
    /// written the next time.
    pub fn note_used(&self) {
        let _ = self.control.note_used(&self.plane.keys_used());
    }
}

/// What the data plane should know of every stored key under `snapshot`. Revoked keys are among them,
/// so that their holders are told so.
///
/// # Errors
/// When the store can't be read.
pub fn entries(control: &Control, snapshot: &Snapshot) -> Result<Vec<KeyEntry>, StoreError> {
    let stored = control.secrets()?.into_iter();
    let entry = |secret: StoredSecret| KeyEntry {
        hash: secret.hash,
        principal: within(secret.principal, snapshot),
        standing: match secret.state {
            KeyState::Active => Standing::Active,
            KeyState::Disabled => Standing::Disabled,
            KeyState::Revoked => Standing::Revoked,
        },
        ends: secret.expires,
        used: secret.used,
    };
    Ok(stored.map(entry).collect())
}

/// `principal` with no route that its project may not name.
fn within(principal: Principal, snapshot: &Snapshot) -> Principal {
    let tenant = snapshot
        .tenants
        .iter()
        .find(|tenant| tenant.name == principal.tenant);
    let project = tenant.and_then(|tenant| {
        tenant
            .projects
            .iter()
            .find(|project| project.name == principal.project)
    });
    let Some(allowed) = project.and_then(|project| project.routes.as_deref()) else {
        return principal;
    };
    let routes = allowed
        .iter()
        .filter(|route| principal.routes.allows(route))
        .map(Arc::clone)
        .collect();
    Principal {
        routes: RouteAccess::Only(routes),
        ..principal
    }
}
