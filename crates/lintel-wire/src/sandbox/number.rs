//! Numbers within the bounds of a JSON schema.

use serde_json::{Number, Value};

use super::schema::Plain;

/// A bound of a number, and whether it is exclusive.
type Bound = Option<(f64, bool)>;

/// The lower and the upper bound: of the inclusive and the exclusive keyword the stricter one.
fn limits(schema: &Plain) -> (Bound, Bound) {
    let get = |key: &str, exclusive: bool| {
        schema
            .get(key)
            .and_then(Value::as_f64)
            .map(|v| (v, exclusive))
    };
    let stricter = |a: Bound, b: Bound, greater: bool| match (a, b) {
        (Some(a), Some(b)) => Some(if a.0 == b.0 || ((b.0 > a.0) == greater) {
            b
        } else {
            a
        }),
        (a, b) => a.or(b),
    };
    let low = stricter(get("minimum", false), get("exclusiveMinimum", true), true);
    let high = stricter(get("maximum", false), get("exclusiveMaximum", true), false);
    (low, high)
}

/// A whole number; `salt` makes the members of a list differ.
pub(super) fn integer(schema: &Plain, salt: usize) -> Value {
    let (low, high) = limits(schema);
    let low = low.map(|(v, exclusive)| if exclusive { v.floor() + 1.0 } else { v.ceil() } as i64);
    let high = high.map(|(v, exclusive)| if exclusive { v.ceil() - 1.0 } else { v.floor() } as i64);
    let step = schema
        .get("multipleOf")
        .and_then(Value::as_f64)
        .map_or(1, |m| m.ceil() as i64)
        .max(1);
    let start = match (low, high) {
        (Some(low), _) => low,
        (None, Some(high)) => high
            .min(1)
            .saturating_sub(step.saturating_mul(salt as i64 + 1)),
        (None, None) => 1,
    };
    let first = start
        .checked_add((-start).rem_euclid(step))
        .unwrap_or(start);
    let wanted = first.saturating_add(step.saturating_mul(salt as i64));
    Value::from(if high.is_some_and(|high| wanted > high) {
        first
    } else {
        wanted
    })
}

/// A number, with a fraction where the bounds leave room; `salt` as for [`integer`].
pub(super) fn number(schema: &Plain, salt: usize) -> Value {
    let (low, high) = limits(schema);
    let free = match (low, high) {
        (Some((low, _)), Some((high, _))) => low + (high - low) / (2.0 + salt as f64),
        (Some((low, _)), None) => low + 1.5 + salt as f64,
        (None, Some((high, _))) => high - 1.5 - salt as f64,
        (None, None) => 1.5 + salt as f64,
    };
    let Some(step) = schema
        .get("multipleOf")
        .and_then(Value::as_f64)
        .filter(|s| *s > 0.0)
    else {
        return from_f64(free);
    };
    // Zero is a multiple of everything, exactly; other multiples are rounded products.
    let zero_fits = low.is_none_or(|(v, ex)| v < 0.0 || (v == 0.0 && !ex))
        && high.is_none_or(|(v, ex)| v > 0.0 || (v == 0.0 && !ex));
    let above = low.map_or(0.0, |(v, exclusive)| {
        if exclusive {
            (v / step).floor() + 1.0
        } else {
            (v / step).ceil()
        }
    });
    let wanted = if zero_fits {
        salt as f64
    } else {
        above + salt as f64
    };
    let wanted = if low.is_none() && !zero_fits {
        high.map_or(0.0, |(v, _)| (v / step).floor() - 1.0)
    } else {
        wanted
    };
    from_f64(wanted * step)
}

/// Whole numbers without a fraction, as every encoder writes them.
fn from_f64(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
