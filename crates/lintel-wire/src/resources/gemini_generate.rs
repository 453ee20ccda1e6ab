//! Gemini names uploaded files by address, cached contents and file search stores by name.

use lintel_types::ResourceKind::{CachedContent, File, VectorStore};

use super::{Keys, Named, Places, take_member};
use crate::json::Node;

pub(super) const PLACES: Places = Places {
    surface: "gemini.generate",
    may_name: |key, _| CACHED.contains(&key) || KEYS.ids.iter().any(|(id, _)| *id == key),
    named,
    made: |_, _| {},
};

const CACHED: [&str; 2] = ["cachedContent", "cached_content"];
const KEYS: Keys = Keys {
    ids: &[
        ("fileUri", File),
        ("file_uri", File),
        ("fileSearchStoreNames", VectorStore),
        ("file_search_store_names", VectorStore),
    ],
    skip: &[
        "args",
        "response",
        "functionDeclarations",
        "function_declarations",
    ],
};

fn named(root: Node<'_>, found: &mut Vec<Named>) {
    for key in CACHED {
        take_member(root, key, CachedContent, found);
    }
    let mut seen = Vec::new();
    for key in [
        "systemInstruction",
        "system_instruction",
        "contents",
        "tools",
    ] {
        if let Some(value) = root.get(key) {
            KEYS.walk(value, &format!("$.{key}"), &mut seen);
        }
    }
    for mut one in seen {
        if one.kind == File {
            // A page or a video on the web is nobody's file.
            let Some(id) = file_of(&one.id) else { continue };
            one.id = id;
        }
        found.push(one);
    }
}

/// The name of the uploaded file at `address`: `files/abc` of `https://generativelanguage.googleapis.com/v1beta/files/abc`.
/// Any other address at Google's files API is the name of a file that nobody has: who writes it in another way gets no
/// further than who names another's file.
fn file_of(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    if let Some((before, name)) = path.rsplit_once("files/") {
        let is_name = !name.is_empty() && !name.contains(['/', '%', ':']);
        let at_google = before.is_empty() || before.contains("googleapis.com/");
        if is_name && at_google {
            return Some(format!("files/{name}"));
        }
    }
    let lower = address.trim().to_ascii_lowercase();
    let at_files_api = lower.contains("generativelanguage.") || lower.starts_with("files/");
    at_files_api.then(|| address.to_owned())
}
