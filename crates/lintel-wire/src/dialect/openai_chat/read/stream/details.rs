//! `reasoning_details` of a stream: pieces of several details, joined by their index, until a seal makes
//! them worth keeping.

use lintel_types::canon::{Opening, Seal};

use super::super::super::thought;
use super::super::said;
use crate::json::write::{self, Object};
use crate::json::{self, Node};

/// The details of the open reasoning.
#[derive(Default)]
pub(super) struct Details {
    list: Vec<Detail>,
    sealed: bool,
}

#[derive(Default)]
struct Detail {
    index: Option<u64>,
    kind: String,
    id: Option<String>,
    format: Option<String>,
    text: String,
    signature: Option<String>,
    data: Option<String>,
}

impl Details {
    /// Joins a piece to the detail that it belongs to.
    pub(super) fn add(&mut self, piece: Node<'_>) {
        let index = piece.get("index").and_then(|i| i.u64());
        let kind = said(piece, "type").unwrap_or_default();
        let fits = |d: &Detail| d.index == index && d.kind == kind;
        let at = self.list.iter().rposition(fits);
        let at = at.unwrap_or_else(|| {
            self.list.push(Detail {
                index,
                kind: kind.into_owned(),
                ..Detail::default()
            });
            self.list.len() - 1
        });
        let Some(detail) = self.list.get_mut(at) else {
            return;
        };
        detail
            .text
            .push_str(&thought::text_of_detail(piece).unwrap_or_default());
        let take = |slot: &mut Option<String>, key: &str| {
            if let Some(text) = said(piece, key) {
                *slot = Some(text.into_owned());
            }
        };
        take(&mut detail.id, "id");
        take(&mut detail.format, "format");
        take(&mut detail.signature, "signature");
        // Encrypted reasoning may come in pieces.
        if let Some(data) = said(piece, "data") {
            detail.data.get_or_insert_default().push_str(&data);
        }
        self.sealed |= thought::is_sealed(piece);
    }

    /// A seal has come, and no reasoning has taken it yet.
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// How the reasoning opens that these details are of.
    pub(super) fn opening(&self) -> Opening {
        let encrypted = self.list.iter().find(|d| d.data.is_some());
        Opening::Reasoning {
            summary: self.list.iter().any(|d| d.kind == thought::SUMMARY),
            id: encrypted.and_then(|d| d.id.clone()),
        }
    }

    /// The seal of what has come so far, which ends here.
    pub(super) fn take_seal(&mut self) -> Option<Seal> {
        let list = std::mem::take(&mut self.list);
        if !std::mem::take(&mut self.sealed) {
            return None;
        }
        let mut out = String::new();
        write::array(&mut out, |a| {
            for detail in &list {
                a.object(|o| detail.write(o));
            }
        });
        // The same reading as of a whole answer's, so that both give the same seal.
        let node = json::parse(out.as_bytes()).ok()?;
        thought::detailed(node).seal
    }
}

impl Detail {
    fn write(&self, o: &mut Object<'_>) {
        let text = if self.kind == thought::SUMMARY {
            "summary"
        } else {
            "text"
        };
        o.str("type", &self.kind);
        if !self.text.is_empty() {
            o.str(text, &self.text);
        }
        o.str_if("signature", self.signature.as_deref())
            .str_if("data", self.data.as_deref())
            .str_if("id", self.id.as_deref())
            .str_if("format", self.format.as_deref());
        if let Some(index) = self.index {
            o.int("index", index);
        }
    }
}
