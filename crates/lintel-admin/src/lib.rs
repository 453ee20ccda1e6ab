//! The control API (floor 4): what administrators and their scripts read and change, on the admin listener.
//!
//! ```text
//! serve ── connection ──▶ routes ── auth ── perform ──▶ a row of operations: keys · tenants · usage · … ──▶ stores, data plane
//!                            └────────────▶ signs of life (/healthz, /readyz, /metrics), without a token
//! ```
//!
//! Never on the data path: it reads the stores, and changes the data plane only through
//! [`DataPlane`] and [`Reload`]. Handlers are thin: they take a typed call and return an answer; what holds for all of them is in `perform`. Whatever may wait for a file
//! runs on a worker thread. Every refusal is an RFC 9457 problem.
//! Invariant: no answer but the one that creates a key holds a secret.

mod answer;
mod apply;
mod audit;
mod auth;
mod backups;
mod codes;
mod config;
mod exchange_view;
mod exchanges;
mod extract;
pub mod instant;
mod key_view;
mod keyring;
mod keys;
pub mod mint;
mod openapi;
mod operation;
mod operations;
mod page;
mod perform;
mod plane;
pub mod port;
mod problem;
mod projects;
#[cfg(test)]
mod reference;
mod registry;
mod reload;
mod repeat;
mod roles;
mod routes;
pub mod serve;
mod signs;
mod state;
mod status;
mod store;
mod tenants;
mod throttle;
mod token;
mod tokens;
mod usage;
mod words;

pub use codes::Code;
pub use keyring::{Keyring, entries};
pub use openapi::document as openapi;
pub use plane::DataPlane;
pub use problem::{Fault, Problem};
pub use reload::{Kept, Refused, Reload, Reloaded};
pub use roles::{Permission, Role};
pub use routes::router;
pub use state::Deps;
pub use token::AdminToken;
