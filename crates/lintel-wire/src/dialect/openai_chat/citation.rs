//! Citations: `annotations` of an answer, one `url_citation` each. A citation without an address has no word here.

use lintel_types::canon::{Citation, RawJson};

use super::read::said;
use crate::json::write::{Object, quoted};
use crate::json::{Kind, Node};
use crate::provider::OPENAI;

/// The citations of a message or a delta; annotations of other kinds (parsed files) say nothing about the text.
pub(super) fn read(annotations: Node<'_>) -> impl Iterator<Item = Citation> {
    annotations.items().filter_map(|node| {
        let cited = node.get("url_citation")?;
        let number = |key: &str| cited.get(key).and_then(|n| n.u64());
        Some(Citation {
            url: Some(said(cited, "url")?.into_owned()),
            title: said(cited, "title").map(|t| t.into_owned()),
            quote: said(cited, "content").map(|t| t.into_owned()),
            span: number("start_index").zip(number("end_index")),
            protocol: OPENAI,
            raw: RawJson::new(node.raw()),
        })
    })
}

/// Perplexity's list of addresses beside the choices: the text refers to them by number.
pub(super) fn read_list(list: Node<'_>) -> impl Iterator<Item = Citation> {
    let strings = list.items().filter(|n| n.kind() == Kind::String);
    strings.filter_map(|node| {
        Some(Citation {
            url: Some(node.text()?.into_owned()),
            title: None,
            quote: None,
            span: None,
            protocol: OPENAI,
            raw: RawJson::new(quoted(&node.text()?)),
        })
    })
}

/// Writes one citation that has an address. `before` is how many characters of other parts stand before its
/// text, `length` how many its own text has.
pub(super) fn write(o: &mut Object<'_>, citation: &Citation, before: u64, length: u64) {
    let (from, to) = citation.span.unwrap_or((0, length));
    o.str("type", "url_citation").object("url_citation", |o| {
        o.int("start_index", from.saturating_add(before))
            .int("end_index", to.saturating_add(before))
            .str("url", citation.url.as_deref().unwrap_or_default())
            .str("title", citation.title.as_deref().unwrap_or_default())
            .str_if("content", citation.quote.as_deref());
    });
}
