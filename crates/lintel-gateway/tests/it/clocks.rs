//! The wall clock is set while calls run: no window, expiry or order breaks.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lintel_gateway::{KeyEntry, SystemClock};
use lintel_store::{LogQuery, UsageQuery};
use lintel_types::{Clock as _, ExchangeId, FailureClass, Outcome, Settled, Timestamp};

use crate::plane::{Plane, config, key, load, load_files, read_until};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// What somebody does to the clock.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn new() -> (Hand, SystemClock) {
        let step = Arc::new(AtomicI64::new(0));
        (Hand(Arc::clone(&step)), SystemClock::stepped(step))
    }

    /// So far from the right time.
    fn set(&self, step: i64) {
        self.0.store(step, Ordering::Relaxed);
    }

    fn set_to_1970(&self) {
        self.set(-SystemClock::new().wall().as_micros());
    }
}

/// The right time, and so much later.
fn right(later: i64) -> Timestamp {
    Timestamp::from_micros(SystemClock::new().wall().as_micros() + later)
}

fn ends_at(at: Timestamp) -> KeyEntry {
    let mut key = key();
    key.principal.expires = Some(at);
    key
}

fn ids(rows: &[Settled]) -> Vec<ExchangeId> {
    rows.iter().map(|row| row.exchange).collect()
}

#[test]
fn ids_keep_their_order_and_a_stream_goes_on() {
    let (hand, clock) = Hand::new();
    let plane = Plane::timed(load(&config("")), clock, key());
    let mut stream = plane.send("slow", true);
    read_until(&mut stream, "\"content\":\"");
    for step in [0, DAY, YEAR, -HOUR, 0] {
        hand.set(step);
        assert!(plane.call("sandbox", true).contains("[DONE]"));
    }
    hand.set_to_1970();
    assert!(plane.call("sandbox", true).contains("[DONE]"));
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("[DONE]"), "{rest}");

    let rows = plane.rows(7);
    let ids = ids(&rows);
    assert!(ids[..6].is_sorted_by(|a, b| a < b), "{ids:?}");
    assert!(ids[6] < ids[0], "the stream began first and ended last");
    for row in &rows {
        assert_eq!(row.outcome, Outcome::Success);
        let lasted = i64::try_from(row.duration_us).unwrap();
        assert!(lasted < HOUR, "{lasted} us by a clock that was set");
    }
    // Dates: the clock's own of each call; ids stand at the furthest that they have been.
    assert!(rows[3].started < rows[2].started && rows[5].started < right(-YEAR));
    assert!(rows[5].exchange.made_at() > right(YEAR - DAY));
}

#[test]
fn timeouts_take_as_long_as_they_say() {
    let (hand, clock) = Hand::new();
    let hurried = r#"  hurried:
    attempts: 1
    first_token: 300ms
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-d5000 } ] } ]
  delayed:
    attempts: 1
    tiers: [ { targets: [ { provider: sandbox, model: sandbox-d500 } ] } ]
"#;
    let plane = Plane::timed(load(&config(hurried)), clock, key());
    // Forward: what has time left is not cut.
    let mut delayed = plane.send("delayed", true);
    let mut stream = plane.send("drained", true);
    read_until(&mut stream, "\"content\":\"");
    hand.set(YEAR);
    for call in [&mut delayed, &mut stream] {
        let mut rest = String::new();
        call.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("[DONE]"), "{rest}");
    }
    // Back: what is late is cut no later.
    let mut silent = plane.send("silent", true);
    let mut hurried = plane.send("hurried", true);
    read_until(&mut silent, "\"content\":\"");
    hand.set_to_1970();
    for call in [&mut silent, &mut hurried] {
        let mut rest = String::new();
        call.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("upstream_timeout"), "{rest}");
    }
    let rows = plane.rows(4);
    let classes: Vec<_> = rows.iter().filter_map(|r| r.attempts[0].class).collect();
    assert!(classes.len() == 2, "{classes:?}");
    assert!(classes.contains(&FailureClass::TimeoutIdle));
    assert!(classes.contains(&FailureClass::TimeoutFirstToken));
}

