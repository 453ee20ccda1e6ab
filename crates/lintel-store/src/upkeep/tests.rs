//! Retention's promises: what goes, what stays, who waits.

use std::sync::atomic::{AtomicBool, Ordering};

use lintel_types::NodeId;
use rusqlite::Connection;

use super::*;
use crate::control::tests::Fixed;
use crate::journal::{Journal, JournalOptions};
use crate::projection::Projection;
use crate::queries::{Queries, UsageQuery};
use crate::samples::{self, NOW, Scratch};

const HOUR: u64 = 3_600;

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * HOUR)
}

/// An exchange every 10 minutes for 10 days.
fn filled() -> (Scratch, Control, Timestamp) {
    let scratch = Scratch::new();
    let control = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    let (journal, _) = Journal::open(scratch.path(), JournalOptions::new(NodeId(0)), NOW).unwrap();
    for n in 0..1_440 {
        let permit = journal.permit().unwrap();
        assert!(
            permit
                .settle(samples::settled(samples::id(n * 600), 2))
                .is_written()
        );
    }
    Projection::start(scratch.path(), journal, Vec::new())
        .unwrap()
        .stop();
    (scratch, control, NOW.plus(days(10)))
}

fn run(scratch: &Scratch, control: &Control, retention: &Retention, now: Timestamp) -> Swept {
    let mut swept = Swept::default();
    sweep(
        scratch.path(),
        retention,
        control,
        Some(now),
        &Stop::default(),
        &mut swept,
    )
    .unwrap();
    swept
}

