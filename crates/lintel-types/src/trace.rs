//! W3C trace context, level 1: reading a caller's `traceparent` and writing that of an attempt.
//!
//! A value that is not exactly as the standard has it is as good as none: half a trace is worse than a new one.
//! <https://www.w3.org/TR/trace-context/#traceparent-header>

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::ids::ExchangeId;

/// Bytes of a value of version 00.
const LENGTH: usize = 55;
/// The one flag of version 00: the caller records this trace.
const SAMPLED: u8 = 1;

/// What a caller's `traceparent` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: Arc<str>,
    /// The caller records this trace.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads a header's value; none unless it is valid.
    pub fn read(value: &str) -> Option<Self> {
        let hex = |text: &str, digits: usize| {
            let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            text.len() == digits && text.bytes().all(lower)
        };
        let some = |text: &str| text.bytes().any(|b| b != b'0');
        let mut fields = value.split('-');
        let version = fields.next().filter(|v| hex(v, 2) && *v != "ff")?;
        let trace = fields.next().filter(|id| hex(id, 32) && some(id))?;
        fields.next().filter(|id| hex(id, 16) && some(id))?;
        let flags = fields.next().filter(|f| hex(f, 2))?;
        // Later versions may have more, behind a dash.
        if version == "00" && value.len() != LENGTH {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self {
            trace_id: Arc::from(trace),
            sampled: flags & SAMPLED != 0,
        })
    }

    /// The value that an attempt carries: the caller's trace, with the attempt as the parent of what follows.
    pub fn of_attempt(&self, span: SpanId) -> String {
        format!("00-{}-{span}-{:02x}", self.trace_id, u8::from(self.sampled))
    }
}

/// The span of one attempt: known to whoever knows the exchange and the ordinal, so that no record has to hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId(u64);

impl SpanId {
    /// The span of an exchange's attempt; ordinals begin with 1.
    pub fn of(exchange: ExchangeId, ordinal: u8) -> Self {
        // Time, sequence and randomness of the id are spread over all bits: SplitMix64's finaliser.
        let id = u128::from_be_bytes(exchange.to_bytes());
        let mut bits = (id as u64) ^ ((id >> 64) as u64).rotate_left(17);
        bits = bits.wrapping_add(u64::from(ordinal).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // Zero is no span.
        Self((bits ^ (bits >> 31)).max(1))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_value_is_as_the_standard_has_it_or_none() {
        let valid = [
            (format!("00-{TRACE}-00f067aa0ba902b7-01"), true),
            (format!("00-{TRACE}-00f067aa0ba902b7-00"), false),
            (format!("00-{TRACE}-00f067aa0ba902b7-ff"), true),
            (format!("cc-{TRACE}-00f067aa0ba902b7-01"), true),
            (
                format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later"),
                true,
            ),
        ];
        for (value, sampled) in valid {
            let read = TraceParent::read(&value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!((&*read.trace_id, read.sampled), (TRACE, sampled), "{value}");
        }
        for value in [
            String::new(),
            "nonsense".to_owned(),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("0-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-00F067AA0BA902B7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
            format!("00-{TRACE}-00f067aa0ba902b7-0x"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-00f067aa0ba902b7-011"),
            format!(" 00-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b-01"),
            format!("00_{TRACE}_00f067aa0ba902b7_01"),
        ] {
            assert_eq!(TraceParent::read(&value), None, "{value}");
        }
    }

    #[test]
    fn an_attempt_is_a_span_of_its_own_in_the_callers_trace() {
        let parent = TraceParent::read(&format!("00-{TRACE}-00f067aa0ba902b7-03")).unwrap();
        let exchange = ExchangeId::floor_at(Timestamp::from_millis(1_795_503_600_000));
        let spans: Vec<SpanId> = (1..=16).map(|n| SpanId::of(exchange, n)).collect();
        for (i, span) in spans.iter().enumerate() {
            assert!(!spans[..i].contains(span));
            let value = parent.of_attempt(*span);
            assert_eq!(value, format!("00-{TRACE}-{span}-01"));
            assert_eq!(TraceParent::read(&value), Some(parent.clone()), "{value}");
        }
    }
}
