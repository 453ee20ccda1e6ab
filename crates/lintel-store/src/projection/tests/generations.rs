//! Two processes on one store: the new one carries the old one's records too, and mends what it leaves.
//!
//! Two journals of one process stand for two processes: a claim is a file lock of its own either way.

use std::fs::OpenOptions;
use std::io::Write;

use super::*;
use crate::journal::Generation;

/// A journal and its projection, with what the sinks were told: settled, orphaned, inherited.
struct Process {
    journal: Journal,
    projection: Projection,
    told: Told,
}

#[derive(Default, Clone)]
struct Told([Arc<AtomicUsize>; 3]);

impl Told {
    fn counts(&self) -> [usize; 3] {
        self.0.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

impl SettledSink for Told {
    fn settled(&mut self, _: &Settled) {
        self.0[0].fetch_add(1, Ordering::SeqCst);
    }
    fn orphaned(&mut self, _: &Orphaned) {
        self.0[1].fetch_add(1, Ordering::SeqCst);
    }
    fn inherited(&mut self, _: &Settled) {
        self.0[2].fetch_add(1, Ordering::SeqCst);
    }
}

impl Process {
    fn start(scratch: &Scratch) -> Self {
        let (journal, told) = (journal(scratch), Told::default());
        let sinks: Vec<Box<dyn SettledSink>> = vec![Box::new(told.clone())];
        Self {
            projection: Projection::start(scratch.path(), journal.clone(), sinks).unwrap(),
            journal,
            told,
        }
    }

    /// Ends as `kill -9` does: what was dispatched stays open.
    fn die(self) {
        drop(self.projection);
    }
}

fn dispatched(journal: &Journal, n: u64) -> crate::journal::Permit {
    let mut permit = journal.permit().unwrap();
    let first = samples::dispatched(samples::id(n), 1);
    permit.dispatched(&first).unwrap();
    permit
}

fn numbers(scratch: &Scratch) -> Vec<u64> {
    let all = Generation::all(scratch.path()).unwrap();
    all.into_iter().map(|one| one.number).collect()
}

#[track_caller]
fn rows(scratch: &Scratch, settled: u64, orphans: u64) {
    let verified = Queries::open(scratch.path()).unwrap().verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(
        (verified.rows, verified.ledger.orphans),
        (settled + orphans, orphans),
        "{verified:?}"
    );
}

#[test]
fn the_new_process_carries_what_the_old_one_still_writes() {
    let scratch = Scratch::new();
    let old = Process::start(&scratch);
    calls(&old.journal, 0..10);
    let begun = dispatched(&old.journal, 100);
    let lost = dispatched(&old.journal, 101);
    old.projection.pause();
    let new = Process::start(&scratch);
    assert_eq!(numbers(&scratch), [0, 1]);
    calls(&new.journal, 10..15);
    calls(&old.journal, 20..60);
    assert!(
        begun
            .settle(samples::settled(samples::id(100), 1))
            .is_written()
    );
    new.projection.flush();
    rows(&scratch, 10 + 5 + 40 + 1, 0);
    assert_eq!(new.told.counts(), [5, 0, 41]);
    old.projection.flush();
    assert_eq!(
        old.told.counts(),
        [51, 0, 0],
        "the old one tells of its own"
    );
    drop(lost);
    old.die();
    let status = new.projection.flush();
    assert_eq!((status.ledger.lag, status.missing), (0, 0), "{status:?}");
    rows(&scratch, 56, 1);
    assert_eq!(new.told.counts(), [5, 1, 41]);
    assert_eq!(
        numbers(&scratch),
        [1],
        "what is applied of a process that has gone is removed"
    );
    calls(&new.journal, 200..201);
    assert_eq!(new.projection.stop().ledger.error, None);
    rows(&scratch, 57, 1);
}

#[test]
fn the_old_process_takes_back_what_the_new_one_leaves() {
    let scratch = Scratch::new();
    let old = Process::start(&scratch);
    old.projection.pause();
    let new = Process::start(&scratch);
    calls(&new.journal, 0..3);
    calls(&old.journal, 3..6);
    new.projection.flush();
    calls(&new.journal, 6..9);
    drop(dispatched(&new.journal, 9));
    new.die();
    old.projection.resume();
    calls(&old.journal, 10..12);
    let status = old.projection.flush();
    assert_eq!((status.ledger.lag, status.log.lag), (0, 0), "{status:?}");
    rows(&scratch, 3 + 3 + 3 + 2, 1);
    assert_eq!(numbers(&scratch), [0]);
    assert_eq!(old.told.counts(), [5, 1, 0]);
}

#[test]
fn whoever_starts_next_mends_every_generation_that_is_over() {
    let scratch = Scratch::new();
    let old = Process::start(&scratch);
    drop(dispatched(&old.journal, 0));
    old.projection.pause();
    let new = Process::start(&scratch);
    drop(dispatched(&new.journal, 1));
    calls(&new.journal, 2..4);
    new.die();
    old.die();
    let next = Process::start(&scratch);
    next.projection.flush();
    rows(&scratch, 2, 2);
    assert_eq!(numbers(&scratch), [1], "the newest is continued");
    assert_eq!(next.told.counts(), [0, 2, 0]);
}

#[test]
fn a_frame_that_is_not_whole_yet_is_waited_for() {
    let scratch = Scratch::new();
    let old = Process::start(&scratch);
    calls(&old.journal, 0..2);
    old.projection.pause();
    let new = Process::start(&scratch);
    let path = scratch.path().join("journal-00000000000000000000.log");
    let half = std::fs::read(&path).unwrap()[16..40].to_vec();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&half).unwrap();
    let status = new.projection.flush();
    assert_eq!((status.ledger.error, status.ledger.failures), (None, 0));
    // Its own process writes at the place where the half frame lies.
    calls(&old.journal, 2..4);
    new.projection.flush();
    rows(&scratch, 4, 0);
    file.write_all(&half).unwrap();
    old.die();
    new.projection.flush();
    rows(&scratch, 4, 0);
    assert_eq!(numbers(&scratch), [1]);
}
