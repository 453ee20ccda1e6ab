//! A price as written in a price file: text until it is validated, dollars per million units as decimal strings.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use lintel_types::time::days_from_civil;
use lintel_types::{PricePerMillion, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `format` of a price in the JSON Schema.
pub const PRICE_FORMAT: &str = "lintel-price";

/// A file of prices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// The prices.
    pub prices: Vec<PriceEntry>,
}

/// What one model costs from one day on, in dollars per million units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    /// Only at the provider of this name in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only at providers of this host. An entry with neither provider nor host holds wherever the model is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The model's name; it also stands for its dated snapshots.
    #[schemars(length(min = 1))]
    pub model: String,
    /// The first day on which the price holds, from 00:00 UTC.
    pub effective: Date,
    /// Who says so: a page, a contract.
    #[schemars(length(min = 1))]
    pub source: String,
    /// Input that is neither read from nor written to a prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Price>,
    /// Input read from the prompt cache; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Price>,
    /// Input written to a prompt cache of 5 minutes; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Price>,
    /// Input written to a prompt cache of an hour; `cache_write_5m` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Price>,
    /// Audio input; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<Price>,
    /// Image and video input; `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_image: Option<Price>,
    /// Output that isn't reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Price>,
    /// Reasoning output; `output` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Price>,
    /// Audio output; `output` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<Price>,
    /// Image output; `output` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_image: Option<Price>,
    /// A million server-side web searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<Price>,
    /// A million requests, where a provider charges by the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Price>,
    /// Other prices for the whole call when its prompt is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_context: Option<LongContext>,
}

/// Prices of a call whose prompt is longer than a bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// They hold for calls with more input tokens than this, cached ones included.
    pub above: u64,
    /// Instead of the entry's `input`.
    pub input: Price,
    /// Instead of the entry's `cache_read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Price>,
    /// Instead of the entry's `cache_write_5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Price>,
    /// Instead of the entry's `cache_write_1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Price>,
    /// Instead of the entry's `output`.
    pub output: Price,
}

/// Dollars per million units, never negative, written as a decimal string: `"2.50"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(pub PricePerMillion);

/// A text that is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a price: write decimal dollars per million units in quotes, such as \"2.50\""
)]
pub struct NotAPrice(String);

impl FromStr for Price {
    type Err = NotAPrice;
    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        text.parse::<PricePerMillion>()
            .ok()
            .filter(|p| p.nanos() >= 0)
            .map(Self)
            .ok_or_else(|| NotAPrice(text.to_owned()))
    }
}

/// A calendar day in UTC: `2025-08-07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date: write a calendar day, such as 2025-08-07")]
pub struct NotADate(String);

impl Date {
    /// The day's first instant.
    pub fn start(self) -> Timestamp {
        let days = days_from_civil(
            i64::from(self.year),
            u32::from(self.month),
            u32::from(self.day),
        );
        Timestamp::from_millis(days * 86_400_000)
    }
}

impl FromStr for Date {
    type Err = NotADate;
    fn from_str(text: &str) -> Result<Self, NotADate> {
        let refused = || NotADate(text.to_owned());
        let mut parts = text.splitn(3, '-');
        let mut next = |digits: usize| {
            let part = parts
                .next()
                .filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|p| p.parse::<u16>().ok()).ok_or_else(refused)
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let longest = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        if year < 1970 || day == 0 || day > longest {
            return Err(refused());
        }
        Ok(Self {
            year,
            month: month as u8,
            day: day as u8,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(d)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": PRICE_FORMAT, "pattern": "^[0-9]+(\\.[0-9]{1,9})?$",
            "description": "Decimal dollars per million units, as a string."
        })
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "description": "A calendar day in UTC." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_real_days() {
        assert_eq!(
            "2000-02-29".parse::<Date>().unwrap().start().to_string(),
            "2000-02-29T00:00:00.000000Z"
        );
        for text in [
            "2025-02-29",
            "2025-13-01",
            "2025-00-01",
            "2025-01-00",
            "2025-1-1",
            "1969-12-31",
            "25-01-01",
            "2025-01-011",
            "+025-01-01",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn prices_are_never_negative_nor_numbers() {
        assert_eq!("2.50".parse::<Price>().unwrap().0.nanos(), 2_500_000_000);
        assert!("-1".parse::<Price>().is_err());
        assert!(serde_json::from_str::<Price>("2.5").is_err());
    }
}
