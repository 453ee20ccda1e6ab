//! A value in a validated document: a span, looked at on demand.
//!
//! A node never fails: asked for what it is not, it answers `None`. Numbers, keys and texts are read
//! only when asked for. It must not know what any key means.

use std::borrow::Cow;
use std::ops::Range;

use super::scan;

/// Strings up to so many bytes are looked through without setting up a vector search.
const NEAR: usize = 24;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value of a document that [`super::parse`] has accepted.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    doc: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Node<'a> {
    pub(super) fn new(doc: &'a str, span: Range<usize>) -> Self {
        Self {
            doc,
            start: span.start,
            end: span.end,
        }
    }

    /// Where the value stands in the document, quotes and brackets included.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The value as written.
    pub fn raw(&self) -> &'a str {
        self.doc.get(self.start..self.end).unwrap_or_default()
    }

    /// The value's type.
    pub fn kind(&self) -> Kind {
        match self.raw().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean, if it is one.
    pub fn bool(&self) -> Option<bool> {
        match self.raw() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The number, if it is one that fits: `12`, also `12.0`, which some hosts write for counts.
    pub fn u64(&self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let raw = self.raw();
        raw.parse().ok().or_else(|| {
            let float: f64 = raw.parse().ok()?;
            (float >= 0.0 && float.fract() == 0.0 && float < 9e15).then_some(float as u64)
        })
    }

    /// The number, if it is one and finite: `1e999` is none.
    pub fn f64(&self) -> Option<f64> {
        let number = (self.kind() == Kind::Number).then(|| self.raw().parse().ok());
        number.flatten().filter(|n: &f64| n.is_finite())
    }

    /// The text, if it is a string of characters.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        self.unquoted()
    }

    /// The text of what is known to be a string.
    fn unquoted(&self) -> Option<Cow<'a, str>> {
        let inner = self.doc.get(self.start + 1..self.end - 1)?;
        let plain = if inner.len() <= NEAR {
            scan::next_special(inner.as_bytes(), 0) == inner.len()
        } else {
            memchr::memchr(b'\\', inner.as_bytes()).is_none()
        };
        if plain {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(self.raw())
            .ok()
            .map(Cow::Owned)
    }

    /// The value of `key`, if it is an object that has it.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.members().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The value at `path`, one key after the other.
    pub fn at(&self, path: &[&str]) -> Option<Node<'a>> {
        path.iter().try_fold(*self, |node, key| node.get(key))
    }

    /// The members, if it is an object; none otherwise.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'a, str>, Node<'a>)> + use<'a> {
        let mut walk = Walk::inside(self, Kind::Object);
        std::iter::from_fn(move || {
            let key = walk.next()?;
            let value = walk.next()?;
            Some((key.unquoted().unwrap_or_default(), value))
        })
    }

    /// The items, if it is an array; none otherwise.
    pub fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let mut walk = Walk::inside(self, Kind::Array);
        std::iter::from_fn(move || walk.next())
    }
}

/// A member of the top-level object.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// Where the key's opening quote stands.
    pub key_start: usize,
    /// The value.
    pub value: Node<'a>,
}

/// Steps over the values directly inside a container. The document is valid, so brackets match.
struct Walk<'a> {
    doc: &'a str,
    pos: usize,
    end: usize,
}

impl<'a> Walk<'a> {
    fn inside(node: &Node<'a>, kind: Kind) -> Self {
        if node.kind() == kind {
            Self {
                doc: node.doc,
                pos: node.start + 1,
                end: node.end - 1,
            }
        } else {
            Self {
                doc: node.doc,
                pos: 0,
                end: 0,
            }
        }
    }

    fn next(&mut self) -> Option<Node<'a>> {
        let bytes = self.doc.as_bytes();
        let mut start = self.pos;
        loop {
            if start >= self.end {
                return None;
            }
            match bytes.get(start) {
                Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b':') => start += 1,
                _ => break,
            }
        }
        self.pos = skip(bytes, start);
        Some(Node {
            doc: self.doc,
            start,
            end: self.pos,
        })
    }
}

/// One past the end of the value that starts at `at`.
fn skip(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => skip_container(bytes, at),
        _ => {
            let rest = bytes.get(at..).unwrap_or_default();
            let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            at + rest.iter().position(ends).unwrap_or(rest.len())
        }
    }
}

fn skip_container(bytes: &[u8], at: usize) -> usize {
    let (mut pos, mut depth) = (at, 0usize);
    // `[` and `{`, `]` and `}` differ in one bit: one compare finds both of a kind.
    let matters = |b: &u8| *b == b'"' || matches!(*b | 0x20, b'{' | b'}');
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        let Some(gap) = rest.iter().position(matters) else {
            return bytes.len();
        };
        pos += gap;
        match rest.get(gap) {
            Some(b'"') => pos = skip_string(bytes, pos),
            Some(b'{' | b'[') => {
                depth += 1;
                pos += 1;
            }
            _ => {
                depth = depth.saturating_sub(1);
                pos += 1;
                if depth == 0 {
                    return pos;
                }
            }
        }
    }
}

fn skip_string(bytes: &[u8], at: usize) -> usize {
    let mut pos = at + 1;
    // Keys and most values are shorter than a vector search takes to set up.
    let near = bytes.get(pos..pos + NEAR).unwrap_or_default();
    let end = scan::next_special(near, 0);
    match near.get(end) {
        Some(b'"') => return pos + end + 1,
        _ => pos += end,
    }
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        match memchr::memchr2(b'"', b'\\', rest) {
            Some(i) if rest.get(i) == Some(&b'"') => return pos + i + 1,
            Some(i) => pos += i + 2,
            None => return bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn looks_at_nested_values() {
        let doc = br#" { "a" : [ 1 , {"b":"x\"y"} , [] ] , "n":12.0, "t":true, "z":null } "#;
        let root = parse(doc).unwrap();
        let items: Vec<Kind> = root.get("a").unwrap().items().map(|n| n.kind()).collect();
        assert_eq!(items, [Kind::Number, Kind::Object, Kind::Array]);
        let second = root.get("a").unwrap().items().nth(1).unwrap();
        assert_eq!(second.get("b").unwrap().text().unwrap(), "x\"y");
        assert_eq!(root.get("n").unwrap().u64(), Some(12));
        assert_eq!(root.get("t").unwrap().bool(), Some(true));
        assert!(root.get("z").unwrap().is_null());
        assert!(root.get("nope").is_none());
        assert!(root.at(&["a", "b"]).is_none());
    }

    #[test]
    fn spans_point_into_the_document() {
        let doc = br#"{"model": "gpt-4o","x":[[1],[2]]}"#;
        let root = parse(doc).unwrap();
        assert_eq!(&doc[root.get("model").unwrap().span()], b"\"gpt-4o\"");
        assert_eq!(
            root.get("x")
                .unwrap()
                .items()
                .map(|n| n.raw())
                .collect::<Vec<_>>(),
            ["[1]", "[2]"]
        );
    }

    #[test]
    fn asked_for_what_it_is_not_it_says_none() {
        let root = parse(b"\"text\"").unwrap();
        assert_eq!(root.members().count() + root.items().count(), 0);
        assert_eq!((root.u64(), root.bool()), (None, None));
        assert!(parse(b"-1").unwrap().u64().is_none());
        assert!(
            parse(br#""\ud800""#).unwrap().text().is_none(),
            "a lone surrogate is no text"
        );
    }
}
