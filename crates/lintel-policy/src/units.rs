//! How lengths of time and sizes are written in configuration: a whole number and its unit.
//!
//! A bare number is refused: `timeout: 30` has been read as seconds and as milliseconds by different people.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not what its unit asks for. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: write a whole number and a unit, such as {example}")]
pub struct NotAUnit {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// A length of time: `500ms`, `2s`, `10m`, `24h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A number of bytes: `64KB`, `32MB`, `2GB` (powers of 1024), or `100B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

/// Units of time in milliseconds, the largest first: the order in which a value is shown.
const TIMES: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size in bytes, the largest first.
const SIZES: [(&str, u64); 4] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];

/// The longest period that may be written; a larger one is a mistake, and would overflow arithmetic on instants.
const LONGEST_DAYS: u64 = 3_650;

/// `format` of a period in the JSON Schema.
pub const PERIOD_FORMAT: &str = "lintel-period";

/// `format` of a size in the JSON Schema.
pub const SIZE_FORMAT: &str = "lintel-size";

/// A number followed by one of `units`, in the smallest unit.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(split)?;
    let scale = units.iter().find(|(name, _)| *name == unit)?.1;
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

/// The inverse of [`parse`]: the largest unit that divides the value.
fn show(value: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match units
        .iter()
        .find(|(_, scale)| value != 0 && value.is_multiple_of(*scale))
        .or(units.last())
    {
        Some((name, scale)) => write!(f, "{}{name}", value / scale),
        None => write!(f, "{value}"),
    }
}

impl FromStr for Period {
    type Err = NotAUnit;
    fn from_str(text: &str) -> Result<Self, NotAUnit> {
        let refused = || NotAUnit {
            text: text.to_owned(),
            what: "length of time up to 3650d",
            example: "500ms, 2s, 10m, 24h or 30d",
        };
        let millis = parse(text, &TIMES)
            .filter(|ms| *ms <= LONGEST_DAYS * 86_400_000)
            .ok_or_else(refused)?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl FromStr for Size {
    type Err = NotAUnit;
    fn from_str(text: &str) -> Result<Self, NotAUnit> {
        let refused = || NotAUnit {
            text: text.to_owned(),
            what: "size",
            example: "64KB, 32MB or 2GB",
        };
        let bytes = parse(text, &SIZES)
            .and_then(|b| usize::try_from(b).ok())
            .ok_or_else(refused)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(
            u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX),
            &TIMES,
            f,
        )
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0 as u64, &SIZES, f)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": PERIOD_FORMAT, "pattern": "^[0-9]+(ms|s|m|h|d)$",
            "description": "A whole number and a unit: ms, s, m, h or d."
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": SIZE_FORMAT, "pattern": "^[0-9]+(B|KB|MB|GB)$",
            "description": "A whole number and a unit: B, KB, MB or GB (powers of 1024)."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_the_same_text() {
        for text in ["500ms", "2s", "10m", "24h", "30d", "0ms", "1500ms"] {
            let shown = text.parse::<Period>().unwrap().to_string();
            assert_eq!(
                shown.parse::<Period>().unwrap(),
                text.parse::<Period>().unwrap(),
                "{text}"
            );
        }
        assert_eq!("90s".parse::<Period>().unwrap().to_string(), "90s");
        assert_eq!("120s".parse::<Period>().unwrap().to_string(), "2m");
        for text in ["100B", "64KB", "32MB", "2GB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_has_no_unit_or_overflows() {
        for text in [
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "10M",
            "99999999999999999999s",
            "3651d",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        for text in [
            "",
            "32",
            "MB",
            "1.5MB",
            "32mb",
            "99999999999999999999GB",
            "18446744073709551615GB",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
