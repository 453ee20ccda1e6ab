//! What permits and the keeper share: the writer under its lock, the slots, the health, the news of writes.
//!
//! Decides what an append does when the disk refuses. Knows no permit. Invariant: a slot is free, or
//! belongs to exactly one live permit or one waiting frame.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use lintel_types::{Dispatched, ExchangeId, Settled};
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use super::Durability;
use super::frame::{self, RecordRef};
use super::writer::{FrameKind, Writer};
use crate::error::StoreError;

/// A thread's buffer is given back when a record made it larger than this.
const BUFFER_KEPT: usize = 64 << 10;

thread_local! {
    /// The frame being made: an append allocates nothing once its thread has made one.
    static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct Shared {
    pub(super) writer: Mutex<Writer>,
    /// Wakes the keeper; belongs to `writer`.
    pub(super) wake: Condvar,
    pub(super) stop: AtomicBool,
    pub(super) healthy: AtomicBool,
    /// Records before this sequence are as durable as was asked for. In `Process` durability it moves
    /// only when waiting frames are written: what is written at once needs no news.
    pub(super) durable: watch::Sender<u64>,
    pub(super) durability: Durability,
    /// Records before this sequence are on file.
    written: AtomicU64,
    free: AtomicUsize,
    capacity: usize,
}

impl Shared {
    pub(super) fn new(writer: Writer, durability: Durability, capacity: usize) -> Self {
        // What was there before this process is not waited for; its orphan records are synced first thing.
        let durable = watch::Sender::new(writer.synced.sequence);
        let written = writer.end.sequence;
        Self {
            writer: Mutex::new(writer),
            wake: Condvar::new(),
            stop: AtomicBool::new(false),
            healthy: AtomicBool::new(true),
            durable,
            written: AtomicU64::new(written),
            durability,
            free: AtomicUsize::new(capacity),
            capacity,
        }
    }

    /// Takes a slot, if one is free.
    pub(super) fn take_slot(&self) -> bool {
        self.free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| {
                free.checked_sub(1)
            })
            .is_ok()
    }

    /// Gives slots back.
    pub(super) fn free_slots(&self, count: usize) {
        self.free.fetch_add(count, Ordering::AcqRel);
    }

    pub(super) fn taken_slots(&self) -> usize {
        self.capacity
            .saturating_sub(self.free.load(Ordering::Acquire))
    }

    /// Writes a dispatch. After an error nothing is on file and the attempt must not be made.
    pub(super) fn dispatch(&self, dispatched: &Dispatched) -> Result<(), StoreError> {
        with_frame(|frame| {
            frame::encode(&RecordRef::Dispatched(dispatched), frame)?;
            let mut writer = self.writer.lock();
            let written = self.flush(&mut writer).and_then(|()| writer.write(frame));
            self.note_health(&writer);
            let at = written.map_err(StoreError::Unwritable)?;
            writer.dispatched(dispatched.exchange, at, frame.len());
            Ok(())
        })
    }

    /// Writes a settlement, or keeps it until the disk takes it. Returns the sequence to wait for; none
    /// when it is as durable as was asked for already. The slot goes with the frame.
    pub(super) fn settle(&self, settled: &Settled) -> Result<Option<u64>, StoreError> {
        with_frame(|frame| {
            frame::encode(&RecordRef::Settled(settled), frame)?;
            let mut writer = self.writer.lock();
            let written = self.flush(&mut writer).and_then(|()| writer.write(frame));
            let wait_for = match written {
                Ok(at) => {
                    writer.settled(settled.exchange);
                    self.free_slots(1);
                    (self.durability == Durability::Disk).then_some(at.sequence)
                }
                Err(_) => Some(writer.wait(frame, settled.exchange, FrameKind::Settlement)),
            };
            self.note_health(&writer);
            if self.durability == Durability::Disk {
                self.wake.notify_one();
            }
            Ok(wait_for)
        })
    }

    /// Adds a record to the group that [`Shared::commit`] writes. Returns its sequence.
    pub(super) fn enqueue(
        &self,
        record: &RecordRef<'_>,
        exchange: ExchangeId,
        kind: FrameKind,
    ) -> Result<u64, StoreError> {
        with_frame(|frame| {
            frame::encode(record, frame)?;
            Ok(self.writer.lock().enqueue(frame, exchange, kind))
        })
    }

    /// Writes the group. After an error its frames are kept, and written when the disk takes them.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock();
        let outcome = self.flush(&mut writer);
        self.note_health(&writer);
        if self.durability == Durability::Disk {
            self.wake.notify_one();
        }
        outcome.map_err(StoreError::Unwritable)
    }

    /// The sequence to wait for before the record with this one is as durable as was asked for; none
    /// when it is already.
    pub(super) fn due(&self, sequence: u64) -> Option<u64> {
        let process = self.durability == Durability::Process;
        let on_file = self.written.load(Ordering::Acquire) > sequence;
        (!(process && on_file)).then_some(sequence)
    }

    /// Records before this sequence are durable.
    pub(super) fn durable_upto(&self) -> u64 {
        *self.durable.borrow()
    }

    /// Writes what waits, the group included. Slots of written settlements are free again.
    pub(super) fn flush(&self, writer: &mut Writer) -> std::io::Result<()> {
        let mended = !writer.healthy();
        let (settled, outcome) = writer.commit();
        self.free_slots(settled);
        self.written.store(writer.end.sequence, Ordering::Release);
        if mended && self.durability == Durability::Process {
            self.durable.send_replace(writer.end.sequence);
        }
        outcome
    }

    /// Publishes the writer's health, and wakes the keeper when there is something to mend.
    fn note_health(&self, writer: &Writer) {
        self.publish_health(writer);
        if !writer.healthy() {
            self.wake.notify_one();
        }
    }

    pub(super) fn publish_health(&self, writer: &Writer) {
        self.healthy.store(writer.healthy(), Ordering::Release);
    }
}

fn with_frame<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    FRAME.with(|cell| {
        let mut frame = cell.take();
        let done = work(&mut frame);
        frame.clear();
        frame.shrink_to(BUFFER_KEPT);
        cell.replace(frame);
        done
    })
}
