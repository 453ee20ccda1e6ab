//! What the simulated provider can be configured to do. Every field is optional; none means "as a healthy provider".

use std::fmt;
use std::time::Duration;

use lintel_types::Protocol;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provider;

/// The most tokens one choice may have; larger wishes are cut to this, so that no request can exhaust memory.
pub(super) const MAX_TOKENS: usize = 100_000;

/// Behaviour of the simulated provider. Options in a model's name override it, one by one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// The protocol that it speaks, whatever its caller's: calls of other protocols are translated. Default: the caller's.
    #[serde(
        deserialize_with = "provider::named_if",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "provider::names_spoken")]
    pub speaks: Option<Protocol>,
    /// Time before the first byte of an answer, such as `60ms` or `2s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Pause>,
    /// Time between tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_token: Option<Pause>,
    /// Length of a text answer in tokens, at most 100000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Length of a text answer in bytes, at most 400000; `tokens` wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
    /// Input tokens to report, cached ones included, instead of those counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Output tokens to report, reasoning included, instead of those counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Input tokens to report as read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// Output tokens to report as spent on reasoning; they count against the request's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Answer with this HTTP error status, 400 to 599, and the dialect's error body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_status: Option<Status>,
    /// Share of calls, in percent, that the configured faults strike; 100 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_percent: Option<Percent>,
    /// Close the connection after this many events, or in the middle of a body that is no stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torn_after: Option<u32>,
    /// Fall silent for good after this many events, or in the middle of a body that is no stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_after: Option<u32>,
    /// Send an error event inside the successful stream after this many events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_event_after: Option<u32>,
    /// Send something that isn't what the protocol promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed: Option<Malformed>,
    /// How usage is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// A body, or one event, that isn't JSON.
    Json,
    /// Bytes that aren't UTF-8 inside a string.
    Utf8,
    /// Status 200 with an HTML page.
    Html,
    /// Status 200 and an empty body or a stream without events.
    Empty,
    /// One line of 64 MB.
    LongLine,
}

/// How usage is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageReport {
    /// As counted.
    Truthful,
    /// Not at all.
    Missing,
    /// With parts that don't add up to the whole.
    Contradictory,
}

/// A duration written as a whole number and a unit: `ms`, `s`, `m`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pause(pub Duration);

impl TryFrom<String> for Pause {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let millis_per_unit = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            _ => None,
        };
        number
            .parse::<u64>()
            .ok()
            .zip(millis_per_unit)
            .and_then(|(n, unit)| n.checked_mul(unit))
            .map(|millis| Pause(Duration::from_millis(millis)))
            .ok_or_else(|| {
                format!(
                    "`{text}` is no duration: write a whole number and ms, s or m, such as `60ms`"
                )
            })
    }
}

impl From<Pause> for String {
    fn from(pause: Pause) -> String {
        pause.to_string()
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

/// An HTTP error status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(with = "u16")]
pub struct Status(u16);

impl Status {
    /// The number, 400 to 599.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        if (400..=599).contains(&status) {
            Ok(Self(status))
        } else {
            Err(format!("{status} is no error status: use 400 to 599"))
        }
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> u16 {
        status.0
    }
}

/// A share of 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Every call.
    pub const ALL: Percent = Percent(100);

    /// The number, 0 to 100.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(percent: u8) -> Result<Self, String> {
        if percent <= 100 {
            Ok(Self(percent))
        } else {
            Err(format!("{percent} is no percentage: use 0 to 100"))
        }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> u8 {
        percent.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_and_refuses_the_rest() {
        for (text, millis) in [("60ms", 60), ("2s", 2_000), ("1m", 60_000), ("0ms", 0)] {
            assert_eq!(
                Pause::try_from(text.to_owned()).unwrap().0.as_millis(),
                millis,
                "{text}"
            );
        }
        for text in [
            "",
            "60",
            "ms",
            "-1s",
            "1.5s",
            "1h",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(Pause::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_unknown_fields_and_numbers_out_of_range() {
        for bad in [
            r#"{"latency":"1s"}"#,
            r#"{"error_status":200}"#,
            r#"{"fault_percent":101}"#,
            r#"{"first_token":60}"#,
        ] {
            assert!(serde_json::from_str::<SandboxConfig>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        let text = r#"{"first_token":"60ms","error_status":429,"fault_percent":30,"malformed":"long_line","usage":"missing"}"#;
        let config: SandboxConfig = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), text);
    }
}
