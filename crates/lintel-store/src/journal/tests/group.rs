//! Records that are put off and written together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lintel_types::Record;

use super::refusing_disk::Faulty;
use super::{call, open, options, records, settled_ids};
use crate::journal::segment::SegmentFiles;
use crate::journal::{Durability, Journal, JournalOptions};
use crate::samples::{self, NOW, Scratch};

#[test]
fn what_is_put_off_is_on_file_after_the_commit_and_not_before() {
    let scratch = Scratch::new();
    let (journal, _) = open(scratch.path());
    let mut permits = [1, 2].map(|n| (n, journal.permit().unwrap()));
    for (n, permit) in &mut permits {
        let record = samples::dispatched(samples::id(*n), 1);
        permit.dispatched_later(&record).unwrap();
    }
    assert!(records(scratch.path()).is_empty());
    journal.commit().unwrap();
    assert_eq!(records(scratch.path()).len(), 2);
    let later = permits.map(|(n, p)| p.settle_later(samples::settled(samples::id(n), 1)));
    assert_eq!(journal.pending(), 2, "a slot goes with its row");
    journal.commit().unwrap();
    assert!(later.into_iter().all(|l| l.ticket().is_written()));
    assert_eq!(journal.pending(), 0);
    assert_eq!(
        settled_ids(scratch.path()),
        [samples::id(1), samples::id(2)]
    );
}

#[test]
fn a_record_that_is_written_at_once_overtakes_none_that_was_put_off() {
    let scratch = Scratch::new();
    let (journal, _) = open(scratch.path());
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched_later(&samples::dispatched(samples::id(1), 1))
        .unwrap();
    assert!(call(&journal, 2).is_written());
    // As when a client hangs up in the turn in which its call was dispatched.
    assert!(
        permit
            .settle(samples::settled(samples::id(1), 1))
            .is_written()
    );
    let order: Vec<_> = records(scratch.path())
        .iter()
        .map(|r| (r.exchange(), matches!(r, Record::Settled(_))))
        .collect();
    let (one, two) = (samples::id(1), samples::id(2));
    assert_eq!(
        order,
        [(one, false), (two, false), (two, true), (one, true)]
    );
    drop(journal);
    assert_eq!(open(scratch.path()).1.orphans, 0);
}

#[test]
fn a_process_that_dies_before_the_commit_has_sent_nothing_and_owes_nothing() {
    let scratch = Scratch::new();
    let (journal, _) = open(scratch.path());
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched_later(&samples::dispatched(samples::id(1), 1))
        .unwrap();
    // A copy of the directory is what a new process would find.
    let copy = Scratch::new();
    for entry in std::fs::read_dir(scratch.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(open(copy.path()).1.orphans, 0);
    journal.commit().unwrap();
    drop((permit, journal));
    assert_eq!(open(scratch.path()).1.orphans, 1);
}

#[test]
fn a_group_that_the_disk_refuses_is_told_kept_and_written_whole_later() {
    for durability in [Durability::Process, Durability::Disk] {
        let scratch = Scratch::new();
        let disk = Faulty::with_budget(1 << 20);
        let options = JournalOptions {
            durability,
            ..options()
        };
        let files = Arc::clone(&disk) as Arc<dyn SegmentFiles>;
        let (journal, _) = Journal::open_on(files, scratch.path(), options, NOW).unwrap();
        let (mut a, mut b) = (journal.permit().unwrap(), journal.permit().unwrap());
        a.dispatched(&samples::dispatched(samples::id(1), 1))
            .unwrap();
        // Full in the middle of the group.
        disk.budget.store(100, Ordering::SeqCst);
        b.dispatched_later(&samples::dispatched(samples::id(2), 1))
            .unwrap();
        let later = a.settle_later(samples::settled(samples::id(1), 1));
        assert!(journal.commit().is_err(), "b's attempt must not be made");
        assert!(!journal.healthy());
        let first = later.ticket();
        assert!(!first.is_written());
        let second = b.settle(samples::settled(samples::id(2), 1));
        disk.budget.store(1 << 20, Ordering::SeqCst);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            first.written().await;
            second.written().await;
        });
        assert_eq!(
            settled_ids(scratch.path()),
            [samples::id(1), samples::id(2)]
        );
        assert_eq!(records(scratch.path()).len(), 4);
        assert_eq!(journal.pending(), 0);
    }
}
