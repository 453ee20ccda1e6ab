//! Objects at the provider: which ones a request names, and which ones an answer makes. One file a surface, one entry
//! in `RESOURCES`.
//!
//! Whose an object is, is decided by whoever holds the rows; nothing here knows tenants. Invariant: every place at
//! which a surface lets a client name an object by its id is read, also inside what tools hand back, so that no id
//! reaches a provider unseen.

use lintel_types::{Made, ResourceKind, Surface};

use crate::json::{self, Kind, Node, Watch};

mod anthropic_messages;
mod gemini_generate;
mod openai_chat;
mod openai_responses;

/// An object that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is.
    pub kind: ResourceKind,
    /// The provider's id for it.
    pub id: String,
    /// Where the body names it, such as `$.previous_response_id`.
    pub path: String,
}

/// Where one surface has ids.
pub(crate) struct Places {
    /// The surface's name.
    surface: &'static str,
    /// Whether a member, wherever it stands, may name an object: asked of each while the body is validated, so that
    /// nearly no body is read a second time. Says yes to all that `named` takes an id from.
    may_name: Watch,
    /// Collects what a request names.
    named: fn(Node<'_>, &mut Vec<Named>),
    /// Collects what an answer, or one event of a streamed one, makes.
    made: fn(Node<'_>, &mut Vec<Named>),
}

/// Every surface whose requests can name objects.
const RESOURCES: &[Places] = &[
    openai_chat::PLACES,
    openai_responses::PLACES,
    anthropic_messages::PLACES,
    anthropic_messages::COUNTED,
    gemini_generate::PLACES,
];

/// What tells, of the members of a request on `surface`, whether it may name objects at all.
pub(crate) fn watch(surface: Surface) -> Option<Watch> {
    of(surface).map(|places| places.may_name)
}

/// The objects that the request `body` on `surface` names, in the order of the body. Only a request whose head says
/// that it [may name](crate::surface::Head::may_name_objects) some is worth the reading.
pub fn named(surface: Surface, body: &[u8]) -> Vec<Named> {
    let mut found = Vec::new();
    if let Some(places) = of(surface)
        && let Ok(root) = json::parse(body)
    {
        (places.named)(root, &mut found);
    }
    found
}

/// The objects that an answer on `surface` makes, each once: `root` is a whole answer, or the data of one event.
pub(crate) fn made(surface: Surface, root: Node<'_>) -> Vec<Made> {
    let mut found = Vec::new();
    if let Some(places) = of(surface) {
        (places.made)(root, &mut found);
    }
    let mut made: Vec<Made> = Vec::new();
    for Named { kind, id, .. } in found {
        let id = id.into();
        if !made.iter().any(|m| m.kind == kind && m.id == id) {
            made.push(Made { kind, id });
        }
    }
    made
}

fn of(surface: Surface) -> Option<&'static Places> {
    RESOURCES.iter().find(|r| r.surface == surface.name())
}

/// Keys whose values are ids, wherever they stand, and keys into which nobody looks: what stands there is data of the
/// application's or a schema.
pub(crate) struct Keys {
    ids: &'static [(&'static str, ResourceKind)],
    skip: &'static [&'static str],
}

impl Keys {
    /// Collects the ids in `node`, which stands at `path`.
    fn walk(&self, node: Node<'_>, path: &str, found: &mut Vec<Named>) {
        for (i, value) in node.items().enumerate() {
            if matches!(value.kind(), Kind::Object | Kind::Array) {
                self.walk(value, &format!("{path}[{i}]"), found);
            }
        }
        for (key, value) in node.members() {
            if self.skip.contains(&&*key) {
                continue;
            }
            let path = format!("{path}.{key}");
            if let Some((_, kind)) = self.ids.iter().find(|(k, _)| *k == key) {
                take(*kind, value, &path, found);
            }
            if matches!(value.kind(), Kind::Object | Kind::Array) {
                self.walk(value, &path, found);
            }
        }
    }
}

/// Takes an id: a string, each string of a list, or the `id` of an object.
fn take(kind: ResourceKind, value: Node<'_>, path: &str, found: &mut Vec<Named>) {
    let mut one = |value: Node<'_>, path: String| {
        if let Some(id) = value.text().filter(|id| !id.is_empty()) {
            let id = id.into_owned();
            found.push(Named { kind, id, path });
        }
    };
    match value.kind() {
        Kind::Array => {
            for (i, item) in value.items().enumerate() {
                one(item, format!("{path}[{i}]"));
            }
        }
        Kind::Object => {
            if let Some(id) = value.get("id") {
                one(id, format!("{path}.id"));
            }
        }
        _ => one(value, path.to_owned()),
    }
}

/// Takes the id at `key` of the body.
fn take_member(root: Node<'_>, key: &str, kind: ResourceKind, found: &mut Vec<Named>) {
    if let Some(value) = root.get(key) {
        take(kind, value, &format!("$.{key}"), found);
    }
}

#[cfg(test)]
mod tests;
