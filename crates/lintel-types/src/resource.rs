//! Provider-side objects and whose they are: a file, batch or stored response is reachable only
//! through the row that was written when it was made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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

impl ResourceKind {
    /// The name in JSON, errors and the store.
    pub const fn name(self) -> &'static str {
        match self {
            ResourceKind::File => "file",
            ResourceKind::Batch => "batch",
            ResourceKind::Response => "response",
            ResourceKind::Item => "item",
            ResourceKind::Container => "container",
            ResourceKind::Conversation => "conversation",
            ResourceKind::VectorStore => "vector_store",
            ResourceKind::CachedContent => "cached_content",
        }
    }
}

/// An object that an attempt made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Made {
    /// What it is.
    pub kind: ResourceKind,
    /// The provider's id for it.
    pub id: Arc<str>,
}

/// Where an object of a tenant's lives: what its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRef {
    /// The account: calls about the object stick to it and never fail over.
    pub provider: Arc<str>,
    /// The model that made it.
    pub model: Arc<str>,
}
