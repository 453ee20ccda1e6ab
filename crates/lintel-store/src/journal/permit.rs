//! A permit: one exchange's right to be recorded, taken at admission and spent by settling.
//!
//! Knows no file. Invariant: an exchange that holds a permit can always be settled, without awaiting.

use lintel_types::{Dispatched, Settled};
use tokio::sync::watch;

use super::Journal;
use super::frame::RecordRef;
use super::writer::FrameKind;
use crate::error::StoreError;

/// One exchange's slot. Dropping it without having settled frees the slot; an exchange that was
/// dispatched by then is booked as an orphan at the next start.
#[derive(Debug)]
#[must_use = "a permit that is dropped records nothing"]
pub struct Permit {
    journal: Journal,
    spent: bool,
}

impl Permit {
    pub(super) fn new(journal: Journal) -> Self {
        Self {
            journal,
            spent: false,
        }
    }

    /// Records that an attempt is about to be sent: its `write(2)` has returned before this does.
    ///
    /// Errors: the disk takes no write; then nothing is recorded and the attempt must not be made.
    pub fn dispatched(&mut self, dispatched: &Dispatched) -> Result<(), StoreError> {
        self.journal.shared().dispatch(dispatched)
    }

    /// Like [`Permit::dispatched`], but written together with others by the next [`Journal::commit`]: the
    /// attempt may be made once that has returned `Ok`.
    pub fn dispatched_later(&mut self, dispatched: &Dispatched) -> Result<(), StoreError> {
        let record = RecordRef::Dispatched(dispatched);
        let shared = self.journal.shared();
        shared.enqueue(&record, dispatched.exchange, FrameKind::Dispatch)?;
        Ok(())
    }

    /// Like [`Permit::settle`], but written together with others by the next [`Journal::commit`]; then
    /// [`Later::ticket`] tells when the terminal bytes may leave.
    pub fn settle_later(mut self, settled: Settled) -> Later {
        self.spent = true;
        let shared = self.journal.shared();
        let enqueue = |settled: &Settled| {
            let record = RecordRef::Settled(settled);
            shared.enqueue(&record, settled.exchange, FrameKind::Settlement)
        };
        let sequence = enqueue(&settled).or_else(|_| enqueue(&lean(settled)));
        Later {
            // Not reachable, as in `settle`.
            sequence: sequence.unwrap_or(u64::MAX),
            journal: self.journal.clone(),
        }
    }

    /// Records how the exchange ended. Never awaits, never loses the record: what the disk refuses now
    /// waits in memory, keeps the slot, and is written by later appends and by the journal's own thread.
    pub fn settle(mut self, settled: Settled) -> Ticket {
        self.spent = true;
        let shared = self.journal.shared();
        let outcome = shared
            .settle(&settled)
            .or_else(|_| shared.settle(&lean(settled)));
        match outcome {
            Ok(None) => Ticket { wait: None },
            Ok(Some(sequence)) => Ticket {
                wait: Some((sequence, shared.durable.subscribe())),
            },
            // Not reachable for a record made of bounded fields. The slot stays taken: the loss shows as a
            // permit that never comes back, and the exchange as an orphan after the next start.
            Err(_) => Ticket {
                wait: Some((u64::MAX, shared.durable.subscribe())),
            },
        }
    }
}

/// A record that is too large for a frame, without what can be large: the provider's raw usage. The row
/// is whole without it.
fn lean(mut settled: Settled) -> Settled {
    settled.attempts.iter_mut().for_each(|a| a.raw_usage = None);
    settled
}

/// A settlement that the next commit writes.
#[derive(Debug)]
#[must_use = "the terminal bytes may leave once its ticket is written"]
pub struct Later {
    journal: Journal,
    sequence: u64,
}

impl Later {
    /// After the commit: when is the record as durable as was asked for?
    pub fn ticket(self) -> Ticket {
        let shared = self.journal.shared();
        let due = shared.due(self.sequence);
        Ticket {
            wait: due.map(|sequence| (sequence, shared.durable.subscribe())),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.spent {
            self.journal.shared().free_slots(1);
        }
    }
}

/// A settlement on its way to the disk.
#[derive(Debug)]
#[must_use = "the terminal bytes may leave once the ticket is written"]
pub struct Ticket {
    wait: Option<(u64, watch::Receiver<u64>)>,
}

impl Ticket {
    /// Whether the record is as durable as was asked for.
    pub fn is_written(&self) -> bool {
        self.wait
            .as_ref()
            .is_none_or(|(sequence, durable)| *durable.borrow() > *sequence)
    }

    /// Returns once the record is as durable as was asked for: at once in `Process` durability, unless
    /// the disk refused the write; after a group `fdatasync(2)` in `Disk`. Cancel-safe. Waits without
    /// bound while the disk refuses (the caller's deadline applies), and returns when the journal is closed.
    pub async fn written(self) {
        if let Some((sequence, mut durable)) = self.wait {
            // An error says that the journal is closed: nothing more will be known.
            let _ = durable.wait_for(|upto| *upto > sequence).await;
        }
    }
}
