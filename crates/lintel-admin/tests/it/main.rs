//! The control API over a real store and a data plane that only remembers what it was told.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it saw by failing"
)]

mod auth;
mod backups;
mod bench;
mod exchanges;
mod keys;
mod manners;
mod reload;
mod repeats;
mod tags;
mod tokens;
