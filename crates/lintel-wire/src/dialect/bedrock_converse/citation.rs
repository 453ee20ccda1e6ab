//! Citations, in answers and in their streams.

use lintel_types::canon::{Citation, RawJson};

use crate::json::write::{self, Object};
use crate::json::{Kind, Node};
use crate::provider::BEDROCK;

/// Reads a citation.
pub(super) fn read(node: Node<'_>) -> Citation {
    let text = |node: Option<Node<'_>>| {
        node.and_then(|n| n.text())
            .map(|t| t.into_owned())
            .filter(|t| !t.is_empty())
    };
    let quote: String = node
        .get("sourceContent")
        .iter()
        .flat_map(Node::items)
        .filter_map(|c| text(c.get("text")))
        .collect();
    Citation {
        url: text(node.at(&["location", "web", "url"])),
        title: text(node.get("title")),
        quote: Some(quote).filter(|q| !q.is_empty()),
        span: None,
        protocol: BEDROCK,
        raw: RawJson::new(node.raw()),
    }
}

/// Reads the citations of a `citationsContent`.
pub(super) fn list(node: Node<'_>) -> Vec<Citation> {
    let list = node.get("citations");
    let items = list.iter().flat_map(Node::items);
    items
        .filter(|c| c.kind() == Kind::Object)
        .map(read)
        .collect()
}

/// A citation as JSON: our own as it was, another's in our words.
pub(super) fn json(citation: &Citation) -> String {
    if citation.protocol == BEDROCK {
        return citation.raw.as_str().to_owned();
    }
    let mut out = String::new();
    write::object(&mut out, |o| fill(citation, o));
    out
}

fn fill(citation: &Citation, o: &mut Object<'_>) {
    o.str_if("title", citation.title.as_deref());
    if let Some(quote) = &citation.quote {
        o.array("sourceContent", |a| {
            a.object(|o| {
                o.str("text", quote);
            });
        });
    }
    if let Some(url) = &citation.url {
        o.object("location", |o| {
            o.object("web", |o| {
                o.str("url", url);
            });
        });
    }
}
