//! From bytes to the canonical form. It takes what hosts and clients really send, and refuses only what has
//! no meaning at all.

use std::borrow::Cow;

use crate::json::Node;

mod call;
mod messages;
mod parts;
pub(super) mod reply;
pub(super) mod request;
mod settings;
pub(super) mod stream;
mod tools;

/// The text of a member that is a string with something in it: hosts write `""` for null.
pub(super) fn said<'a>(node: Node<'a>, key: &str) -> Option<Cow<'a, str>> {
    full(node.get(key)?)
}

/// The text of a string with something in it.
pub(super) fn full(node: Node<'_>) -> Option<Cow<'_, str>> {
    node.text().filter(|t| !t.is_empty())
}
