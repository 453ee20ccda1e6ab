//! The projection's promises: applied once, whatever fails.

mod generations;

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use lintel_types::{Meter, Money, NodeId};
use rusqlite::Connection;

use super::*;
use crate::journal::JournalOptions;
use crate::queries::{LogQuery, Queries, UsageQuery};
use crate::samples::{self, NOW, Scratch};

fn journal(scratch: &Scratch) -> Journal {
    Journal::open(
        scratch.path(),
        JournalOptions {
            segment_bytes: 20_000,
            ..JournalOptions::new(NodeId(0))
        },
        NOW,
    )
    .unwrap()
    .0
}

fn projection(scratch: &Scratch, journal: &Journal) -> Projection {
    Projection::start(scratch.path(), journal.clone(), Vec::new()).unwrap()
}

fn calls(journal: &Journal, ids: std::ops::Range<u64>) {
    for n in ids {
        let mut permit = journal.permit().unwrap();
        permit
            .dispatched(&samples::dispatched(samples::id(n), 1))
            .unwrap();
        assert!(
            permit
                .settle(samples::settled(samples::id(n), 1))
                .is_written()
        );
    }
}

fn sql(scratch: &Scratch, file: &str, script: &str) {
    Connection::open(scratch.path().join(file))
        .unwrap()
        .execute_batch(script)
        .unwrap();
}

#[derive(Default, Clone)]
struct Counted(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl SettledSink for Counted {
    fn settled(&mut self, _: &Settled) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn orphaned(&mut self, _: &Orphaned) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn rows_and_log_come_from_the_journal_across_segments() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    let projection = projection(&scratch, &journal);
    calls(&journal, 0..50);
    let status = projection.flush();
    assert_eq!(
        (
            status.ledger.lag,
            status.log.lag,
            status.missing,
            status.unreadable
        ),
        (0, 0, 0, 0)
    );
    let queries = Queries::open(scratch.path()).unwrap();
    let verified = queries.verify().unwrap();
    assert!(verified.holds() && verified.rows == 50, "{verified:?}");
    assert_eq!(verified.ledger.cost.nanos(), 50 * 80);
    let row = queries.exchange(samples::id(7)).unwrap().unwrap();
    let written = serde_json::to_string(&lintel_types::Record::Settled(Box::new(
        samples::settled(samples::id(7), 1),
    )))
    .unwrap();
    assert_eq!(row.record.get(), written);
    projection.stop();
}

#[test]
fn applying_again_from_the_start_changes_nothing() {
    let scratch = Scratch::new();
    let journal = Journal::open(scratch.path(), JournalOptions::new(NodeId(0)), NOW)
        .unwrap()
        .0;
    let first = projection(&scratch, &journal);
    calls(&journal, 0..30);
    first.stop();
    let queries = Queries::open(scratch.path()).unwrap();
    let before = queries.verify().unwrap();
    for file in ["ledger.sqlite", "log.sqlite"] {
        sql(&scratch, file, "DELETE FROM positions");
    }
    let status = projection(&scratch, &journal).stop();
    assert_eq!((status.ledger.applied, status.ledger.lag), (60, 0));
    assert_eq!(queries.verify().unwrap(), before);
    assert_eq!(before.rows, 30);
}

#[test]
fn a_failing_log_holds_up_neither_ledger_nor_sinks_and_catches_up() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    let told = Counted::default();
    let projection = Projection::start(
        scratch.path(),
        journal.clone(),
        vec![Box::new(told.clone())],
    )
    .unwrap();
    calls(&journal, 0..5);
    projection.flush();
    sql(&scratch, "log.sqlite", "ALTER TABLE log RENAME TO away");
    calls(&journal, 5..60);
    let failing = projection.flush();
    assert_eq!(failing.ledger.lag, 0);
    assert!(failing.log.lag > 0 && failing.log.failures > 0);
    assert!(
        failing
            .log
            .error
            .as_ref()
            .is_some_and(|e| e.contains("log.sqlite")),
        "{failing:?}"
    );
    assert_eq!(told.0.load(Ordering::SeqCst), 60);
    assert_eq!(
        journal.segments()[0],
        0,
        "segments stay until the log has them"
    );
    sql(&scratch, "log.sqlite", "ALTER TABLE away RENAME TO log");
    let mut mended = projection.flush();
    // Reopening takes a round of its own.
    while mended.log.lag > 0 && mended.log.failures == failing.log.failures {
        mended = projection.flush();
    }
    mended = projection.flush();
    assert_eq!((mended.log.lag, mended.log.error), (0, None));
    let queries = Queries::open(scratch.path()).unwrap();
    assert_eq!(
        queries
            .exchanges(&LogQuery {
                limit: 100,
                ..LogQuery::default()
            })
            .unwrap()
            .len(),
        60
    );
    assert!(queries.verify().unwrap().holds());
    assert_eq!(told.0.load(Ordering::SeqCst), 60, "told once");
    assert!(journal.segments()[0] > 0, "applied segments are gone");
}

