//! The benchmark's certificates, and TLS as both of its own ends speak it.

mod ends;
mod make;

pub use ends::{CA, CERT, KEY, client, server};
pub use make::make;
