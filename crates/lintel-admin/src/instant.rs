//! Instants as people write them: a span (`24h`, `30d`) or an RFC 3339 time.
//!
//! Decides which texts are instants and which way a span counts. Reads no clock: now is an argument.
//! Times without an offset are refused, because a guess of the zone would shift a bill by hours.

use std::time::Duration;

use lintel_types::Timestamp;
use lintel_types::time::{civil_from_days, days_from_civil};

/// Which way a span counts from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `24h` is a day ago.
    Past,
    /// `24h` is in a day.
    Future,
}

/// A text that is no instant; its display names the forms that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time: write a span such as `90s`, `15m`, `24h`, `30d`, or an RFC 3339 time such as `2026-11-01T00:00:00Z`, or a date, which means its midnight in UTC"
)]
pub struct NotAnInstant(pub String);

/// The instant that `text` names.
///
/// # Errors
/// [`NotAnInstant`] when it names none, or one that does not fit.
pub fn parse(text: &str, now: Timestamp, direction: Direction) -> Result<Timestamp, NotAnInstant> {
    let found = match span(text) {
        Some(span) => moved(now, span, direction),
        None => absolute(text),
    };
    found.ok_or_else(|| NotAnInstant(text.chars().take(64).collect()))
}

fn moved(now: Timestamp, span: Duration, direction: Direction) -> Option<Timestamp> {
    let micros = i64::try_from(span.as_micros()).ok()?;
    let micros = match direction {
        Direction::Past => now.as_micros().checked_sub(micros)?,
        Direction::Future => now.as_micros().checked_add(micros)?,
    };
    Some(Timestamp::from_micros(micros))
}

/// A whole number and one unit.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let digits = text.strip_suffix(|c: char| c.is_ascii_lowercase())?;
    let unit: u64 = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 7 * 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number(digits)?.checked_mul(unit)?))
}

fn number(digits: &str) -> Option<u64> {
    // `parse` alone would take a leading plus.
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// `2026-11-01` or `2026-11-01T07:32:13[.5](Z|±hh:mm)`. RFC 3339 §5.6; a leap second counts as the next one.
fn absolute(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = date_days(date)?;
    let mut micros = days.checked_mul(86_400_000_000)?;
    if !rest.is_empty() {
        let clock = rest.strip_prefix(['T', 't', ' '])?;
        micros = micros.checked_add(clock_micros(clock)?)?;
    }
    Some(Timestamp::from_micros(micros))
}

fn date_days(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (y.len(), m.len(), d.len()) != (4, 2, 2) {
        return None;
    }
    let (y, m, d) = (number(y)? as i64, number(m)? as u32, number(d)? as u32);
    if !(1..=12).contains(&m) {
        return None;
    }
    let days = days_from_civil(y, m, d);
    // A day that the month does not have comes back as another date.
    (civil_from_days(days) == (y, m, d)).then_some(days)
}

fn clock_micros(clock: &str) -> Option<i64> {
    let at = clock.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = clock.split_at_checked(at)?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = whole.split(':');
    let (h, m, s) = (
        two(parts.next()?)?,
        two(parts.next()?)?,
        two(parts.next()?)?,
    );
    if parts.next().is_some() || h > 23 || m > 59 || s > 60 {
        return None;
    }
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    number(fraction)?;
    let micros = number(&digits)? as i64;
    Some((h * 3_600 + m * 60 + s - zone_seconds(zone)?) * 1_000_000 + micros)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (h, m) = zone.get(1..)?.split_once(':')?;
    let (h, m) = (two(h)?, two(m)?);
    (h <= 23 && m <= 59).then_some(sign * (h * 3_600 + m * 60))
}

fn two(text: &str) -> Option<i64> {
    (text.len() == 2).then(|| number(text))?.map(|n| n as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_505_533_000_001);

    #[track_caller]
    fn check(text: &str, direction: Direction, want: Option<&str>) {
        let got = parse(text, NOW, direction).ok().map(|t| t.to_string());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn spans_count_the_way_they_are_asked_to() {
        check("24h", Direction::Past, Some("2026-11-23T07:32:13.000001Z"));
        check(
            "30d",
            Direction::Future,
            Some("2026-12-24T07:32:13.000001Z"),
        );
        check(
            "90s",
            Direction::Future,
            Some("2026-11-24T07:33:43.000001Z"),
        );
        check("2w", Direction::Past, Some("2026-11-10T07:32:13.000001Z"));
    }

    #[test]
    fn times_are_read_to_the_microsecond_and_moved_to_utc() {
        check(
            "2026-11-24T07:32:13.000001Z",
            Direction::Past,
            Some("2026-11-24T07:32:13.000001Z"),
        );
        check(
            "2026-11-24T09:32:13.5+02:00",
            Direction::Past,
            Some("2026-11-24T07:32:13.500000Z"),
        );
        check(
            "2024-02-29",
            Direction::Past,
            Some("2024-02-29T00:00:00.000000Z"),
        );
        check(
            "2026-11-23T23:30:00-01:00",
            Direction::Past,
            Some("2026-11-24T00:30:00.000000Z"),
        );
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "h",
            "24",
            "+24h",
            "24 h",
            "1.5h",
            "24y",
            "-1d",
            "99999999999999999999d",
            "2026-02-29",
            "2026-13-01",
            "2026-11-24T07:32:13",
            "2026-11-24T24:00:00Z",
            "2026-11-24T07:32Z",
            "2026-11-24T07:32:13.Z",
            "2026-1-1",
            "gestern",
            "2026-11-24T07:32:13+2",
            "ä026-11-24",
        ] {
            check(text, Direction::Past, None);
        }
    }
}
