//! JSON by reference: validate a document once, then look at spans of it. Nothing is copied or rebuilt.
//!
//! [`parse`] accepts exactly RFC 8259 over valid UTF-8, with two refusals more: an object may not name
//! a key twice (two parsers would see two requests), and nesting is capped. Errors carry the JSON path
//! and the byte offset. Long strings are skipped at memory speed, because a 200 KB prompt is one string.

mod error;
mod node;
mod scan;
pub mod write;

pub use error::{JsonError, MAX_DEPTH, Problem};
pub use node::{Kind, Member, Node};
pub use scan::{Watch, parse, parse_object, parse_object_watching};
