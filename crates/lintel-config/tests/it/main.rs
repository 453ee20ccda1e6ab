//! What a configuration may say, and what is said about one that may not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test panics; the lints' own exemption for tests stops at helper functions"
)]

mod connections;
mod defaults;
mod examples;
mod imports;
mod places;
mod problems;
mod reference;
mod renames;
mod resolved;
mod support;
