//! Text to a tree with positions: YAML 1.2 (and so JSON) with plain meanings.
//!
//! Refused, because two readers would see two configurations: duplicate keys, several documents, tags,
//! anchors and aliases (which also make a small file large). `yes`, `no`, `on` and `off` are text, as YAML 1.2 says.

pub(crate) mod scalar;

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, Span};
use serde_json::{Map, Value};

use self::scalar::scalar;
use crate::path::{Path, Step};
use crate::problem::Problem;

/// A tree and where each of its nodes stands in the text.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) value: Value,
    places: HashMap<Path, Place>,
}

/// Where a node stands: (line, column), both from 1.
#[derive(Debug, Clone, Copy)]
struct Place {
    key: Option<(usize, usize)>,
    value: (usize, usize),
    /// A mapping or list: people look for it at its key.
    inner: bool,
}

/// Deeper nesting than any configuration has; bounds the recursion of everything that walks the tree.
const DEEPEST: usize = 64;

impl Document {
    /// A tree without a text, for configurations that are made and not written.
    pub(crate) fn made(value: Value) -> Self {
        Self {
            value,
            places: HashMap::new(),
        }
    }

    /// Where the node at `path` stands, or the nearest node above it that stands anywhere.
    pub(crate) fn position(&self, path: &Path) -> (usize, usize) {
        self.nearest_place(path).map_or((0, 0), |place| {
            place.key.filter(|_| place.inner).unwrap_or(place.value)
        })
    }

    /// Where the key of the node at `path` stands.
    pub(crate) fn key_position(&self, path: &Path) -> (usize, usize) {
        self.nearest_place(path)
            .map_or((0, 0), |place| place.key.unwrap_or(place.value))
    }

    fn nearest_place(&self, path: &Path) -> Option<&Place> {
        std::iter::successors(Some(path.clone()), Path::parent).find_map(|p| self.places.get(&p))
    }

    /// What stood at or below `was` stands at or below `now`.
    pub(crate) fn moved(&mut self, was: &Path, now: &Path) {
        let places = std::mem::take(&mut self.places);
        let at = |path: Path| path.rebased(was, now).unwrap_or(path);
        self.places = places
            .into_iter()
            .map(|(path, place)| (at(path), place))
            .collect();
    }

    /// Reads `text`. All duplicates are reported; a syntax error ends the reading.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self, Vec<Problem>> {
        // The mark that some editors put first is no content.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::default();
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok(pair) => pair,
                Err(e) => {
                    let at = (e.marker().line(), e.marker().col() + 1);
                    reader.refuse(at, format!("not YAML: {}", e.info()));
                    break;
                }
            };
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    reader.refuse(
                        start(span),
                        "a second document begins here: one file holds one configuration",
                    );
                    break;
                }
            }
            if reader.take(event, span).is_err() {
                break;
            }
        }
        if reader.refused.is_empty() {
            return Ok(Self {
                value: reader.root.unwrap_or(Value::Null),
                places: reader.places,
            });
        }
        let problem = |((line, column), path, message): Refused| Problem {
            origin: origin.to_owned(),
            line,
            column,
            path,
            message,
            nearest: None,
        };
        Err(reader.refused.into_iter().map(problem).collect())
    }
}

/// Position, path and message of something refused.
type Refused = ((usize, usize), String, String);

/// A mapping or list that is being read.
enum Frame {
    Map {
        map: Map<String, Value>,
        key: Option<Key>,
    },
    List(Vec<Value>),
}

/// The key whose value comes next.
struct Key {
    text: String,
    at: (usize, usize),
    /// Seen before in this mapping: its value is read and dropped.
    again: bool,
}

/// Reading can't go on.
struct Stop;

#[derive(Default)]
struct Reader {
    root: Option<Value>,
    frames: Vec<Frame>,
    path: Path,
    places: HashMap<Path, Place>,
    refused: Vec<Refused>,
}

fn start(span: Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 1)
}

impl Reader {
    fn refuse(&mut self, at: (usize, usize), message: impl Into<String>) {
        self.refused
            .push((at, self.path.to_string(), message.into()));
    }

