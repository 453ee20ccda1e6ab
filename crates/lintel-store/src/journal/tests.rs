//! The journal's promises on a disk that works.

mod group;
mod refusing_disk;

use std::fs::File;
use std::path::Path;

use lintel_types::{ExchangeId, NodeId, Record};

use super::segment::{self, HEADER};
use super::*;
use crate::samples::{self, NOW, Scratch};

fn options() -> JournalOptions {
    JournalOptions {
        capacity: 64,
        ..JournalOptions::new(NodeId(0))
    }
}

fn open(dir: &Path) -> (Journal, Recovery) {
    Journal::open(dir, options(), NOW).unwrap()
}

/// Dispatches and settles the `n`th exchange.
fn call(journal: &Journal, n: u64) -> Ticket {
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(n), 1))
        .unwrap();
    permit.settle(samples::settled(samples::id(n), 1))
}

/// Every record on file, in order.
fn records(dir: &Path) -> Vec<Record> {
    let mut all = Vec::new();
    for first in segment::list(dir).unwrap() {
        let bytes = std::fs::read(segment::path(dir, first)).unwrap();
        let mut rest = &bytes[HEADER as usize..];
        while let frame::Front::Frame(payload) = frame::front(rest) {
            all.push(frame::decode(payload).unwrap());
            rest = &rest[frame::PREFIX + payload.len()..];
        }
        assert!(
            rest.is_empty(),
            "{} bytes behind the last frame",
            rest.len()
        );
    }
    all
}

fn settled_ids(dir: &Path) -> Vec<ExchangeId> {
    records(dir)
        .iter()
        .filter(|r| matches!(r, Record::Settled(_)))
        .map(Record::exchange)
        .collect()
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_written_over() {
    let source = Scratch::new();
    let (journal, _) = open(source.path());
    assert!(call(&journal, 0).is_written());
    drop(journal);
    let bytes = std::fs::read(segment::path(source.path(), 0)).unwrap();
    for cut in 0..bytes.len() {
        let scratch = Scratch::new();
        std::fs::write(segment::path(scratch.path(), 0), &bytes[..cut]).unwrap();
        let (journal, recovery) = open(scratch.path());
        let whole = whole_bytes(&bytes[..cut]);
        assert_eq!(
            recovery.truncated_bytes,
            (cut - whole) as u64,
            "cut at {cut}"
        );
        assert!(call(&journal, 9).is_written());
        drop(journal);
        assert_eq!(
            settled_ids(scratch.path()).last(),
            Some(&samples::id(9)),
            "cut at {cut}"
        );
    }
}

/// Length of the header and the whole frames.
fn whole_bytes(bytes: &[u8]) -> usize {
    if bytes.len() < HEADER as usize {
        return 0;
    }
    let mut at = HEADER as usize;
    while let frame::Front::Frame(payload) = frame::front(&bytes[at..]) {
        at += frame::PREFIX + payload.len();
    }
    at
}

#[test]
fn damage_before_a_whole_record_refuses_the_start() {
    let scratch = Scratch::new();
    let (journal, _) = open(scratch.path());
    let _ = (call(&journal, 1), call(&journal, 2));
    drop(journal);
    let path = segment::path(scratch.path(), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    let first_payload = HEADER as usize + frame::PREFIX;
    bytes[first_payload + 40] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let refused = Journal::open(scratch.path(), options(), NOW)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("journal-00000000000000000000.log is corrupt at byte 16 (wrong checksum)"),
        "{refused}"
    );
    assert!(refused.contains("truncate -s 16"), "{refused}");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        bytes,
        "a refused file is left alone"
    );
}

#[test]
fn a_torn_or_missing_segment_before_the_last_refuses_the_start() {
    let scratch = Scratch::new();
    let small = JournalOptions {
        segment_bytes: 2_000,
        ..options()
    };
    let (journal, _) = Journal::open(scratch.path(), small.clone(), NOW).unwrap();
    (0..6).for_each(|n| drop(call(&journal, n)));
    drop(journal);
    let firsts = segment::list(scratch.path()).unwrap();
    assert!(firsts.len() > 3, "{firsts:?}");
    let path = segment::path(scratch.path(), firsts[1]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(
        Journal::open(scratch.path(), small.clone(), NOW),
        Err(StoreError::Corrupt { .. })
    ));
    std::fs::remove_file(&path).unwrap();
    let refused = Journal::open(scratch.path(), small, NOW)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("a segment is missing"), "{refused}");
}

