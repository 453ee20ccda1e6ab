//! Questions to ledger and log.

use lintel_store::{Dimension, Journal, JournalOptions, LogQuery, Projection, Queries, UsageQuery};
use lintel_types::{ExchangeId, Meter, NodeId, Outcome, Settled, Timestamp};

use crate::samples::{self, NOW, Scratch};

/// One exchange every 10 minutes for 50 hours: even ones of `acme`, odd ones of `beta`, every fifth with two attempts.
fn filled() -> (Scratch, Queries, Vec<Settled>) {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(scratch.path(), JournalOptions::new(NodeId(0)), NOW).unwrap();
    let projection = Projection::start(scratch.path(), journal.clone(), Vec::new()).unwrap();
    let all: Vec<Settled> = (0..300).map(exchange).collect();
    for settled in &all {
        assert!(
            journal
                .permit()
                .unwrap()
                .settle(settled.clone())
                .is_written()
        );
    }
    projection.stop();
    let queries = Queries::open(scratch.path()).unwrap();
    (scratch, queries, all)
}

fn exchange(n: u64) -> Settled {
    let mut settled = samples::settled(
        samples::id(n * 600),
        if n.is_multiple_of(5) { 2 } else { 1 },
    );
    settled.who = samples::who(if n.is_multiple_of(2) { "acme" } else { "beta" });
    if n % 10 == 3 {
        settled.attempts.clear();
        settled.outcome = Outcome::ClientError;
        settled.status = 400;
    }
    settled
}

fn at(seconds: u64) -> Timestamp {
    NOW.plus(std::time::Duration::from_secs(seconds))
}

#[test]
fn usage_is_exact_between_any_two_instants() {
    let (_scratch, queries, all) = filled();
    let spans = [
        (0, 180_000),
        (0, 1),
        (599, 601),
        (1_800, 5_400),
        (3_500, 3_700),
        (3_600, 7_200),
        (82_800, 90_001),
        (86_390, 86_410),
        (100, 100),
        (900, 800),
    ];
    for (from, to) in spans {
        let query = UsageQuery {
            since: Some(at(from)),
            until: Some(at(to)),
            by: vec![Dimension::Tenant, Dimension::Leg, Dimension::Day],
            tenant: None,
        };
        let rows = queries.usage(&query).unwrap();
        let within: Vec<&Settled> = all
            .iter()
            .filter(|s| s.started >= at(from) && s.started < at(to))
            .collect();
        let attempts: u64 = within.iter().map(|s| s.attempts.len() as u64).sum();
        assert_eq!(
            rows.iter().map(|r| r.attempts).sum::<u64>(),
            attempts,
            "{from}..{to}"
        );
        let requests = within.iter().filter(|s| !s.attempts.is_empty()).count() as u64;
        assert_eq!(
            rows.iter().map(|r| r.requests).sum::<u64>(),
            requests,
            "{from}..{to}"
        );
        for row in &rows {
            assert_eq!(row.cost.nanos() as u64, row.attempts * 80);
            assert_eq!(row.meters[&Meter::Input], row.attempts * 12);
            let of_day = within.iter().filter(|s| {
                s.started.to_string().starts_with(&row.dims[2]) && *s.who.tenant == *row.dims[0]
            });
            let same_leg = of_day
                .flat_map(|s| &s.attempts)
                .filter(|a| a.leg.name() == row.dims[1])
                .count() as u64;
            assert_eq!(same_leg, row.attempts, "{from}..{to} {:?}", row.dims);
        }
    }
}

#[test]
fn usage_of_one_tenant_shows_no_other() {
    let (_scratch, queries, _) = filled();
    let by = vec![Dimension::Tenant, Dimension::Model];
    let rows = queries
        .usage(&UsageQuery {
            tenant: Some("beta".into()),
            by,
            since: Some(at(700)),
            until: None,
        })
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].dims, ["beta", "small"]);
    assert!(
        queries
            .usage(&UsageQuery {
                tenant: Some("none".into()),
                ..UsageQuery::default()
            })
            .unwrap()
            .is_empty()
    );
    for dimension in Dimension::ALL {
        assert_eq!(Dimension::by_name(dimension.name()), Some(dimension));
        assert!(
            !queries
                .usage(&UsageQuery {
                    by: vec![dimension],
                    since: Some(at(700)),
                    ..UsageQuery::default()
                })
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn totals_agree_with_the_ledger() {
    let (_scratch, queries, all) = filled();
    let verified = queries.verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(queries.totals().unwrap(), verified.rollup);
    assert_eq!(
        verified.rows,
        all.iter().map(|s| s.attempts.len() as u64).sum::<u64>()
    );
    let by_nothing = queries.usage(&UsageQuery::default()).unwrap();
    assert_eq!(
        (by_nothing.len(), by_nothing[0].cost),
        (1, verified.ledger.cost)
    );
}

#[test]
fn verify_sees_a_changed_book() {
    let (scratch, queries, _) = filled();
    let db = rusqlite::Connection::open(scratch.path().join("ledger.sqlite")).unwrap();
    db.execute("UPDATE ledger SET cost = cost + 1 WHERE exchange = (SELECT MIN(exchange) FROM ledger) AND attempt = 1", []).unwrap();
    let verified = queries.verify().unwrap();
    assert!(!verified.holds());
    assert_eq!(verified.differences.len(), 1);
    assert!(verified.differences[0].ends_with(" acme"));
}

#[test]
fn the_log_pages_newest_first() {
    let (_scratch, queries, all) = filled();
    let mut seen: Vec<ExchangeId> = Vec::new();
    loop {
        let page = queries
            .exchanges(&LogQuery {
                limit: 70,
                before: seen.last().copied(),
                ..LogQuery::default()
            })
            .unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|r| r.exchange));
    }
    let newest_first: Vec<ExchangeId> = all.iter().rev().map(|s| s.exchange).collect();
    assert_eq!(seen, newest_first);
}

#[test]
fn the_log_is_filtered() {
    let (_scratch, queries, all) = filled();
    let query = LogQuery {
        tenant: Some("beta".into()),
        outcome: Some("client_error".into()),
        since: Some(at(86_400)),
        limit: 1_000,
        ..LogQuery::default()
    };
    let rows = queries.exchanges(&query).unwrap();
    let wanted = all
        .iter()
        .filter(|s| {
            *s.who.tenant == *"beta" && s.outcome == Outcome::ClientError && s.started >= at(86_400)
        })
        .count();
    assert!(wanted > 0);
    assert_eq!(rows.len(), wanted);
    assert!(rows.iter().all(|r| r.status == 400
        && r.route == "chat"
        && r.decode().unwrap().exchange() == r.exchange));
    assert!(
        queries
            .exchanges(&LogQuery {
                route: Some("none".into()),
                limit: 9,
                ..LogQuery::default()
            })
            .unwrap()
            .is_empty()
    );
    assert!(queries.exchange(samples::id(1)).unwrap().is_none());
}

#[test]
fn an_empty_store_answers() {
    let scratch = Scratch::new();
    let queries = Queries::open(scratch.path()).unwrap();
    assert!(queries.usage(&UsageQuery::default()).unwrap().is_empty());
    assert!(
        queries
            .exchanges(&LogQuery {
                limit: 9,
                ..LogQuery::default()
            })
            .unwrap()
            .is_empty()
    );
    assert!(queries.verify().unwrap().holds());
}