    /// Takes one event. An error means that nothing sensible can follow.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let at = start(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_node(at, anchor, tag.is_some())?;
                if self.wants_key() {
                    self.key(&text, at)
                } else {
                    self.leaf(scalar(&text, style), at)
                }
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_node(at, anchor, tag.is_some())?;
                self.open(Frame::List(Vec::new()), at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.check_node(at, anchor, tag.is_some())?;
                self.open(
                    Frame::Map {
                        map: Map::new(),
                        key: None,
                    },
                    at,
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) => {
                self.refuse(at, "aliases are not supported: write the value out");
                return Err(Stop);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn check_node(&mut self, at: (usize, usize), anchor: usize, tagged: bool) -> Result<(), Stop> {
        if anchor != 0 {
            self.refuse(at, "anchors are not supported: remove the `&name`, and write values out where they are used");
            return Err(Stop);
        }
        if tagged {
            self.refuse(at, "tags are not supported: remove the `!tag`; text that looks like a number goes in quotes");
            return Err(Stop);
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Map { key: None, .. }))
    }

    fn key(&mut self, text: &str, at: (usize, usize)) {
        let again =
            matches!(self.frames.last(), Some(Frame::Map { map, .. }) if map.contains_key(text));
        self.path = self.path.key(text);
        if again {
            let first = self
                .places
                .get(&self.path)
                .and_then(|p| p.key)
                .map_or(0, |(line, _)| line);
            self.refuse(
                at,
                format!("duplicate key: it stands in line {first} already"),
            );
        }
        if let Some(Frame::Map { key, .. }) = self.frames.last_mut() {
            *key = Some(Key {
                text: text.to_owned(),
                at,
                again,
            });
        }
    }

    /// Notes where a node stands. The first of two with one path stays.
    fn place(&mut self, at: (usize, usize), inner: bool) {
        let key = match self.frames.last() {
            Some(Frame::Map { key: Some(key), .. }) => Some(key.at),
            _ => None,
        };
        self.places.entry(self.path.clone()).or_insert(Place {
            key,
            value: at,
            inner,
        });
    }

    /// Steps onto the next element when the node is one.
    fn enter(&mut self) {
        if let Some(Frame::List(list)) = self.frames.last() {
            self.path = self.path.with(Step::Index(list.len()));
        }
    }

    fn leaf(&mut self, value: Value, at: (usize, usize)) {
        self.enter();
        self.place(at, false);
        self.put(value);
    }

    fn open(&mut self, frame: Frame, at: (usize, usize)) -> Result<(), Stop> {
        if self.wants_key() {
            self.refuse(at, "a key is a word, not a list or a mapping");
            return Err(Stop);
        }
        if self.frames.len() >= DEEPEST {
            self.refuse(at, format!("nested deeper than {DEEPEST} levels"));
            return Err(Stop);
        }
        self.enter();
        self.place(at, true);
        self.frames.push(frame);
        Ok(())
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Map { map, .. }) => self.put(Value::Object(map)),
            Some(Frame::List(list)) => self.put(Value::Array(list)),
            None => {}
        }
    }

    /// Puts a finished node into what holds it, and steps back up.
    fn put(&mut self, value: Value) {
        match self.frames.last_mut() {
            Some(Frame::Map { map, key }) => {
                if let Some(key) = key.take().filter(|k| !k.again) {
                    map.insert(key.text, value);
                }
            }
            Some(Frame::List(list)) => list.push(value),
            None => self.root = Some(value),
        }
        self.path = self.path.parent().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        Document::parse(text, "t").unwrap().value
    }

    fn refusals(text: &str) -> Vec<(usize, usize, String, String)> {
        Document::parse(text, "t")
            .unwrap_err()
            .into_iter()
            .map(|p| (p.line, p.column, p.path, p.message))
            .collect()
    }

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        let text = "a: on\nb: true\nc: 12\nd: -1.5\ne: 10m\nf: \"12\"\ng: ~\nh:\ni: 1.2.3.4\nj: 0x10\nk: 2025-01-01\nl: 1:30\nm: .5\nn: +7\no: 'x'\np: nan";
        let expect = json!({"a":"on","b":true,"c":12,"d":-1.5,"e":"10m","f":"12","g":null,"h":null,"i":"1.2.3.4","j":16,"k":"2025-01-01","l":"1:30","m":0.5,"n":7,"o":"x","p":"nan"});
        assert_eq!(value(text), expect);
        assert_eq!(value(""), Value::Null);
        assert_eq!(value("# only a comment\n"), Value::Null);
    }

    #[test]
    fn json_is_yaml() {
        assert_eq!(
            value("{\"a\": [1, {\"b\": \"c\"}], \"d\": null}"),
            json!({"a": [1, {"b": "c"}], "d": null})
        );
    }

    #[test]
    fn knows_where_everything_stands() {
        let text = "listen: x\nroutes:\n  chat:\n    tiers:\n      - targets: [ { model: m } ]\n";
        let d = Document::parse(text, "t").unwrap();
        let chat = Path::of(&["routes", "chat"]);
        assert_eq!(d.position(&Path::of(&["listen"])), (1, 9));
        assert_eq!(d.key_position(&Path::of(&["listen"])), (1, 1));
        assert_eq!(d.position(&chat), (3, 3));
        let model = chat
            .key("tiers")
            .index(0)
            .key("targets")
            .index(0)
            .key("model");
        assert_eq!(
            (d.position(&model), d.key_position(&model)),
            ((5, 29), (5, 22))
        );
        assert_eq!(d.position(&chat.key("missing").key("deeper")), (3, 3));
    }

    #[test]
    fn every_duplicate_is_reported_where_it_stands() {
        let found = refusals("a: 1\nb:\n  c: 1\n  c: {d: 1, d: 2}\na: 2\n");
        let expect = [
            (
                4,
                3,
                "b.c".to_owned(),
                "duplicate key: it stands in line 3 already".to_owned(),
            ),
            (
                4,
                13,
                "b.c.d".into(),
                "duplicate key: it stands in line 4 already".into(),
            ),
            (
                5,
                1,
                "a".into(),
                "duplicate key: it stands in line 1 already".into(),
            ),
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn refuses_what_two_readers_would_read_differently() {
        for (text, line, word) in [
            ("a: &x 1\nb: *x\n", 1, "anchors"),
            ("b: *x\n", 1, "not YAML"),
            ("a: !!str 1\n", 1, "tags"),
            ("a: 1\n---\nb: 2\n", 2, "second document"),
            ("? [a, b]\n: 1\n", 1, "key is a word"),
            ("a: [1, 2\nb: 3\n", 2, "not YAML"),
            ("a: \"open\n", 1, "not YAML"),
        ] {
            let found = refusals(text);
            assert!(
                found
                    .iter()
                    .any(|(l, _, _, m)| *l >= line && m.contains(word)),
                "{text:?}: {found:?}"
            );
        }
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(refusals(&deep)[0].3.contains("nested deeper than 64"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[-a-c:\\[\\]{}&*!|>'\"#, \n\t0-9?~%@`]{0,60}") {
            let _ = Document::parse(&text, "t");
        }
    }
}