#[test]
fn a_failing_ledger_books_nothing_twice() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    let projection = projection(&scratch, &journal);
    calls(&journal, 0..5);
    projection.flush();
    // Rows go in, then the rollup fails: the whole batch must come again.
    sql(
        &scratch,
        "ledger.sqlite",
        "ALTER TABLE rollup RENAME TO away",
    );
    calls(&journal, 5..20);
    let failing = projection.flush();
    assert!(
        failing.ledger.error.is_some() && failing.log.lag == 0,
        "{failing:?}"
    );
    sql(
        &scratch,
        "ledger.sqlite",
        "ALTER TABLE away RENAME TO rollup",
    );
    projection.flush();
    assert_eq!(projection.flush().ledger.lag, 0);
    let verified = Queries::open(scratch.path()).unwrap().verify().unwrap();
    assert!(verified.holds() && verified.rows == 20, "{verified:?}");
}

#[test]
fn an_orphan_is_booked_by_its_estimate_and_told() {
    let scratch = Scratch::new();
    let first = journal(&scratch);
    let mut permit = first.permit().unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(1), 1))
        .unwrap();
    drop(permit);
    drop(first);
    let second = journal(&scratch);
    let told = Counted::default();
    let status = Projection::start(scratch.path(), second, vec![Box::new(told.clone())])
        .unwrap()
        .stop();
    assert_eq!(status.ledger.lag, 0);
    assert_eq!(
        (told.0.load(Ordering::SeqCst), told.1.load(Ordering::SeqCst)),
        (0, 1)
    );
    let queries = Queries::open(scratch.path()).unwrap();
    let verified = queries.verify().unwrap();
    assert!(verified.holds());
    assert_eq!(
        (
            verified.ledger.orphans,
            verified.ledger.estimated,
            verified.ledger.cost.nanos()
        ),
        (1, 1, 1_000)
    );
    assert_eq!(
        queries.exchange(samples::id(1)).unwrap().unwrap().outcome,
        "orphaned"
    );
}

#[test]
fn a_journal_that_lost_its_end_to_a_power_cut_loses_no_later_row() {
    let scratch = Scratch::new();
    let first = journal(&scratch);
    let projected = projection(&scratch, &first);
    calls(&first, 0..4);
    projected.stop();
    drop(first);
    // The databases reached the disk; of the journal only the first dispatch did.
    let path = scratch.path().join("journal-00000000000000000000.log");
    let bytes = std::fs::read(&path).unwrap();
    let length = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as u64;
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(16 + 8 + length)
        .unwrap();
    let second = journal(&scratch);
    let projected = projection(&scratch, &second);
    calls(&second, 10..12);
    projected.stop();
    let verified = Queries::open(scratch.path()).unwrap().verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(
        (verified.rows, verified.ledger.orphans),
        (6, 0),
        "the settled one gets no orphan"
    );
}

