//! What the control API may tell and ask the data plane: three things, behind a trait so that
//! handlers are tested without a gateway.

use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_gateway::{ControlHandle, KeyEntry, Status};
use lintel_types::Timestamp;

/// The data plane as the control API sees it.
pub trait DataPlane: Send + Sync {
    /// Puts `keys` in force, all at once, in place of those before.
    fn set_keys(&self, keys: Vec<KeyEntry>);
    /// When each key's text was last accepted, by hash.
    fn keys_used(&self) -> Vec<([u8; 32], Timestamp)>;
    /// Calls under way of the tenant's keys.
    fn calls_of(&self, tenant: &str) -> usize;
    /// The configuration in force.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Whether it takes calls, and how many it holds.
    fn status(&self) -> Status;
}

impl DataPlane for ControlHandle {
    fn set_keys(&self, keys: Vec<KeyEntry>) {
        ControlHandle::set_keys(self, keys);
    }

    fn keys_used(&self) -> Vec<([u8; 32], Timestamp)> {
        ControlHandle::keys_used(self)
    }

    fn calls_of(&self, tenant: &str) -> usize {
        ControlHandle::calls_of(self, tenant)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        ControlHandle::snapshot(self)
    }

    fn status(&self) -> Status {
        ControlHandle::status(self)
    }
}
