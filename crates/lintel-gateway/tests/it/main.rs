//! The data plane with its real journal, before the sandbox or servers on loopback: every way in which a call can
//! end is settled once, and tokens are fetched when they are needed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a failure here is a failing test"
)]

mod certificates;
mod clocks;
mod encrypted;
mod ends;
mod floods;
mod frames;
mod http2;
mod names;
mod pki;
mod plane;
mod pools;
mod proxies;
mod proxy;
mod server;
mod signing;
mod slow;
mod tls;
mod tokens;