#[test]
fn a_record_that_cannot_be_decoded_is_kept_and_shown() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    calls(&journal, 0..1);
    drop(journal);
    let path = scratch.path().join("journal-00000000000000000000.log");
    let payload = format!(
        "{{\"kind\":\"settled\",\"exchange\":\"{}\",\"attempts\":7}}",
        samples::id(5)
    );
    let mut frame = (payload.len() as u32).to_le_bytes().to_vec();
    frame.extend(crc32fast::hash(payload.as_bytes()).to_le_bytes());
    frame.extend(payload.as_bytes());
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&frame, file.metadata().unwrap().len())
        .unwrap();
    let journal = self::journal(&scratch);
    calls(&journal, 1..2);
    let status = projection(&scratch, &journal).stop();
    assert_eq!((status.unreadable, status.ledger.lag), (1, 0));
    let verified = Queries::open(scratch.path()).unwrap().verify().unwrap();
    assert_eq!(
        (verified.rows, verified.unreadable, verified.holds()),
        (2, 1, false)
    );
}

/// One exchange whose provider claims `quantity` tokens for `nanos`.
fn claim(journal: &Journal, n: u64, quantity: u64, nanos: i64) {
    let mut settled = samples::settled(samples::id(n), 1);
    let cost = Money::from_nanos(nanos);
    settled.cost = cost;
    for attempt in &mut settled.attempts {
        attempt.cost = cost;
        for line in &mut attempt.lines {
            (line.quantity, line.cost) = (quantity, cost);
        }
    }
    let permit = journal.permit().unwrap();
    assert!(permit.settle(settled).is_written());
}

#[test]
fn absurd_quantities_saturate_and_usage_can_still_be_read() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    let projection = projection(&scratch, &journal);
    // Each flush is a batch of its own, so that the sums meet in SQL and not only in memory.
    for n in 0..4 {
        claim(&journal, n, u64::MAX, i64::MAX);
        claim(&journal, n + 4_000, u64::MAX, i64::MAX);
        assert_eq!(projection.flush().ledger.error, None);
    }
    let reals = "SELECT COUNT(*) FROM rollup WHERE typeof(input) || typeof(output) || typeof(cost) LIKE '%real%'";
    let check = |hours: i64| {
        let db = Connection::open(scratch.path().join("ledger.sqlite")).unwrap();
        let count = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            (count(reals), count("SELECT COUNT(*) FROM rollup")),
            (0, hours)
        );
        let queries = Queries::open(scratch.path()).unwrap();
        let totals = queries.totals().unwrap();
        let most = i64::MAX as u64;
        assert_eq!(totals.cost, Money::from_nanos(i64::MAX));
        assert_eq!(totals.meters.get(&Meter::Input), Some(&most));
        let usage = queries.usage(&UsageQuery::default()).unwrap();
        assert_eq!(usage[0].meters.get(&Meter::Output), Some(&most));
        assert_eq!(usage[0].requests, totals.requests);
        let verified = queries.verify().unwrap();
        assert!(verified.holds(), "{verified:?}");
    };
    check(2);
    // What an older version left behind is read, and mended by the next row.
    drop(projection);
    sql(
        &scratch,
        "ledger.sqlite",
        "UPDATE rollup SET input = 1.8446744073709552e19, cost = 3e20",
    );
    let queries = Queries::open(scratch.path()).unwrap();
    let read = queries.usage(&UsageQuery::default()).unwrap();
    assert_eq!(read[0].cost, Money::from_nanos(i64::MAX));
    assert!(queries.verify().unwrap().holds());
    let projection = self::projection(&scratch, &journal);
    claim(&journal, 9, 1, 1);
    claim(&journal, 4_009, 1, 1);
    projection.stop();
    check(2);
}

#[test]
fn costs_below_zero_are_summed_exactly() {
    let scratch = Scratch::new();
    let journal = journal(&scratch);
    let projection = projection(&scratch, &journal);
    for (n, nanos) in [(0, -7), (1, 5_000_000_000), (4_000, -(1 << 40))] {
        claim(&journal, n, 3, nanos);
        projection.flush();
    }
    let queries = Queries::open(scratch.path()).unwrap();
    let sum = Money::from_nanos(5_000_000_000 - 7 - (1 << 40));
    assert_eq!(queries.totals().unwrap().cost, sum);
    assert!(queries.verify().unwrap().holds());
}
