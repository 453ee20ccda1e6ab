//! The data plane (floor 3): every model call's whole life, from the accepted connection to its settled row.
//!
//! The walk, in order: [`listen`](self) → surface → authenticate → admit → body → pipeline (head → route →
//! guard → plan → reserve → attempt → relay) → settle. Order is decided in `pipeline.rs` and nowhere else.
//!
//! Invariants: only `upstream/` dials a provider; only `write.rs` writes to a client or a provider, and it
//! takes `Cleared<T>`; an exchange that was admitted is settled exactly once, by `settle.rs`, also when
//! its future is dropped or a step panics.

mod admit;
mod answer;
mod attempt;
mod authenticate;
mod body;
mod clock;
mod commit;
mod control;
mod count;
mod cut;
mod detach;
mod drain;
mod end;
mod entry;
mod exchange;
mod failed;
mod flow;
mod guard;
mod head;
mod listen;
mod live;
mod models;
mod network;
mod objects;
mod opening;
mod patience;
mod pipeline;
mod plan;
mod probe;
mod relay;
mod reserve;
mod route;
mod settle;
mod shared;
mod start;
pub mod tls;
mod translate;
mod upstream;
mod usage;
mod write;

pub use clock::{SystemClock, SystemEntropy};
pub use control::{ControlHandle, KeyEntry, Standing, Status};
pub use drain::Drain;
pub use network::client_network;
pub use probe::Step;
pub use start::{Deps, Running, StartError, start};
pub use upstream::{Resolve, SystemResolver};
