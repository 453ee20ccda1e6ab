//! A log line about anything but a call: start, reload, drain, a revoked key.
//!
//! One JSON object a line: time, level, message, then the event's own fields in the order given.
//! An event is named by a fixed message, never by text pasted together, so that it can be searched.

use std::borrow::Cow;

use lintel_types::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Most lines fit, so that one allocation makes a line.
const USUAL_LINE: usize = 1024;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Level {
    /// For the person who looks for a fault.
    Debug,
    /// What happened, as it should.
    #[default]
    Info,
    /// Something failed and was dealt with.
    Warn,
    /// Something failed and needs a person.
    Error,
}

impl Level {
    /// The name in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }

    /// The level of that name.
    pub fn by_name(name: &str) -> Option<Level> {
        [Level::Debug, Level::Info, Level::Warn, Level::Error]
            .into_iter()
            .find(|l| l.name() == name)
    }
}

/// A field's value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Field<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A count or size.
    Count(u64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Field::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Field<'_> {
    fn from(text: String) -> Self {
        Field::Text(Cow::Owned(text))
    }
}

impl From<u64> for Field<'_> {
    fn from(n: u64) -> Self {
        Field::Count(n)
    }
}

impl From<usize> for Field<'_> {
    fn from(n: usize) -> Self {
        Field::Count(n as u64)
    }
}

impl From<bool> for Field<'_> {
    fn from(flag: bool) -> Self {
        Field::Flag(flag)
    }
}

/// One event to be logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent<'a> {
    time: Timestamp,
    level: Level,
    msg: &'static str,
    fields: Vec<(&'static str, Field<'a>)>,
}

impl<'a> LogEvent<'a> {
    /// An event of `level` at `time`.
    pub fn new(time: Timestamp, level: Level, msg: &'static str) -> Self {
        Self {
            time,
            level,
            msg,
            fields: Vec::new(),
        }
    }

    /// With a field. A name that is taken (`time`, `level`, `msg`, or an earlier field's) changes nothing:
    /// a line never carries a key twice.
    pub fn field(mut self, name: &'static str, value: impl Into<Field<'a>>) -> Self {
        let taken =
            ["time", "level", "msg"].contains(&name) || self.fields.iter().any(|(n, _)| *n == name);
        if !taken {
            self.fields.push((name, value.into()));
        }
        self
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The event as a line of JSON, newline included.
    pub fn line(&self) -> Vec<u8> {
        json_line(self)
    }
}

impl Serialize for LogEvent<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(3 + self.fields.len()))?;
        map.serialize_entry("time", &Shown(self.time))?;
        map.serialize_entry("level", self.level.name())?;
        map.serialize_entry("msg", self.msg)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A value as the text that `Display` gives.
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// `value` as one line. Maps here have string keys and writing to memory can't fail; should serde
/// disagree, the line is empty rather than the process dead.
pub(crate) fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::with_capacity(USUAL_LINE);
    if serde_json::to_writer(&mut line, value).is_err() {
        line.clear();
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let event = LogEvent::new(Timestamp::from_micros(1), Level::Warn, "reload refused")
            .field("file", "lintel.yaml\n{\"level\":\"info\"}")
            .field("errors", 2usize)
            .field("kept", true);
        let line = String::from_utf8(event.line()).unwrap();
        assert_eq!(
            line,
            "{\"time\":\"1970-01-01T00:00:00.000001Z\",\"level\":\"warn\",\"msg\":\"reload refused\",\
             \"file\":\"lintel.yaml\\n{\\\"level\\\":\\\"info\\\"}\",\"errors\":2,\"kept\":true}\n"
        );
    }

    #[test]
    fn no_key_stands_twice() {
        let event = LogEvent::new(Timestamp::default(), Level::Info, "x")
            .field("level", "error")
            .field("a", 1u64)
            .field("a", 2u64);
        assert_eq!(event.line(), b"{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\",\"msg\":\"x\",\"a\":1}\n");
    }

    #[test]
    fn levels_are_found_by_name_and_ordered() {
        for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
            assert_eq!(Level::by_name(level.name()), Some(level));
        }
        assert_eq!(Level::by_name("loud"), None);
        assert!(Level::Debug < Level::Info && Level::Warn < Level::Error);
    }
}