#[test]
fn another_nodes_journal_is_refused() {
    let scratch = Scratch::new();
    drop(open(scratch.path()));
    let other = JournalOptions::new(NodeId(7));
    assert!(matches!(
        Journal::open(scratch.path(), other, NOW),
        Err(StoreError::ForeignNode {
            found: 0,
            here: 7,
            ..
        })
    ));
}

#[test]
fn what_was_dispatched_and_not_settled_becomes_one_orphan() {
    let scratch = Scratch::new();
    let (journal, _) = open(scratch.path());
    let _ = call(&journal, 1);
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(2), 1))
        .unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(2), 2))
        .unwrap();
    drop(permit);
    drop(journal);
    let (journal, recovery) = open(scratch.path());
    assert_eq!(
        (
            recovery.orphans,
            recovery.truncated_bytes,
            recovery.segments
        ),
        (1, 0, 1)
    );
    drop(journal);
    let orphans: Vec<_> = records(scratch.path())
        .into_iter()
        .filter_map(|r| {
            if let Record::Orphaned(o) = r {
                Some(o)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(orphans.len(), 1);
    assert_eq!(
        (
            orphans[0].attempts,
            orphans[0].dispatched.attempt,
            orphans[0].found
        ),
        (2, 2, NOW)
    );
    let (_, again) = open(scratch.path());
    assert_eq!(again.orphans, 0);
}

#[test]
fn permits_are_counted() {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(
        scratch.path(),
        JournalOptions {
            capacity: 2,
            ..options()
        },
        NOW,
    )
    .unwrap();
    let (one, two) = (journal.permit().unwrap(), journal.permit().unwrap());
    assert!(journal.permit().is_none());
    assert_eq!(journal.pending(), 2);
    drop(one);
    assert_eq!(journal.pending(), 1);
    assert!(two.settle(samples::settled(samples::id(1), 0)).is_written());
    assert_eq!(journal.pending(), 0);
}

#[test]
fn applied_segments_go_and_open_dispatches_are_carried() {
    let scratch = Scratch::new();
    let small = JournalOptions {
        segment_bytes: 3_000,
        ..options()
    };
    let (journal, _) = Journal::open(scratch.path(), small.clone(), NOW).unwrap();
    let mut held = journal.permit().unwrap();
    held.dispatched(&samples::dispatched(samples::id(99), 1))
        .unwrap();
    held.dispatched(&samples::dispatched(samples::id(99), 2))
        .unwrap();
    (0..4).for_each(|n| drop(call(&journal, n)));
    let few = journal.segments();
    journal.prune(journal.end().sequence).unwrap();
    assert_eq!(
        journal.segments(),
        few,
        "an open dispatch holds its segment"
    );
    (4..40).for_each(|n| drop(call(&journal, n)));
    assert!(journal.segments().len() > 12);
    journal.prune(0).unwrap();
    assert_eq!(journal.segments()[0], 0, "nothing is applied yet");
    journal.prune(journal.end().sequence).unwrap();
    assert_eq!(
        journal.segments().len(),
        1,
        "all applied, the open one carried forward"
    );
    assert_eq!(segment::list(scratch.path()).unwrap(), journal.segments());
    drop(held);
    drop(journal);
    let (journal, recovery) = Journal::open(scratch.path(), small, NOW).unwrap();
    assert_eq!(recovery.orphans, 1);
    drop(journal);
    let orphan = records(scratch.path())
        .into_iter()
        .find_map(|r| {
            if let Record::Orphaned(o) = r {
                Some(o)
            } else {
                None
            }
        })
        .unwrap();
    assert_eq!(
        (orphan.dispatched.exchange, orphan.attempts),
        (samples::id(99), 2)
    );
}

#[test]
fn threads_append_whole_records() {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(
        scratch.path(),
        JournalOptions {
            segment_bytes: 20_000,
            ..options()
        },
        NOW,
    )
    .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = journal.clone();
            scope.spawn(move || (0..100).for_each(|n| drop(call(&journal, thread * 1_000 + n))));
        }
    });
    drop(journal);
    let mut ids = settled_ids(scratch.path());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 400);
    let (_, recovery) = open(scratch.path());
    assert_eq!((recovery.orphans, recovery.truncated_bytes), (0, 0));
}

#[test]
fn segments_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    drop(open(scratch.path()));
    let mode = File::open(segment::path(scratch.path(), 0))
        .unwrap()
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
