//! From the canonical form to bytes. What can't be said is named, never guessed.

mod calls;
mod ids;
mod messages;
mod parts;
pub(super) mod reply;
pub(super) mod request;
mod settings;
pub(super) mod stream;
mod tools;
mod usage;
