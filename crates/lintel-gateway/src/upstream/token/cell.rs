//! What is known about one account's token at a time: pure, the clock is an argument.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use lintel_types::Mono;

/// A token that is about to end is not sent any more: the call is still on its way while the clock runs.
const MARGIN: Duration = Duration::from_secs(10);
/// The wait after the first failed exchange; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(1);
/// The longest such wait.
const LONGEST: Duration = Duration::from_secs(60);

/// A token and what became of the last attempt to get one.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    token: Option<Token>,
    failure: Option<Failure>,
}

#[derive(Debug, Clone)]
struct Token {
    value: HeaderValue,
    ages: Mono,
    ends: Mono,
}

#[derive(Debug, Clone)]
struct Failure {
    why: Arc<str>,
    again: Mono,
    times: u32,
}

/// What a call does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It sends this token.
    Send(HeaderValue),
    /// It sends this token, and an exchange for the next one begins.
    Replace(HeaderValue),
    /// An exchange begins, and it waits for that.
    Ask,
    /// It waits for the exchange that is under way.
    Wait,
    /// It fails: there is no token, and it is too early to ask again.
    Fail,
}

impl Cell {
    /// A token that came at `now` and lives for `life`. It ages at 80 % of that: of the usual hour, twelve
    /// minutes are left to replace it.
    pub(super) fn new(value: HeaderValue, now: Mono, life: Duration) -> Self {
        let margin = MARGIN.min(life / 10);
        let token = Token {
            value,
            ages: now.plus(life / 5 * 4),
            ends: now.plus(life.saturating_sub(margin)),
        };
        Self {
            token: Some(token),
            failure: None,
        }
    }

    /// The same after an exchange that failed at `now`: a token that is there stays.
    pub(super) fn failed(&self, why: String, now: Mono) -> Self {
        let times = self.failure.as_ref().map_or(0, |f| f.times);
        let wait = BACKOFF
            .saturating_mul(2u32.saturating_pow(times))
            .min(LONGEST);
        let failure = Failure {
            why: Arc::from(why),
            again: now.plus(wait),
            times: times.saturating_add(1),
        };
        Self {
            token: self.token.clone(),
            failure: Some(failure),
        }
    }

    /// What a call at `now` does; `busy`: an exchange is under way.
    pub(super) fn next(&self, now: Mono, busy: bool) -> Next {
        let early = self.failure.as_ref().is_some_and(|f| now < f.again);
        match &self.token {
            Some(token) if now < token.ages => Next::Send(token.value.clone()),
            Some(token) if now < token.ends && (busy || early) => Next::Send(token.value.clone()),
            Some(token) if now < token.ends => Next::Replace(token.value.clone()),
            _ if busy => Next::Wait,
            _ if early => Next::Fail,
            _ => Next::Ask,
        }
    }

    /// Why the last exchange failed.
    pub(super) fn why(&self) -> String {
        self.failure
            .as_ref()
            .map_or_else(String::new, |f| f.why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    fn value() -> HeaderValue {
        HeaderValue::from_static("Bearer t")
    }

    #[test]
    fn a_token_is_sent_then_replaced_then_gone() {
        let cell = Cell::new(value(), at(100), HOUR);
        for (second, next) in [
            (100, Next::Send(value())),
            (100 + 2_879, Next::Send(value())),
            (100 + 2_880, Next::Replace(value())),
            (100 + 3_589, Next::Replace(value())),
            (100 + 3_590, Next::Ask),
        ] {
            assert_eq!(cell.next(at(second), false), next, "{second}");
        }
        let short = Cell::new(value(), at(0), Duration::from_secs(10));
        assert_eq!(short.next(at(8), false), Next::Replace(value()));
        assert_eq!(short.next(at(9), false), Next::Ask);
    }

    #[test]
    fn one_exchange_at_a_time_and_only_those_without_a_token_wait() {
        assert_eq!(Cell::default().next(at(0), false), Next::Ask);
        assert_eq!(Cell::default().next(at(0), true), Next::Wait);
        let cell = Cell::new(value(), at(0), HOUR);
        assert_eq!(cell.next(at(3_000), true), Next::Send(value()));
        assert_eq!(cell.next(at(3_600), true), Next::Wait);
    }

    #[test]
    fn a_failure_keeps_the_token_and_makes_the_next_exchange_wait_longer() {
        let (mut cell, mut bare) = (Cell::new(value(), at(0), HOUR), Cell::default());
        let mut now = 2_900;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            cell = cell.failed(format!("no {wait}"), at(now));
            bare = bare.failed(format!("no {wait}"), at(now));
            let before = at(now + wait - 1);
            assert_eq!(cell.next(before, false), Next::Send(value()), "{wait}");
            assert_eq!(bare.next(before, false), Next::Fail, "{wait}");
            now += wait;
            assert_eq!(cell.next(at(now), false), Next::Replace(value()), "{wait}");
            assert_eq!(bare.next(at(now), false), Next::Ask, "{wait}");
            assert_eq!(cell.why(), format!("no {wait}"));
        }
        let renewed = Cell::new(value(), at(now), HOUR);
        assert_eq!(renewed.next(at(now), false), Next::Send(value()));
    }
}
