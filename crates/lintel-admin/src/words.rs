//! The words of requests and answers that mean the same everywhere: names, labels, times, money.
//!
//! Each is a type that carries its own schema, so that the OpenAPI document says of every field what
//! the parser takes and the answer holds. What a name may be is decided by the store; here stands the pattern that says so.

use std::borrow::Cow;

use lintel_types::{Money, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::instant::{self, Direction};
use crate::problem::Problem;

macro_rules! word {
    ($type:ident, $name:literal, $($schema:tt)+) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

/// The name of a tenant, project or token. The store decides what it takes; this is refused where it is read,
/// so that a filter by what can't be a name is an error and not an empty list.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(pub(crate) String);
word!(Name, "Name", {
    "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$",
    "description": "1 to 64 letters, digits, `.`, `_` or `-`"
});

impl TryFrom<String> for Name {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let sound = (1..=64).contains(&text.len()) && text.chars().all(plain);
        let why = "not a name: use 1 to 64 letters, digits, `.`, `_` or `-`";
        sound.then_some(Self(text)).ok_or(why)
    }
}

/// A text for people.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Label(pub(crate) String);
word!(Label, "Label", {
    "type": "string", "maxLength": 64, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    "description": "up to 64 printable characters"
});

/// A longer text for people, on one line.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Line(pub(crate) String);
word!(Line, "Line", {
    "type": "string", "maxLength": 256, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    "description": "up to 256 printable characters"
});

/// A length of time as a request writes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Span(pub(crate) String);
word!(Span, "Span", {
    "type": "string", "pattern": "^[0-9]{1,7}[smhdw]$", "description": "a span: `90s`, `15m`, `24h`, `30d`, `2w`",
    "examples": ["24h"]
});

impl Span {
    /// Its length; `field` is what the request calls it.
    ///
    /// # Errors
    /// A problem that names the field, when it is no span.
    pub(crate) fn duration(&self, field: &str) -> Result<std::time::Duration, Problem> {
        let wrong = || {
            let shown: String = self.0.chars().take(64).collect();
            Problem::invalid(format!(
                "{field}: `{shown}` is not a span: write `90s`, `15m`, `24h`, `30d` or `2w`"
            ))
        };
        let span = instant::span(&self.0).ok_or_else(wrong)?;
        Some(span).filter(|_| self.0.len() <= 8).ok_or_else(wrong)
    }
}

/// A time as a request writes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct When(pub(crate) String);
word!(When, "When", {
    "type": "string",
    "pattern": "^([0-9]{1,7}[smhdw]|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]))?)$",
    "description": "a span (`90s`, `15m`, `24h`, `30d`, `2w`), an RFC 3339 time, or a date, which means its midnight in UTC",
    "examples": ["30d", "2099-12-31T00:00:00Z", "2099-12-31"]
});

impl When {
    /// The instant that it names; `field` is what the request calls it.
    ///
    /// # Errors
    /// A problem that names the field, when it is no time.
    pub(crate) fn at(
        &self,
        field: &str,
        now: Timestamp,
        direction: Direction,
    ) -> Result<Timestamp, Problem> {
        instant::parse(&self.0, now, direction)
            .map_err(|error| Problem::invalid(format!("{field}: {error}")))
    }
}

/// `when` as an instant in the past, if it was given.
///
/// # Errors
/// As [`When::at`].
pub(crate) fn past(
    field: &str,
    when: Option<&When>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    when.map(|when| when.at(field, now, Direction::Past))
        .transpose()
}

/// A time as an answer shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);
word!(Moment, "Moment", {
    "type": "string", "format": "date-time", "description": "RFC 3339 in UTC, to the microsecond"
});

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Money as an answer shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal(pub(crate) Money);
word!(Decimal, "Decimal", {
    "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$", "description": "USD, exact"
});

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
