//! The validating scan. It decides whether bytes are JSON that every parser reads alike.
//!
//! It must not know what any key means.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::error::{JsonError, MAX_DEPTH, Problem};
use super::node::{Member, Node};

/// Objects with more keys than this are checked for duplicates through a hash set.
const LINEAR_KEYS: usize = 16;

/// Asked about each member of each object of a document: the key, unescaped, and the value as written.
pub type Watch = fn(&str, &str) -> bool;

/// Validates `doc`, whatever its type.
pub fn parse(doc: &[u8]) -> Result<Node<'_>, JsonError> {
    let (text, mut scan) = begin(doc)?;
    scan.space();
    let start = scan.pos;
    scan.value(0)?;
    let end = scan.pos;
    scan.end()?;
    Ok(Node::new(text, start..end))
}

/// Validates `doc`, which must be an object, and gives its members in order.
pub fn parse_object(doc: &[u8]) -> Result<Vec<Member<'_>>, JsonError> {
    parse_object_watching(doc, None).map(|(members, _)| members)
}

/// The same, and whether `watch` said yes to any member, however deep: the scan has every key in hand already.
pub fn parse_object_watching(
    doc: &[u8],
    watch: Option<Watch>,
) -> Result<(Vec<Member<'_>>, bool), JsonError> {
    let (text, mut scan) = begin(doc)?;
    scan.watch = watch;
    scan.space();
    match scan.peek() {
        Some(b'{') => {}
        None => return Err(scan.fail(Problem::Truncated)),
        Some(_) => {
            scan.value(0)?;
            scan.end()?;
            return Err(scan.fail(Problem::NotAnObject));
        }
    }
    let mut members = Vec::with_capacity(16);
    scan.object(0, &mut |key_start, key, value| {
        members.push(Member {
            key,
            key_start,
            value: Node::new(text, value),
        });
    })?;
    scan.end()?;
    Ok((members, scan.seen))
}

fn begin(doc: &[u8]) -> Result<(&str, Scan<'_>), JsonError> {
    let text = simdutf8::compat::from_utf8(doc).map_err(|e| JsonError {
        problem: Problem::NotUtf8,
        path: "$".into(),
        offset: e.valid_up_to(),
    })?;
    Ok((
        text,
        Scan {
            text,
            doc,
            pos: 0,
            path: Vec::new(),
            keys: Vec::new(),
            watch: None,
            seen: false,
        },
    ))
}

#[derive(Clone)]
enum PathStep {
    Key(Range<usize>),
    Index(usize),
}

struct Scan<'a> {
    text: &'a str,
    doc: &'a [u8],
    pos: usize,
    path: Vec<PathStep>,
    /// Keys of all open objects, innermost last.
    keys: Vec<Cow<'a, str>>,
    watch: Option<Watch>,
    /// The watch has said yes.
    seen: bool,
}

