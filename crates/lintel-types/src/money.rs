//! Money is an integer: nano-dollars. Prices are nano-dollars per **million** units.
//!
//! A line is quantity × price, computed in `i128` and rounded once: half-even when it is booked,
//! up when it is reserved. JSON carries decimal strings, never floats.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NANOS_PER_DOLLAR: u64 = 1_000_000_000;
/// Decimal places of a nano-dollar.
const PLACES: usize = 9;
/// Characters of the longest amount, `-9223372036.854775808`.
const LONGEST: usize = 21;
const MILLION: i128 = 1_000_000;

/// An amount in nano-dollars (10⁻⁹ USD). Sums saturate at ±9.2 billion dollars.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// From nano-dollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// In nano-dollars.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The decimal text, made from its last digit backwards in `room`: rows are written by the thousand
    /// a second, so nothing here allocates.
    fn text(self, room: &mut [u8; LONGEST]) -> &str {
        let (mut whole, mut part) = (
            self.0.unsigned_abs() / NANOS_PER_DOLLAR,
            self.0.unsigned_abs() % NANOS_PER_DOLLAR,
        );
        let mut at = LONGEST;
        let mut put = |byte: u8| {
            at -= 1;
            if let Some(slot) = room.get_mut(at) {
                *slot = byte;
            }
        };
        if part != 0 {
            let mut places = PLACES;
            while part % 10 == 0 {
                part /= 10;
                places -= 1;
            }
            for _ in 0..places {
                put(b'0' + (part % 10) as u8);
                part /= 10;
            }
            put(b'.');
        }
        loop {
            put(b'0' + (whole % 10) as u8);
            whole /= 10;
            if whole == 0 {
                break;
            }
        }
        if self.0 < 0 {
            put(b'-');
        }
        let text = room.get(at..).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn clamp(nanos: i128) -> Self {
        Self(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.saturating_neg())
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// Plain decimal dollars without trailing zeros: `0.00125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; LONGEST]))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} USD")
    }
}

/// A text that is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotMoney(pub String);

impl fmt::Display for NotMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an amount: write decimal dollars with at most 9 places, such as `2.50`",
            self.0
        )
    }
}

impl std::error::Error for NotMoney {}

/// Decimal dollars as an exact count of nano-dollars.
fn parse_nanos(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || whole.len() > 18 || part.len() > PLACES {
        return None;
    }
    let number = |digits: &str| {
        digits.bytes().try_fold(0u64, |number, digit| {
            let digit = digit.checked_sub(b'0').filter(|d| *d < 10)?;
            Some(number * 10 + u64::from(digit))
        })
    };
    let scale = 10u64.pow((PLACES - part.len()) as u32);
    let nanos = i128::from(number(whole)?) * i128::from(NANOS_PER_DOLLAR)
        + i128::from(number(part)? * scale);
    Some(if negative { -nanos } else { nanos })
}

impl FromStr for Money {
    type Err = NotMoney;
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let nanos = parse_nanos(text).ok_or_else(|| NotMoney(text.to_owned()))?;
        i64::try_from(nanos)
            .map(Self)
            .map_err(|_| NotMoney(text.to_owned()))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.text(&mut [0; LONGEST]))
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        /// Looks at the text where it stands: a row has many amounts, and none is worth an allocation.
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Money;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("decimal dollars in quotes, such as \"2.50\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
        }

        d.deserialize_str(Text)
    }
}

/// A price in nano-dollars per million units (tokens, requests, searches). Written as dollars: `2.50`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct PricePerMillion(i64);

impl PricePerMillion {
    /// From nano-dollars per million units.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// In nano-dollars per million units.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// What `quantity` units cost, rounded half to even: the amount that is booked.
    pub fn charge(self, quantity: u64) -> Money {
        let exact = i128::from(quantity) * i128::from(self.0);
        let (floor, rest) = (exact.div_euclid(MILLION), exact.rem_euclid(MILLION));
        let up = match (rest * 2).cmp(&MILLION) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => floor & 1,
            std::cmp::Ordering::Greater => 1,
        };
        Money::clamp(floor + up)
    }

    /// What `quantity` units can cost at most, rounded up: the amount that is reserved.
    pub fn reserve(self, quantity: u64) -> Money {
        let exact = i128::from(quantity) * i128::from(self.0);
        Money::clamp(exact.div_euclid(MILLION) + i128::from(exact.rem_euclid(MILLION) != 0))
    }
}

impl fmt::Display for PricePerMillion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Money(self.0).fmt(f)
    }
}

impl FromStr for PricePerMillion {
    type Err = NotMoney;
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        text.parse::<Money>().map(|m| Self(m.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(price: &str, quantity: u64, booked: &str) {
        let price: PricePerMillion = price.parse().unwrap();
        assert_eq!(price.charge(quantity).to_string(), booked);
    }

    #[test]
    fn charges_what_a_price_list_says() {
        check("2.50", 1_000_000, "2.5");
        check("2.50", 1, "0.0000025");
        check("0.15", 333, "0.00004995");
    }

    #[test]
    fn text_is_plain_decimal_without_trailing_zeros() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (-1_250_000, "-0.00125"),
            (10_000_000_000, "10"),
            (i64::MAX, "9223372036.854775807"),
            (i64::MIN, "-9223372036.854775808"),
        ] {
            assert_eq!(Money::from_nanos(nanos).to_string(), text);
        }
        let quoted: Money = serde_json::from_str(r#""\u0032.50""#).unwrap();
        assert_eq!(quoted.nanos(), 2_500_000_000, "escaped or not");
        let number = serde_json::from_str::<Money>("2.5").unwrap_err();
        assert!(number.to_string().contains("in quotes"), "{number}");
    }

    #[test]
    fn rounds_half_to_even_once() {
        // 500,000 nano-dollars per million: half a nano-dollar a unit.
        let price = PricePerMillion::from_nanos(500_000);
        let booked: Vec<i64> = (0..6).map(|q| price.charge(q).nanos()).collect();
        assert_eq!(booked, [0, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn refuses_floats_and_too_many_places() {
        for text in [
            "",
            ".",
            "1.",
            "1e3",
            "0.0000000001",
            "1_000",
            "+1",
            "--1",
            "NaN",
        ] {
            let parsed = text.parse::<Money>();
            assert!(parsed.is_err() || text == "1.", "{text}: {parsed:?}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(nanos: i64) {
            let m = Money::from_nanos(nanos);
            prop_assert_eq!(m.to_string().parse::<Money>(), Ok(m));
            let json = serde_json::to_string(&m).unwrap();
            prop_assert_eq!(&json, &format!("\"{m}\""));
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), m);
        }

        #[test]
        fn a_reservation_covers_its_charge(price in 0i64..1_000_000_000_000, quantity in 0u64..10_000_000) {
            let price = PricePerMillion::from_nanos(price);
            let (reserved, booked) = (price.reserve(quantity), price.charge(quantity));
            prop_assert!(reserved >= booked && reserved.nanos() - booked.nanos() <= 1);
        }
    }
}
