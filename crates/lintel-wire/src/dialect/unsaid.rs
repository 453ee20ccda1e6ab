//! What stands inside a tool and has no canonical word: it becomes an extra, so that it is named when it is left out.
//!
//! Such an extra's key is a path with a dot (`tools[0].defer_loading`): no writer has a place for it, every writer names
//! it. It must not know what the members mean.

use lintel_types::Protocol;
use lintel_types::canon::{At, Extra, RawJson};

use crate::json::{Kind, Node};

/// The members of the object `node` at `at` that are not among `known` and say something: neither `null` nor `false`.
pub(super) fn members(
    node: Node<'_>,
    at: &At,
    known: &[&str],
    protocol: Protocol,
    out: &mut Vec<Extra>,
) {
    if node.kind() != Kind::Object {
        return;
    }
    for (key, value) in node.members() {
        let silent = value.is_null() || value.bool() == Some(false);
        if silent || known.contains(&&*key) {
            continue;
        }
        let at = at.key(&key);
        out.push(Extra {
            key: at.as_str().trim_start_matches("$.").to_owned(),
            at,
            protocol,
            value: RawJson::new(value.raw()),
        });
    }
}

/// Whether the extra stands inside something, and not at the top of the body.
pub(super) fn is_inner(extra: &Extra) -> bool {
    extra.key.starts_with("tools[") || extra.key.starts_with("functions[")
}
