//! The Responses API keeps answers, their items, conversations, files, containers and vector stores.
//!
//! The id of a stored prompt is none of these: prompts are the operator's, made in the provider's console.

use lintel_types::ResourceKind::{
    self, Container, Conversation, File, Item, Response, VectorStore,
};

use super::{Keys, Named, Places, take, take_member};
use crate::json::Node;

pub(super) const PLACES: Places = Places {
    surface: "openai.responses",
    may_name,
    named,
    made,
};

const IDS: &[(&str, ResourceKind)] = &[
    ("file_id", File),
    ("file_ids", File),
    ("container_id", Container),
    ("container", Container),
    ("vector_store_id", VectorStore),
    ("vector_store_ids", VectorStore),
];
const KEYS: Keys = Keys {
    ids: IDS,
    skip: &[
        "parameters",
        "schema",
        "attributes",
        "filters",
        "annotations",
        "results",
    ],
};

/// A type may be written with escapes: then it is for [`named`] to read.
fn may_name(key: &str, value: &str) -> bool {
    match key {
        // A reference needs no type: an item that is nothing but an id is one.
        "previous_response_id" | "conversation" | "id" => true,
        "type" => value == "\"item_reference\"" || value.contains('\\'),
        _ => IDS.iter().any(|(id, _)| *id == key),
    }
}

fn named(root: Node<'_>, found: &mut Vec<Named>) {
    take_member(root, "previous_response_id", Response, found);
    take_member(root, "conversation", Conversation, found);
    if let Some(input) = root.get("input") {
        for (i, item) in input.items().enumerate() {
            if is_reference(item) {
                let id = item.get("id").unwrap_or(item);
                take(Item, id, &format!("$.input[{i}].id"), found);
            }
        }
        KEYS.walk(input, "$.input", found);
    }
    for key in ["tools", "tool_choice", "prompt"] {
        if let Some(value) = root.get(key) {
            KEYS.walk(value, &format!("$.{key}"), found);
        }
    }
}

/// Whether an item names a stored one: by its type, or by having nothing that would make it anything else.
fn is_reference(item: Node<'_>) -> bool {
    match item.get("type").filter(|t| !t.is_null()) {
        Some(kind) => kind.text().as_deref() == Some("item_reference"),
        None => {
            item.get("id").is_some() && item.get("role").is_none() && item.get("content").is_none()
        }
    }
}

fn made(root: Node<'_>, found: &mut Vec<Named>) {
    // Most events of a stream are no response; its first has the id, its last everything.
    let response = root.get("response").unwrap_or(root);
    if response.get("store").and_then(|s| s.bool()) != Some(false)
        && response.get("output").is_some()
    {
        take_member(response, "id", Response, found);
        for item in response.get("output").iter().flat_map(Node::items) {
            take_member(item, "id", Item, found);
        }
    }
    if let Some(output) = response.get("output") {
        let containers = Keys {
            ids: &[("container_id", Container)],
            skip: &["results"],
        };
        containers.walk(output, "$.output", found);
    }
}