fn count(scratch: &Scratch, file: &str, sql: &str) -> i64 {
    let db = Connection::open(scratch.path().join(file)).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn age(time: Duration) -> Keep {
    Keep {
        age: Some(time),
        bytes: None,
    }
}

#[test]
fn what_is_not_bounded_is_kept() {
    let (scratch, control, now) = filled();
    assert_eq!(
        run(
            &scratch,
            &control,
            &Retention::default(),
            now.plus(days(3_000))
        ),
        Swept::default()
    );
}

#[test]
fn rows_go_by_age_and_the_sums_stay() {
    let (scratch, control, now) = filled();
    let queries = Queries::open(scratch.path()).unwrap();
    let whole = queries.usage(&UsageQuery::default()).unwrap();
    let retention = Retention {
        log: age(days(3)),
        ledger: age(days(7)),
        ..Retention::default()
    };
    let swept = run(&scratch, &control, &retention, now);
    assert_eq!((swept.log, swept.ledger), (7 * 144, 3 * 144 * 2));
    assert_eq!(
        count(&scratch, "log.sqlite", "SELECT COUNT(*) FROM log"),
        3 * 144
    );
    assert_eq!(
        run(&scratch, &control, &retention, now),
        Swept::default(),
        "nothing is left to do"
    );
    assert_eq!(queries.usage(&UsageQuery::default()).unwrap(), whole);
    let verified = queries.verify().unwrap();
    assert!(
        verified.holds() && verified.rows == 7 * 144 * 2,
        "{verified:?}"
    );
    // A whole hour is still exact, a part of one is refused rather than answered with too little.
    let at = |seconds| Some(NOW.plus(Duration::from_secs(seconds)));
    let usage = |since, until| {
        queries.usage(&UsageQuery {
            since: at(since),
            until: at(until),
            ..UsageQuery::default()
        })
    };
    assert_eq!(usage(HOUR, 2 * HOUR).unwrap()[0].attempts, 12);
    let refused = usage(HOUR + 1, 2 * HOUR).unwrap_err().to_string();
    assert!(
        refused.contains("since") && refused.contains("full hour"),
        "{refused}"
    );
    assert!(
        usage(HOUR, 2 * HOUR + 1).is_err() && usage(8 * 24 * HOUR + 1, 9 * 24 * HOUR + 1).is_ok()
    );
}

#[test]
fn the_oldest_go_when_there_is_too_much() {
    let (scratch, control, now) = filled();
    let live = |file: &str| {
        sweep::live_bytes(&Connection::open(scratch.path().join(file)).unwrap()).unwrap()
    };
    let (log, ledger) = (live("log.sqlite") / 2, live("ledger.sqlite") * 2 / 3);
    let keep = |bytes| Keep {
        age: None,
        bytes: Some(bytes),
    };
    let swept = run(
        &scratch,
        &control,
        &Retention {
            log: keep(log),
            ledger: keep(ledger),
            ..Retention::default()
        },
        now,
    );
    assert!(swept.log > 400 && swept.log < 1_440, "{swept:?}");
    assert!(live("log.sqlite") <= log && live("ledger.sqlite") <= ledger);
    let queries = Queries::open(scratch.path()).unwrap();
    assert!(queries.verify().unwrap().holds());
    assert!(
        queries
            .exchange(samples::id(1_439 * 600))
            .unwrap()
            .is_some()
            && queries.exchange(samples::id(0)).unwrap().is_none()
    );
    // However little is allowed, the ledger's last day stays.
    run(
        &scratch,
        &control,
        &Retention {
            ledger: keep(1),
            ..Retention::default()
        },
        now,
    );
    let left = count(&scratch, "ledger.sqlite", "SELECT COUNT(*) FROM ledger");
    assert_eq!(left, 144 * 2);
}

#[test]
fn the_audit_expires_by_its_own_word_alone() {
    let (scratch, control, now) = filled();
    for n in 0..20 {
        control.create_tenant(&format!("t{n}"), "admin").unwrap();
    }
    let delete = || {
        Connection::open(scratch.path().join("control.sqlite"))
            .unwrap()
            .execute("DELETE FROM audit WHERE sequence = 20", [])
    };
    assert!(delete().is_err());
    let swept = run(
        &scratch,
        &control,
        &Retention {
            audit: age(days(1)),
            ..Retention::default()
        },
        now,
    );
    assert_eq!(swept.audit, 20);
    let rows = control.audit(None, 10).unwrap();
    assert_eq!(
        (rows.len(), &*rows[0].entry.action, rows[0].sequence),
        (1, "audit.expire", 21)
    );
    assert!(rows[0].entry.before.as_ref().unwrap().contains("20"));
    control.create_tenant("later", "admin").unwrap();
    let db = Connection::open(scratch.path().join("control.sqlite")).unwrap();
    assert!(
        db.execute("DELETE FROM audit", []).is_err(),
        "what has not expired can't be deleted"
    );
}

#[test]
fn the_projection_goes_on_while_rows_are_deleted() {
    let (scratch, control, now) = filled();
    let (journal, _) = Journal::open(scratch.path(), JournalOptions::new(NodeId(0)), NOW).unwrap();
    let projection = Projection::start(scratch.path(), journal.clone(), Vec::new()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // One exchange a portion at most: as many meetings with the projection as there can be.
            for hour in (0..216).map(|h| NOW.plus(Duration::from_secs(h * HOUR))) {
                let retention = Retention {
                    log: age(days(0)),
                    ledger: age(days(0)),
                    ..Retention::default()
                };
                run(&scratch, &control, &retention, hour.plus(days(1)));
            }
            done.store(true, Ordering::Release);
        });
        let mut n = 1_440 * 600;
        while !done.load(Ordering::Acquire) {
            for _ in 0..20 {
                n += 1;
                assert!(
                    journal
                        .permit()
                        .unwrap()
                        .settle(samples::settled(samples::id(n), 1))
                        .is_written()
                );
            }
            let status = projection.flush();
            assert_eq!((status.ledger.lag, status.log.lag), (0, 0), "{status:?}");
            assert_eq!(
                (status.ledger.failures, status.log.failures),
                (0, 0),
                "{status:?}"
            );
        }
    });
    projection.stop();
    assert!(
        Queries::open(scratch.path())
            .unwrap()
            .verify()
            .unwrap()
            .holds()
    );
    let _ = now;
}

