//! Chat completions name uploaded files.

use lintel_types::ResourceKind::File;

use super::{Keys, Named, Places};
use crate::json::Node;

pub(super) const PLACES: Places = Places {
    surface: "openai.chat",
    may_name: |key, _| key == "file_id",
    named,
    made: |_, _| {},
};

const KEYS: Keys = Keys {
    ids: &[("file_id", File)],
    skip: &[],
};

fn named(root: Node<'_>, found: &mut Vec<Named>) {
    if let Some(messages) = root.get("messages") {
        KEYS.walk(messages, "$.messages", found);
    }
}
