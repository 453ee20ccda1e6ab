//! Provider-side objects and whose they are: a file, batch or stored response is reachable only
//! through the row that was written when it was made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What lives at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// An uploaded file.
    File,
    /// A batch of calls.
    Batch,
    /// A stored response, as `previous_response_id` names it.
    Response,
    /// An item of a stored response, as `item_reference` names it.
    Item,
    /// A conversation that responses are added to.
    Conversation,
    /// A code-execution container.
    Container,
    /// A store of embedded files that a search tool reads.
    VectorStore,
    /// Content that was cached under a name.
    CachedContent,
}

/// The row that makes an external id reachable, for one tenant, at one credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// What it is.
    pub kind: ResourceKind,
    /// The provider's id for it.
    pub external_id: Arc<str>,
    /// Whose it is.
    pub tenant: Arc<str>,
    /// Where it lives.
    pub provider: Arc<str>,
    /// Which credential made it: calls about it stick to that one and never fail over.
    pub credential: Arc<str>,
    /// When it was made.
    pub made: Timestamp,
}
