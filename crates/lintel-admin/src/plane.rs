//! What the control API may tell and ask the data plane: three things, behind a trait so that
//! handlers are tested without a gateway.

use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_gateway::{ControlHandle, KeyEntry, Status};

/// The data plane as the control API sees it.
pub trait DataPlane: Send + Sync {
    /// Puts `keys` in force, all at once, in place of those before.
    fn set_keys(&self, keys: Vec<KeyEntry>);
    /// The configuration in force.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Whether it takes calls, and how many it holds.
    fn status(&self) -> Status;
}

impl DataPlane for ControlHandle {
    fn set_keys(&self, keys: Vec<KeyEntry>) {
        ControlHandle::set_keys(self, keys);
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        ControlHandle::snapshot(self)
    }

    fn status(&self) -> Status {
        ControlHandle::status(self)
    }
}
