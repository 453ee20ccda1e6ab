//! A share of a whole, as it is written in configuration: `10%`, `0.5%`, `100%`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `format` of a share in the JSON Schema.
pub(crate) const SHARE_FORMAT: &str = "lintel-share";

/// A share of a whole, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a share: write 0% to 100% with at most two decimal places, such as 10% or 0.5%"
)]
pub struct NotAShare(String);

impl Share {
    /// Everything.
    pub const ALL: Share = Share(10_000);

    /// In hundredths of a percent: 10,000 is everything.
    pub const fn per_ten_thousand(self) -> u16 {
        self.0
    }
}

impl FromStr for Share {
    type Err = NotAShare;
    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let refused = || NotAShare(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(refused)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |t: &str, most: usize| {
            (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(part, 2) {
            return Err(refused());
        }
        let hundredths = format!("{whole}{part:0<2}").parse::<u32>().ok();
        let value = hundredths.and_then(|n| u16::try_from(n).ok());
        value
            .filter(|n| *n <= Self::ALL.0)
            .map(Share)
            .ok_or_else(refused)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", part / 10),
            _ => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": SHARE_FORMAT,
            "pattern": "^[0-9]{1,3}(\\.[0-9]{1,2})?%$",
            "description": "A share of a whole.",
            "examples": ["10%", "0.5%"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_and_shown() {
        for (text, value) in [
            ("0%", 0),
            ("10%", 1_000),
            ("0.5%", 50),
            ("0.05%", 5),
            ("12.25%", 1_225),
            ("100%", 10_000),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!(
                (share.per_ten_thousand(), share.to_string().as_str()),
                (value, text)
            );
        }
        for text in [
            "10", "101%", "100.01%", "-1%", "1.234%", ".5%", "5.%", "%", "1e1%", "+5%", "٣%",
        ] {
            assert!(
                text.parse::<Share>()
                    .unwrap_err()
                    .to_string()
                    .contains("0% to 100%"),
                "{text}"
            );
        }
    }
}
