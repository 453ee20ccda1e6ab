//! YAML to a validated configuration to a [`Snapshot`] (floor 2), all errors at once.
//!
//! Three stages, in this order: the text becomes a tree with positions (`document`), the tree is held
//! against the JSON Schema that the structs themselves generate (`shape`), and what stands is resolved
//! (providers, routes, prices, tenants). Every stage reports all it finds, at line and column.
//!
//! Invariant: nothing here dials, listens or writes; environment and files are arguments. No message
//! repeats a secret.

mod address;
pub mod apply;
pub mod base_url;
mod bounds;
pub mod certificate;
pub mod credential;
mod decode;
mod defaults;
mod document;
mod fingerprint;
pub mod import;
mod load;
mod migrate;
mod names;
mod nearest;
mod path;
pub mod peer;
mod prices;
mod problem;
mod providers;
pub mod proxy;
pub mod raw;
pub mod reach;
pub mod renames;
mod resolved;
mod routes;
mod schema;
pub mod secret;
mod shape;
mod share;
mod snapshot;
mod tenants;
mod tls;
mod upkeep;
mod yaml_out;

pub use address::{Address, AdminAddress};
pub use base_url::BaseUrl;
pub use credential::{Credential, ServiceAccount};
pub use defaults::defaults;
pub use load::{Loaded, load, written};
pub use migrate::{Change, Migrated, migrate, migrate_by};
pub use peer::{Peer, PeerId, Reach};
pub use problem::{Problem, Problems};
pub use proxy::Proxy;
pub use raw::{Durability, LogFormat, LogLevel};
pub use resolved::{SecretAt, as_yaml, differences, secrets, with_comments};
pub use schema::{price_file_schema, schema};
pub use secret::Secret;
pub use share::Share;
pub use snapshot::{DeclaredProject, DeclaredTenant, Limits, LogConfig, Provider, Snapshot};
pub use tls::{ClientAuth, ServerTls, TlsConfig};
pub use upkeep::{Kept, Upkeep};
