//! Ids of exchanges and attempts: time-ordered, carrying the node that made them.
//!
//! Layout of an [`ExchangeId`], most significant first: 48 bits of Unix milliseconds, 16 bits of
//! sequence, 16 bits of node, 48 random bits. Ids of one node never go backwards, also when the
//! wall clock does: [`IdSource`] keeps the last (milliseconds, sequence) and only moves forward.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Timestamp;

/// A process of a deployment. One machine is node 0; many nodes are given distinct numbers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct NodeId(pub u16);

/// What an exchange is: one call, a long session (realtime), or a job that ends hours later (batch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// One request, one answer.
    Call,
    /// Frames in, frames out, over one connection.
    Session,
    /// Answered later; its settlement stays pending.
    Job,
}

/// One exchange's id: ours, never the client's. Shown as `ex_` and 26 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(u128);

/// Crockford's base 32, lower case: no i, l, o, u. <https://www.crockford.com/base32.html>
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CHARS: usize = 26;
const PREFIX: &str = "ex_";
/// Bytes of an id's text.
const LENGTH: usize = PREFIX.len() + CHARS;
/// The digit that each byte stands for; [`NO_DIGIT`] for the others.
const DIGITS: [u8; 256] = digits();
const NO_DIGIT: u8 = 32;

#[expect(
    clippy::indexing_slicing,
    reason = "runs in the compiler, where an index out of bounds is an error"
)]
const fn digits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        table[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
}

impl ExchangeId {
    /// The 128 bits, big-endian: the order of the bytes is the order in time.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The inverse of [`ExchangeId::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// When the id was made, to the millisecond (never earlier than the node's previous id).
    pub fn made_at(self) -> Timestamp {
        Timestamp::from_millis((self.0 >> 80) as i64)
    }

    /// The node that made it.
    pub fn node(self) -> NodeId {
        NodeId((self.0 >> 48) as u16)
    }

    /// The smallest id that could have been made at `at`: a bound for range queries.
    pub fn floor_at(at: Timestamp) -> Self {
        Self((at.as_millis().max(0) as u128) << 80)
    }

    /// The id's text, made in `room`.
    fn text(self, room: &mut [u8; LENGTH]) -> &str {
        let (prefix, chars) = room.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        let mut rest = self.0;
        for slot in chars.iter_mut().rev() {
            let digit = (rest & 31) as usize;
            *slot = ALPHABET.get(digit).copied().unwrap_or(b'0');
            rest >>= 5;
        }
        std::str::from_utf8(room).unwrap_or_default()
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; LENGTH]))
    }
}

impl fmt::Debug for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an exchange id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an exchange id: expected `ex_` and 26 characters")
    }
}

impl std::error::Error for NotAnId {}

impl FromStr for ExchangeId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotAnId)?;
        if digits.len() != CHARS || digits.as_bytes().first().is_none_or(|c| *c > b'7') {
            return Err(NotAnId);
        }
        let mut bits = 0u128;
        // Bits that no digit has: seen once behind the loop, which then has no branch.
        let mut wrong = 0;
        for byte in digits.bytes() {
            let digit = DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
            wrong |= digit & NO_DIGIT;
            bits = (bits << 5) | u128::from(digit);
        }
        if wrong == 0 {
            Ok(Self(bits))
        } else {
            Err(NotAnId)
        }
    }
}

impl Serialize for ExchangeId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.text(&mut [0; LENGTH]))
    }
}

impl<'de> Deserialize<'de> for ExchangeId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        /// Looks at the text where it stands, without an allocation.
        struct Text;

        impl Visitor<'_> for Text {
            type Value = ExchangeId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`ex_` and 26 characters")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ExchangeId, E> {
                text.parse().map_err(E::custom)
            }
        }

        d.deserialize_str(Text)
    }
}

/// One attempt of an exchange; `ordinal` counts from 1 in the order of dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId {
    /// Whose attempt it is.
    pub exchange: ExchangeId,
    /// 1 for the first dispatch.
    pub ordinal: u8,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.exchange, self.ordinal)
    }
}

/// Makes the ids of one node. Shared by every thread; one atomic operation an id.
#[derive(Debug)]
pub struct IdSource {
    node: NodeId,
    /// Milliseconds << 16 | sequence of the last id.
    last: AtomicU64,
}

impl IdSource {
    /// A source for `node`.
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            last: AtomicU64::new(0),
        }
    }

    /// The node whose ids these are.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The next id. `random` needs 48 unpredictable bits; more are ignored.
    pub fn next(&self, now: Timestamp, random: u64) -> ExchangeId {
        let wanted = (now.as_millis().max(0) as u64) << 16;
        let step = |last: u64| Some(wanted.max(last.wrapping_add(1)));
        let last = match self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
        {
            Ok(last) | Err(last) => last,
        };
        let stamp = wanted.max(last.wrapping_add(1));
        let low = (u64::from(self.node.0) << 48) | (random & 0xffff_ffff_ffff);
        ExchangeId((u128::from(stamp) << 64) | u128::from(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_never_go_backwards_when_the_clock_does() {
        let ids = IdSource::new(NodeId(7));
        let a = ids.next(Timestamp::from_millis(2_000), 1);
        let b = ids.next(Timestamp::from_millis(1_000), 2);
        let c = ids.next(Timestamp::from_millis(2_000), 3);
        assert!(a < b && b < c, "{a} {b} {c}");
        assert_eq!(c.node(), NodeId(7));
        assert_eq!(a.made_at(), Timestamp::from_millis(2_000));
    }

    #[test]
    fn refuses_what_is_not_an_id() {
        for text in [
            "",
            "ex_",
            "ex_0",
            "xx_00000000000000000000000000",
            "ex_80000000000000000000000000",
            "ex_0000000000000000000000000u",
            "ex_0000000000000000000000000A",
            "ex_000000000000000000000000\u{e9}",
        ] {
            assert_eq!(text.parse::<ExchangeId>(), Err(NotAnId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips_and_keeps_order(a: u128, b: u128) {
            let (x, y) = (ExchangeId(a), ExchangeId(b));
            prop_assert_eq!(x.to_string().parse::<ExchangeId>(), Ok(x));
            let json = serde_json::to_string(&x).unwrap();
            prop_assert_eq!(&json, &format!("\"{x}\""));
            prop_assert_eq!(serde_json::from_str::<ExchangeId>(&json).unwrap(), x);
            prop_assert_eq!(x.cmp(&y), x.to_string().cmp(&y.to_string()));
        }
    }
}
