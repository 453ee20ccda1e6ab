//! A body is bytes, a lazily built view of them, and a list of span edits.
//!
//! So guards and byte-exact pass-through coexist, and a 200 KB prompt is never rebuilt: what isn't
//! edited leaves as the very bytes that came in.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};

/// One replacement of a byte range. An empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanEdit {
    /// First byte and one past the last, of the original bytes.
    pub range: Range<usize>,
    /// What stands there instead.
    pub with: Bytes,
}

/// Two edits that overlap, or an edit past the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEdit;

impl std::fmt::Display for BadEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("body edits overlap or lie outside the body")
    }
}

impl std::error::Error for BadEdit {}

/// Bytes as they came, a view `V` built on first use, and edits to apply on the way out.
#[derive(Debug)]
pub struct Body<V> {
    bytes: Bytes,
    view: OnceLock<V>,
    edits: Vec<SpanEdit>,
}

/// A body with its edits applied: pieces to send one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// In order; unedited pieces share memory with the original.
    pub pieces: Vec<Bytes>,
    /// Sum of their lengths.
    pub len: usize,
}

/// Below this many bytes one copy is cheaper than several pieces (each costs an `iovec` and a frame).
const COPY_BELOW: usize = 16 * 1024;

impl<V> Body<V> {
    /// A body without edits.
    pub fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            view: OnceLock::new(),
            edits: Vec::new(),
        }
    }

    /// The bytes as they came in.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The view, built by `build` on first use.
    pub fn view(&self, build: impl FnOnce(&Bytes) -> V) -> &V {
        self.view.get_or_init(|| build(&self.bytes))
    }

    /// Adds an edit, keeping the list sorted. Refuses one that overlaps another or lies outside.
    pub fn edit(&mut self, range: Range<usize>, with: Bytes) -> Result<(), BadEdit> {
        if range.start > range.end || range.end > self.bytes.len() {
            return Err(BadEdit);
        }
        let at = self.edits.partition_point(|e| e.range.start < range.start);
        let before_ok = at
            .checked_sub(1)
            .and_then(|i| self.edits.get(i))
            .is_none_or(|e| e.range.end <= range.start);
        let after_ok = self
            .edits
            .get(at)
            .is_none_or(|e| range.end <= e.range.start && e.range.start != range.start);
        if !(before_ok && after_ok) {
            return Err(BadEdit);
        }
        self.edits.insert(at, SpanEdit { range, with });
        Ok(())
    }

    /// The edits so far.
    pub fn edits(&self) -> &[SpanEdit] {
        &self.edits
    }

    /// The bytes with `more` edits on top of the body's own: what one attempt sends.
    pub fn render(&self, more: &[SpanEdit]) -> Result<Rendered, BadEdit> {
        let mut edits: Vec<&SpanEdit> = self.edits.iter().chain(more).collect();
        edits.sort_by_key(|e| (e.range.start, e.range.end));
        let mut pieces = Vec::with_capacity(edits.len() * 2 + 1);
        let mut from = 0;
        for edit in edits {
            if edit.range.start < from
                || edit.range.end > self.bytes.len()
                || edit.range.start > edit.range.end
            {
                return Err(BadEdit);
            }
            pieces.push(self.bytes.slice(from..edit.range.start));
            pieces.push(edit.with.clone());
            from = edit.range.end;
        }
        pieces.push(self.bytes.slice(from..));
        pieces.retain(|p| !p.is_empty());
        let len = pieces.iter().map(Bytes::len).sum();
        if pieces.len() > 1 && len < COPY_BELOW {
            let mut one = BytesMut::with_capacity(len);
            pieces.iter().for_each(|p| one.extend_from_slice(p));
            pieces = vec![one.freeze()];
        }
        Ok(Rendered { pieces, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flat(r: &Rendered) -> Vec<u8> {
        r.pieces.iter().flat_map(|p| p.to_vec()).collect()
    }

    #[test]
    fn edits_apply_in_place() {
        let mut body: Body<()> = Body::new(Bytes::from_static(b"{\"model\":\"a\",\"n\":1}"));
        body.edit(9..12, Bytes::from_static(b"\"bb\"")).unwrap();
        let more = [SpanEdit {
            range: 18..18,
            with: Bytes::from_static(b",\"s\":2"),
        }];
        assert_eq!(
            flat(&body.render(&more).unwrap()),
            b"{\"model\":\"bb\",\"n\":1,\"s\":2}"
        );
    }

    #[test]
    fn refuses_overlaps_and_outsiders() {
        let mut body: Body<()> = Body::new(Bytes::from_static(b"0123456789"));
        body.edit(2..5, Bytes::new()).unwrap();
        for range in [4..6, 0..3, 2..2, 9..11] {
            assert_eq!(
                body.edit(range.clone(), Bytes::new()),
                Err(BadEdit),
                "{range:?}"
            );
        }
    }

    #[test]
    fn the_view_is_built_once() {
        let body: Body<usize> = Body::new(Bytes::from_static(b"abc"));
        assert_eq!(*body.view(|b| b.len()), 3);
        assert_eq!(*body.view(|_| unreachable!("built already")), 3);
    }

    proptest! {
        #[test]
        fn equals_a_naive_splice(data in proptest::collection::vec(any::<u8>(), 0..40_000), cuts in proptest::collection::vec((0usize..40_000, 0usize..50, proptest::collection::vec(any::<u8>(), 0..9)), 0..6)) {
            let mut body: Body<()> = Body::new(Bytes::from(data.clone()));
            for (start, len, with) in cuts {
                let _ = body.edit(start..start + len, Bytes::from(with));
            }
            let mut naive = data;
            for e in body.edits().iter().rev() {
                naive.splice(e.range.clone(), e.with.to_vec());
            }
            let rendered = body.render(&[]).unwrap();
            prop_assert_eq!(rendered.len, naive.len());
            prop_assert_eq!(flat(&rendered), naive);
        }
    }
}