#[test]
fn space_goes_back_to_the_disk() {
    let (scratch, control, now) = filled();
    let upkeep = Upkeep::start(
        scratch.path(),
        Retention::default(),
        control.clone(),
        Arc::new(Fixed),
        Box::new(|_, _| {}),
    )
    .unwrap();
    upkeep.compact().unwrap();
    let length = || {
        std::fs::metadata(scratch.path().join("log.sqlite"))
            .unwrap()
            .len()
    };
    let before = length();
    run(
        &scratch,
        &control,
        &Retention {
            log: age(days(1)),
            ..Retention::default()
        },
        now,
    );
    let back = upkeep.compact().unwrap();
    assert!(
        back > before / 2 && length() < before / 2,
        "{back} bytes of {before} came back"
    );
    assert_eq!(
        count(&scratch, "log.sqlite", "SELECT COUNT(*) FROM log"),
        144
    );
    assert_eq!(count(&scratch, "log.sqlite", "PRAGMA freelist_count"), 0);
}

#[test]
fn a_database_of_before_there_was_compaction_is_written_anew() {
    let scratch = Scratch::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schema/log-2.sqlite");
    std::fs::copy(golden, scratch.path().join("log.sqlite")).unwrap();
    let control = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    let upkeep = Upkeep::start(
        scratch.path(),
        Retention::default(),
        control,
        Arc::new(Fixed),
        Box::new(|_, _| {}),
    )
    .unwrap();
    assert_eq!(count(&scratch, "log.sqlite", "PRAGMA auto_vacuum"), 0);
    upkeep.compact().unwrap();
    assert_eq!(count(&scratch, "log.sqlite", "PRAGMA auto_vacuum"), 2);
    assert_eq!(count(&scratch, "log.sqlite", "SELECT COUNT(*) FROM log"), 5);
}

/// Both clocks, by hand.
#[derive(Default)]
struct Hands(Mutex<(Timestamp, Duration)>);

impl Hands {
    fn pass(&self, time: Duration) {
        let mut hands = self.0.lock();
        *hands = (hands.0.plus(time), hands.1 + time);
    }

    fn step_to(&self, wall: Timestamp) {
        self.0.lock().0 = wall;
    }
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        self.0.lock().0
    }

    fn mono(&self) -> lintel_types::Mono {
        lintel_types::Mono(self.0.lock().1)
    }
}

#[test]
fn a_clock_that_jumps_and_comes_back_deletes_nothing() {
    let (scratch, control, now) = filled();
    let (clock, keep) = (Arc::new(Hands::default()), age(days(20)));
    let upkeep = Upkeep::start(
        scratch.path(),
        Retention {
            log: keep,
            ledger: keep,
            audit: keep,
        },
        control,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Box::new(|_, _| {}),
    )
    .unwrap();
    let rounds = |count: u64| {
        for _ in 0..count {
            clock.pass(ROUND);
            upkeep.shared.round();
        }
        upkeep.status()
    };
    // A machine that starts in 2099 and is told the time 59 minutes later.
    let far = Timestamp::from_millis(4_070_908_800_000);
    clock.step_to(far);
    assert_eq!(rounds(59), UpkeepStatus::default());
    clock.step_to(now);
    assert_eq!(rounds(61), UpkeepStatus::default());
    // A minute in 2099, and one in 1970.
    for wrong in [far, Timestamp::from_micros(0)] {
        let right = clock.wall();
        clock.step_to(wrong);
        rounds(1);
        clock.step_to(right.plus(ROUND));
        assert_eq!(rounds(61), UpkeepStatus::default(), "{wrong}");
    }
    // A step that stays is the time.
    clock.step_to(now.plus(days(100)));
    assert_eq!(rounds(59), UpkeepStatus::default());
    let swept = rounds(2).swept;
    assert_eq!((swept.log, swept.ledger), (1_440, 2 * 1_440));
}
