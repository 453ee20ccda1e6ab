//! Disks that refuse, write in part, or sync late.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use lintel_types::Record;
use parking_lot::Mutex;

use super::{call, options, records, settled_ids};
use crate::error::StoreError;
use crate::journal::segment::{SegmentFile, SegmentFiles};
use crate::journal::{Durability, Journal, JournalOptions, OnDisk, Permit, Ticket};
use crate::samples::{self, NOW, Scratch};

/// A disk that takes `budget` more bytes, and syncs when it is let.
#[derive(Default)]
pub(super) struct Faulty {
    pub(super) budget: Arc<AtomicU64>,
    sync_fails: Arc<AtomicBool>,
    syncs: Arc<AtomicUsize>,
    /// Held: syncs wait.
    gate: Arc<Mutex<()>>,
}

struct FaultyFile {
    file: Arc<dyn SegmentFile>,
    budget: Arc<AtomicU64>,
    sync_fails: Arc<AtomicBool>,
    syncs: Arc<AtomicUsize>,
    gate: Arc<Mutex<()>>,
}

impl Faulty {
    pub(super) fn with_budget(bytes: u64) -> Arc<Self> {
        let disk = Self::default();
        disk.budget.store(bytes, Ordering::SeqCst);
        Arc::new(disk)
    }
}

impl SegmentFiles for Faulty {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let (budget, sync_fails) = (Arc::clone(&self.budget), Arc::clone(&self.sync_fails));
        let (syncs, gate) = (Arc::clone(&self.syncs), Arc::clone(&self.gate));
        Ok(Arc::new(FaultyFile {
            file: OnDisk.open(path)?,
            budget,
            sync_fails,
            syncs,
            gate,
        }))
    }
}

impl SegmentFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let left = self.budget.load(Ordering::SeqCst);
        let take = (bytes.len() as u64).min(left);
        self.budget.fetch_sub(take, Ordering::SeqCst);
        if take == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(&bytes[..take as usize], offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        let _open = self.gate.lock();
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.sync_fails.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("sync failed"));
        }
        self.file.sync()
    }
}

#[test]
fn a_settlement_that_the_disk_refuses_waits_and_is_written_later() {
    let scratch = Scratch::new();
    let disk = Faulty::with_budget(1 << 20);
    let (journal, _) = Journal::open_on(
        Arc::clone(&disk) as Arc<dyn SegmentFiles>,
        scratch.path(),
        options(),
        NOW,
    )
    .unwrap();
    let mut permits: Vec<Permit> = (0..2).map(|_| journal.permit().unwrap()).collect();
    permits[0]
        .dispatched(&samples::dispatched(samples::id(1), 1))
        .unwrap();
    // Full in the middle of a record: a part of it reaches the file.
    disk.budget.store(100, Ordering::SeqCst);
    let first = permits
        .remove(0)
        .settle(samples::settled(samples::id(1), 1));
    assert!(!first.is_written() && !journal.healthy());
    assert!(
        journal.permit().is_none(),
        "no new call while the disk refuses"
    );
    let refused = permits[0].dispatched(&samples::dispatched(samples::id(2), 1));
    assert!(matches!(refused, Err(StoreError::Unwritable(_))));
    let second = permits
        .remove(0)
        .settle(samples::settled(samples::id(2), 0));
    assert_eq!(journal.pending(), 2, "both settlements keep their slots");
    assert!(!first.is_written() && !second.is_written());
    disk.budget.store(1 << 20, Ordering::SeqCst);
    // The journal's own thread mends it: nothing else appends.
    wait(first);
    wait(second);
    assert_eq!(journal.pending(), 0);
    drop(journal);
    assert_eq!(
        settled_ids(scratch.path()),
        [samples::id(1), samples::id(2)]
    );
    let dispatched = records(scratch.path())
        .iter()
        .filter(|r| matches!(r, Record::Dispatched(_)))
        .count();
    assert_eq!(dispatched, 1, "a refused dispatch is not on file");
}

#[test]
fn the_next_append_writes_what_waits_first() {
    let scratch = Scratch::new();
    let disk = Faulty::with_budget(1 << 20);
    let (journal, _) = Journal::open_on(
        Arc::clone(&disk) as Arc<dyn SegmentFiles>,
        scratch.path(),
        options(),
        NOW,
    )
    .unwrap();
    let (one, two) = (journal.permit().unwrap(), journal.permit().unwrap());
    disk.budget.store(0, Ordering::SeqCst);
    let first = one.settle(samples::settled(samples::id(1), 0));
    disk.budget.store(1 << 20, Ordering::SeqCst);
    let second = two.settle(samples::settled(samples::id(2), 0));
    assert!(first.is_written() && second.is_written());
    drop(journal);
    assert_eq!(
        settled_ids(scratch.path()),
        [samples::id(1), samples::id(2)]
    );
}

#[test]
fn what_still_waits_is_written_when_the_journal_closes() {
    let scratch = Scratch::new();
    let disk = Faulty::with_budget(1 << 20);
    let (journal, _) = Journal::open_on(
        Arc::clone(&disk) as Arc<dyn SegmentFiles>,
        scratch.path(),
        options(),
        NOW,
    )
    .unwrap();
    let permit = journal.permit().unwrap();
    disk.budget.store(0, Ordering::SeqCst);
    let _waiting = permit.settle(samples::settled(samples::id(1), 0));
    disk.budget.store(1 << 20, Ordering::SeqCst);
    drop(journal);
    assert_eq!(settled_ids(scratch.path()), [samples::id(1)]);
}

fn on_disk(scratch: &Scratch, disk: &Arc<Faulty>) -> Journal {
    let durable = JournalOptions {
        durability: Durability::Disk,
        ..options()
    };
    Journal::open_on(
        Arc::clone(disk) as Arc<dyn SegmentFiles>,
        scratch.path(),
        durable,
        NOW,
    )
    .unwrap()
    .0
}

#[test]
fn disk_durability_waits_for_one_sync_for_all() {
    let scratch = Scratch::new();
    let disk = Faulty::with_budget(1 << 20);
    let journal = on_disk(&scratch, &disk);
    let closed = disk.gate.lock();
    let tickets: Vec<Ticket> = (0..20).map(|n| call(&journal, n)).collect();
    assert!(
        tickets.iter().all(|t| !t.is_written()),
        "nothing is synced behind a closed gate"
    );
    drop(closed);
    tickets.into_iter().for_each(wait);
    let syncs = disk.syncs.load(Ordering::SeqCst);
    assert!((1..=2).contains(&syncs), "{syncs} syncs for 20 calls");
}

#[test]
fn a_failed_sync_writes_again_before_it_counts() {
    let scratch = Scratch::new();
    let disk = Faulty::with_budget(1 << 20);
    let journal = on_disk(&scratch, &disk);
    disk.sync_fails.store(true, Ordering::SeqCst);
    let closed = disk.gate.lock();
    let before = disk.budget.load(Ordering::SeqCst);
    let ticket = call(&journal, 1);
    let bytes = before - disk.budget.load(Ordering::SeqCst);
    drop(closed);
    wait(ticket);
    let in_all = before - disk.budget.load(Ordering::SeqCst);
    assert!(
        in_all >= 2 * bytes,
        "{bytes} bytes were written once more: {in_all}"
    );
    drop(journal);
    assert_eq!(settled_ids(scratch.path()), [samples::id(1)]);
}

fn wait(ticket: Ticket) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(ticket.written());
}
