//! The data plane with its real journal and the sandbox: every way in which a call can end is settled once.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure here is a failing test"
)]

mod ends;
mod plane;