#[test]
fn a_key_ends_by_the_clock_and_is_good_again_when_that_is_put_right() {
    let (hand, clock) = Hand::new();
    let plane = Plane::timed(load(&config("")), clock, ends_at(right(12 * HOUR)));
    let mut stream = plane.send("slow", true);
    read_until(&mut stream, "\"content\":\"");
    hand.set(DAY);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("key_revoked") && !rest.contains("[DONE]"),
        "{rest}"
    );
    assert!(plane.call("sandbox", false).contains("expired_key"));
    for step in [0, -HOUR] {
        hand.set(step);
        assert!(plane.call("sandbox", false).contains("200 OK"));
    }
    hand.set_to_1970();
    assert!(plane.call("sandbox", false).contains("200 OK"));
    // A refused key is nobody's call and leaves no row.
    let outcomes: Vec<_> = plane.rows(4).iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes[1..], [Outcome::Success; 3]);
}

#[test]
fn a_call_has_the_prices_of_its_beginning() {
    const PRICES: &str = r#"prices:
  - { provider: sandbox, model: "*", effective: 1971-01-01, source: s, input: "1", output: "1" }
  - { provider: sandbox, model: "*", effective: 2150-01-01, source: s, input: "5", output: "5" }
"#;
    let text = config("prices: { files: [p.yaml] }\n");
    let (hand, clock) = Hand::new();
    let plane = Plane::timed(load_files(&text, &[("p.yaml", PRICES)]), clock, key());
    plane.call("drained", true);
    let mut stream = plane.send("drained", true);
    read_until(&mut stream, "\"content\":\"");
    hand.set(200 * YEAR);
    stream.read_to_string(&mut String::new()).unwrap();
    plane.rows(2);
    plane.call("drained", true);
    hand.set(0);
    plane.call("drained", true);
    let rows = plane.rows(4);
    let costs: Vec<_> = rows.iter().map(|row| row.cost.nanos()).collect();
    let [before, during, later, back] = costs[..] else {
        panic!("{costs:?}")
    };
    assert!(before > 0, "{rows:#?}");
    assert_eq!([during, later, back], [before, 5 * before, before]);
}

#[test]
fn rows_are_found_page_by_page_and_the_sums_hold() {
    let (hand, clock) = Hand::new();
    let plane = Plane::timed(load(&config("")), clock, key());
    for step in [0, DAY, -HOUR, YEAR, -YEAR, 0] {
        hand.set(step);
        plane.call("sandbox", false);
    }
    let known = ids(&plane.rows(6));
    let queries = plane.queries();
    let mut found = Vec::new();
    while found.len() < 6 {
        let page = queries.exchanges(&LogQuery {
            since: Some(right(-HOUR)),
            before: found.last().copied(),
            limit: 2,
            ..LogQuery::default()
        });
        let page: Vec<_> = page.unwrap().iter().map(|row| row.exchange).collect();
        assert_eq!(page.len(), 2, "{found:?}");
        found.extend(page);
        // What comes in between, with whatever clock, is on no later page.
        hand.set_to_1970();
        plane.call("sandbox", false);
    }
    let rows = plane.rows(9);
    let newest_first: Vec<_> = known.into_iter().rev().collect();
    assert_eq!(found, newest_first);

    let usage = |since: Option<Timestamp>| {
        let query = UsageQuery {
            since,
            ..UsageQuery::default()
        };
        queries.usage(&query).unwrap()[0].attempts
    };
    assert_eq!(usage(None), 9);
    assert_eq!(usage(Some(right(-2 * HOUR))), 9, "none is dated 1970");
    // By id: all that was called since the clock stood furthest.
    assert_eq!(usage(Some(right(YEAR - DAY))), 6);
    assert_eq!(rows.len(), 9);
    assert!(queries.verify().unwrap().holds());
}
