//! The audit log's front door: every administrative change goes through it before it takes effect.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::time::Timestamp;

/// One administrative action. `before` and `after` are JSON without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a token's name or `config`.
    pub actor: Arc<str>,
    /// What was done: `key.create`, `key.revoke`, `tenant.create`, `config.reload`.
    pub action: Arc<str>,
    /// To what: the object's id.
    pub object: Arc<str>,
    /// The tenant concerned, if one is.
    pub tenant: Option<Arc<str>>,
    /// The object before, as JSON.
    pub before: Option<String>,
    /// The object after, as JSON.
    pub after: Option<String>,
}

/// Where audit entries go. Appending fails closed: an action whose entry can't be written doesn't happen.
pub trait AuditSink: Send + Sync {
    /// Appends `entry` durably.
    fn append(&self, entry: &AuditEntry) -> Result<(), Error>;
}
