//! Objects of which some members have a word in the canonical form: the others are kept as an extra, and both
//! are put together again when the request is written.

use lintel_types::canon::{At, Extra, RawJson, Request};

use crate::json::write::{self, Object};
use crate::json::{self, Node};
use crate::provider::BEDROCK;

/// The extra `key` for the members of `object` that aren't `known`; none when nothing is left.
pub(super) fn extra(key: &str, object: Node<'_>, known: &[&str]) -> Option<Extra> {
    let mut rest = object
        .members()
        .filter(|(k, _)| !known.contains(&&**k))
        .peekable();
    rest.peek()?;
    let mut text = String::new();
    write::object(&mut text, |o| {
        rest.for_each(|(key, value)| {
            o.raw(&key, value.raw());
        });
    });
    Some(Extra {
        key: key.to_owned(),
        at: At::new("$").key(key),
        protocol: BEDROCK,
        value: RawJson::new(text),
    })
}

/// The extras of our own protocol.
pub(super) fn own(request: &Request) -> impl Iterator<Item = &Extra> {
    request.extras.iter().filter(|e| e.protocol == BEDROCK)
}

/// Writes the member `key`: what `fill` writes, and what was kept of it. Nothing when that is nothing.
pub(super) fn member(
    o: &mut Object<'_>,
    request: &Request,
    key: &str,
    fill: impl FnOnce(&mut Object<'_>),
) {
    let mut text = String::new();
    write::object(&mut text, |o| {
        fill(o);
        let kept = own(request).find(|e| e.key == key);
        let kept = kept.and_then(|e| json::parse(e.value.as_str().as_bytes()).ok());
        for (key, value) in kept.iter().flat_map(Node::members) {
            o.raw(&key, value.raw());
        }
    });
    if text != "{}" {
        o.raw(key, &text);
    }
}
