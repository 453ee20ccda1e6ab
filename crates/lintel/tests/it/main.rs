//! Black-box tests: the real binary on port 0, a scripted provider behind it, a raw client before it.
//!
//! Each test asserts bytes, headers, call log, ledger and metrics together. Nothing here links the
//! product's crates: what can't be seen from outside isn't promised. Every wait has a bound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says what it saw by failing"
)]

mod harness;

mod abuse;
mod bad_answers;
mod bad_http;
mod bad_requests;
mod bad_upstreams;
mod caps;
mod clouds;
mod configs;
mod cut;
mod disk_full;
mod ends;
mod errors;
mod examples;
mod headers;
mod keys;
mod kill;
mod life;
mod limits;
mod objects;
mod packaging;
mod paths;
mod pressure;
mod reload;
mod retries;
mod self_check;
mod soak;
mod store;
mod surfaces;
mod tenants;
mod translation;
mod transport;
mod upgrade;