type OnMember<'a, 'f> = &'f mut dyn FnMut(usize, Cow<'a, str>, Range<usize>);

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.doc.get(self.pos).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.pos += 1;
        }
    }

    fn fail(&self, problem: Problem) -> JsonError {
        let mut path = String::from("$");
        for step in &self.path {
            match step {
                PathStep::Key(range) => {
                    path.push('.');
                    path.push_str(self.text.get(range.clone()).unwrap_or("?"));
                }
                PathStep::Index(i) => path.push_str(&format!("[{i}]")),
            }
        }
        JsonError {
            problem,
            path,
            offset: self.pos,
        }
    }

    /// The error of standing at this byte.
    fn unexpected(&self) -> JsonError {
        self.fail(self.peek().map_or(Problem::Truncated, Problem::Unexpected))
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.pos += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.pos < self.doc.len() {
            Err(self.fail(Problem::Trailing))
        } else {
            Ok(())
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.object(depth, &mut |_, _, _| {}),
            Some(b'[') => self.array(depth),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        for byte in word {
            self.expect(*byte)?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        if self.peek() == Some(b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Skips a string; gives the range between the quotes and whether it has escapes.
    fn string(&mut self) -> Result<(Range<usize>, bool), JsonError> {
        self.pos += 1;
        let start = self.pos;
        let mut escaped = false;
        loop {
            self.pos = next_special(self.doc, self.pos);
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok((start..self.pos - 1, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.pos += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 1,
            Some(b'u') => {
                self.pos += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.unexpected());
                    }
                    self.pos += 1;
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.descend(depth)?;
        self.pos += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(());
        }
        self.path.push(PathStep::Index(0));
        loop {
            self.space();
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.pos += 1,
                Some(b']') => {
                    self.pos += 1;
                    self.path.pop();
                    return Ok(());
                }
                _ => return Err(self.unexpected()),
            }
            if let Some(PathStep::Index(i)) = self.path.last_mut() {
                *i += 1;
            }
        }
    }

    fn descend(&self, depth: usize) -> Result<(), JsonError> {
        if depth >= MAX_DEPTH {
            Err(self.fail(Problem::TooDeep))
        } else {
            Ok(())
        }
    }

    fn object(&mut self, depth: usize, on_member: OnMember<'a, '_>) -> Result<(), JsonError> {
        self.descend(depth)?;
        self.pos += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.pos += 1;
            return Ok(());
        }
        let base = self.keys.len();
        let mut many: Option<HashSet<Cow<'a, str>>> = None;
        loop {
            self.space();
            let key_start = self.pos;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let (range, escaped) = self.string()?;
            let key = self.key(range.clone(), escaped, key_start)?;
            self.unique(key.clone(), key_start, base, &mut many)?;
            self.path.push(PathStep::Key(range));
            self.space();
            self.expect(b':')?;
            self.space();
            let start = self.pos;
            self.value(depth + 1)?;
            if let Some(watch) = self.watch.filter(|_| !self.seen) {
                self.seen = watch(&key, self.text.get(start..self.pos).unwrap_or_default());
            }
            on_member(key_start, key, start..self.pos);
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.path.pop();
                }
                Some(b'}') => {
                    self.pos += 1;
                    self.path.pop();
                    self.keys.truncate(base);
                    return Ok(());
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// The key's text. An escaped key that is not a sequence of characters (a lone surrogate) is refused.
    fn key(
        &self,
        range: Range<usize>,
        escaped: bool,
        at: usize,
    ) -> Result<Cow<'a, str>, JsonError> {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        if !escaped {
            return Ok(Cow::Borrowed(raw));
        }
        let quoted = self.text.get(at..range.end + 1).unwrap_or_default();
        serde_json::from_str::<String>(quoted)
            .map(Cow::Owned)
            .map_err(|_| self.fail(Problem::Unexpected(b'\\')))
    }

    fn unique(
        &mut self,
        key: Cow<'a, str>,
        at: usize,
        base: usize,
        many: &mut Option<HashSet<Cow<'a, str>>>,
    ) -> Result<(), JsonError> {
        let seen = match many {
            Some(set) => !set.insert(key.clone()),
            None => self.keys.get(base..).unwrap_or_default().contains(&key),
        };
        if seen {
            self.pos = at;
            return Err(self.fail(Problem::DuplicateKey(key.chars().take(64).collect())));
        }
        if many.is_none() {
            self.keys.push(key);
            if self.keys.len() - base > LINEAR_KEYS {
                *many = Some(self.keys.drain(base..).collect());
            }
        }
        Ok(())
    }
}

/// Where the next quote, backslash or control character stands at or after `pos`; the end if there is none.
///
/// Eight bytes at a time in one register ("SWAR"): prompts hold an escape every twenty bytes or so, where
/// setting up a vector search costs more than it finds. Each term flags a byte's top bit when the byte
/// matches; bytes above a match may be flagged by its borrow, but never the lowest flag wrongly.
/// <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>
pub(super) fn next_special(doc: &[u8], mut pos: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    let equal = |v: u64| v.wrapping_sub(ONES) & !v;
    while let Some(word) = doc.get(pos..).and_then(|rest| rest.first_chunk::<8>()) {
        let x = u64::from_le_bytes(*word);
        let control = x.wrapping_sub(ONES * 0x20) & !x;
        let hit = (equal(x ^ QUOTES) | equal(x ^ BACKSLASHES) | control) & TOPS;
        if hit != 0 {
            return pos + hit.trailing_zeros() as usize / 8;
        }
        pos += 8;
    }
    let rest = doc.get(pos..).unwrap_or_default();
    let special = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
    pos + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(doc: &str, problem: Problem, path: &str) {
        let error = parse(doc.as_bytes()).unwrap_err();
        assert_eq!(
            (error.problem, error.path.as_str()),
            (problem, path),
            "{doc}"
        );
    }

    #[test]
    fn names_the_place_of_a_problem() {
        check(
            r#"{"messages":[{"content":"a","content":"b"}]}"#,
            Problem::DuplicateKey("content".into()),
            "$.messages[0]",
        );
        check(r#"{"a":[1,{"b":tru"#, Problem::Truncated, "$.a[1].b");
        check(r#"{"a":01}"#, Problem::Unexpected(b'1'), "$.a");
        check("{\"a\":\"x\ny\"}", Problem::Unexpected(b'\n'), "$.a");
        check("{} {}", Problem::Trailing, "$");
        check("", Problem::Truncated, "$");
    }

    #[test]
    fn an_escaped_key_is_the_same_key() {
        check(
            r#"{"model":"a","mod\u0065l":"b"}"#,
            Problem::DuplicateKey("model".into()),
            "$",
        );
        let many: String = (0..40).map(|i| format!("\"k{i}\":1,")).collect();
        check(
            &format!("{{{many}\"k7\":2}}"),
            Problem::DuplicateKey("k7".into()),
            "$",
        );
    }

    proptest! {
        #[test]
        fn finds_the_first_special_byte(doc in proptest::collection::vec(any::<u8>(), 0..60), from in 0usize..60) {
            let plain = |b: &u8| !matches!(b, b'"' | b'\\' | 0..0x20);
            let rest = doc.get(from..).unwrap_or_default();
            let expected = from.min(doc.len()) + rest.iter().take_while(|b| plain(b)).count();
            prop_assert_eq!(next_special(&doc, from.min(doc.len())), expected);
        }
    }

    #[test]
    fn caps_depth() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(
            parse(deep(MAX_DEPTH + 1).as_bytes()).unwrap_err().problem,
            Problem::TooDeep
        );
        assert_eq!(
            parse("[".repeat(1_000_000).as_bytes()).unwrap_err().problem,
            Problem::TooDeep
        );
    }

    #[test]
    fn refuses_bytes_that_are_not_utf_8() {
        let error = parse(b"{\"a\":\"\xff\"}").unwrap_err();
        assert_eq!((error.problem, error.offset), (Problem::NotUtf8, 6));
    }

    proptest! {
        /// Where serde_json reads a value, so do we, and the other way round, but for our two refusals.
        #[test]
        fn agrees_with_serde_json(doc in r#"([\[\]{}:,"\\ 0-9eE.+-]|true|false|null|"k"|\\u00e9|é|\n){0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&doc);
            match parse(doc.as_bytes()) {
                Ok(_) => prop_assert!(theirs.is_ok() || doc.contains(['e', 'E']), "accepted {doc:?}: {theirs:?}"),
                Err(e) => prop_assert!(theirs.is_err() || matches!(e.problem, Problem::DuplicateKey(_)), "refused {doc:?}: {e}"),
            }
        }

        #[test]
        fn accepts_what_serde_json_writes(pairs in proptest::collection::btree_map(".*", ".*", 0..30)) {
            let text = serde_json::to_string(&pairs).unwrap();
            let members = parse_object(text.as_bytes()).unwrap();
            let read: std::collections::BTreeMap<String, String> = members
                .iter()
                .map(|m| (m.key.to_string(), m.value.text().unwrap().into_owned()))
                .collect();
            prop_assert_eq!(read, pairs);
        }
    }
}
