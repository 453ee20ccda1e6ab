//! Surfaces, providers and framing (floor 1): bytes in, values out.
//!
//! Invariant: nothing here knows sockets, tokio, clocks or random sources, and nothing is
//! re-serialised when both sides speak the same protocol: requests are edited in place by spans,
//! answers are only looked at.

pub mod aws_events;
pub mod capability;
pub mod dialect;
pub mod framing;
pub mod headers;
pub mod hosts;
pub mod json;
pub mod models;
pub mod percent;
pub mod provider;
pub mod resources;
pub mod sandbox;
pub mod scrub;
pub mod sigv4;
pub mod sse;
pub mod surface;
