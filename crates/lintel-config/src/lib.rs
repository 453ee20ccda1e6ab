//! YAML to a validated configuration to a [`Snapshot`] (floor 2), all errors at once.
//!
//! Three stages, in this order: the text becomes a tree with positions (`document`), the tree is held
//! against the JSON Schema that the structs themselves generate (`shape`), and what stands is resolved
//! (providers, routes, prices, tenants). Every stage reports all it finds, at line and column.
//!
//! Invariant: nothing here dials, listens or writes; environment and files are arguments. No message
//! repeats a secret.

mod address;
pub mod base_url;
mod bounds;
pub mod credential;
mod decode;
mod defaults;
mod document;
mod fingerprint;
mod load;
mod names;
mod nearest;
mod path;
pub mod peer;
mod prices;
mod problem;
mod providers;
pub mod raw;
mod routes;
mod schema;
pub mod secret;
mod shape;
mod snapshot;
mod tenants;

pub use address::Address;
pub use base_url::BaseUrl;
pub use credential::{Credential, ServiceAccount};
pub use defaults::defaults;
pub use load::{Loaded, load};
pub use peer::{Peer, PeerId};
pub use problem::{Problem, Problems};
pub use raw::{Durability, LogLevel};
pub use schema::{price_file_schema, schema};
pub use secret::Secret;
pub use snapshot::{DeclaredProject, DeclaredTenant, Limits, LogConfig, Provider, Snapshot};
