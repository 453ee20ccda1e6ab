//! Fuzz targets (beside the house): each a plain function over bytes that panics when a law is broken.
//!
//! ```text
//! seeds (recorded calls, corpus/) ── Mutator ──▶ Target::run    in `make test`, the same inputs every time
//!                                 ── libFuzzer ─▶ Target::run    in `make fuzz`, guided by coverage
//! ```
//!
//! A target must not know who calls it, the clock, or the target before it. Invariant: a target asserts laws
//! (agreement of two readers, round trips, bounds), for "it did not panic" alone is no law.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target tells what it found by panicking"
)]

mod corpus;
mod laws;
mod mutate;
mod pieces;
mod target;
mod targets;

pub use corpus::{folder, seeds};
pub use mutate::Mutator;
pub use target::{TARGETS, Target, by_name};
