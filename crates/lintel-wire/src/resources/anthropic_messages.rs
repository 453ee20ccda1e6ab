//! Messages name uploaded files and containers; code that runs in a container makes files.

use lintel_types::ResourceKind::{Container, File};

use super::{Keys, Named, Places, take, take_member};
use crate::json::Node;

pub(super) const PLACES: Places = Places {
    surface: "anthropic.messages",
    may_name: |key, _| matches!(key, "file_id" | "container"),
    named,
    made,
};

/// Counting the tokens of a message names what sending it would.
pub(super) const COUNTED: Places = Places {
    surface: "anthropic.count_tokens",
    made: |_, _| {},
    ..PLACES
};

const KEYS: Keys = Keys {
    ids: &[("file_id", File)],
    skip: &["input", "input_schema"],
};

fn named(root: Node<'_>, found: &mut Vec<Named>) {
    take_member(root, "container", Container, found);
    for key in ["system", "messages"] {
        if let Some(value) = root.get(key) {
            KEYS.walk(value, &format!("$.{key}"), found);
        }
    }
}

fn made(root: Node<'_>, found: &mut Vec<Named>) {
    // A whole answer; the message that begins a stream; the delta that ends one; a block that comes whole.
    for holder in [Some(root), root.get("message"), root.get("delta")] {
        let Some(holder) = holder else { continue };
        if let Some(container) = holder.get("container") {
            take(Container, container, "$.container", found);
        }
    }
    for key in ["content", "content_block"] {
        if let Some(value) = root.get(key) {
            KEYS.walk(value, &format!("$.{key}"), found);
        }
    }
}
