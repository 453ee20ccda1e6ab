//! The projection's rounds: read a batch, give it to every lane that stands where it begins, until nothing is left.
//!
//! Knows no table. Invariant: lanes at one position share one read and one decoding; a lane that fell
//! behind reads for itself and joins the others again when it has caught up.

use std::path::Path;
use std::time::Duration;

use super::lane::Lane;
use super::ledger::LedgerRows;
use super::log::LogRows;
use super::sinks::Sinks;
use super::{Control, ProjectionStatus, SettledSink, Stop};
use crate::error::StoreError;
use crate::journal::{Batch, Entry, Journal, Position, Tail};

/// Time between rounds: what a row takes to be seen at most, and how long a batch gathers.
pub(super) const ROUND: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    journal: Journal,
    tail: Tail,
    ledger: Lane<LedgerRows>,
    log: Lane<LogRows>,
    sinks: Sinks,
    batch: Batch,
    missing: u64,
    unreadable: u64,
    prune_error: Option<String>,
}

impl Worker {
    pub(super) fn open(
        dir: &Path,
        journal: Journal,
        sinks: Vec<Box<dyn SettledSink>>,
    ) -> Result<Worker, StoreError> {
        let born = journal.born();
        Ok(Worker {
            tail: Tail::new(journal.clone(), dir.to_owned()),
            ledger: Lane::open(dir, LedgerRows::default(), born)?,
            log: Lane::open(dir, LogRows, born)?,
            sinks: Sinks::new(sinks, born),
            journal,
            batch: Batch::default(),
            missing: 0,
            unreadable: 0,
            prune_error: None,
        })
    }

    /// Runs rounds until it is told to stop.
    pub(super) fn run(mut self, control: &Control) {
        loop {
            let (asked, stop) = {
                let state = control.state.lock();
                (state.asked, state.stop)
            };
            if stop != Stop::AtOnce {
                self.round(control);
            }
            let mut state = control.state.lock();
            state.done = asked;
            state.status = self.status();
            control.changed.notify_all();
            if stop != Stop::No {
                return;
            }
            if state.asked == asked && state.stop == Stop::No {
                control.changed.wait_for(&mut state, ROUND);
            }
        }
    }

    /// Applies what is written, until nothing is left or nothing moves.
    fn round(&mut self, control: &Control) {
        while self.step() {
            if control.state.lock().stop == Stop::AtOnce {
                return;
            }
        }
        self.prune();
    }

    /// One batch for each lane. Returns whether any lane moved.
    pub(super) fn step(&mut self) -> bool {
        let before = (
            self.ledger.position(),
            self.log.position(),
            self.sinks.position,
        );
        // The first lane reads always: the batch in hand may have ended where the journal then did.
        let mut fresh = self.read(before.0);
        match &fresh {
            Ok(()) if self.batch.to != before.0 => {
                let (missing, unreadable) = (self.batch.missing, unreadable(&self.batch));
                if self.ledger.apply(&self.batch).is_ok() {
                    self.missing += missing;
                    self.unreadable += unreadable;
                }
            }
            Ok(()) => {}
            Err(error) => self.ledger.note(error),
        }
        if before.1 != before.0 || fresh.is_err() {
            fresh = self.read(before.1);
        }
        match &fresh {
            Ok(()) if self.batch.to != before.1 => {
                // An error is in the lane's status, and the batch comes again.
                let _ = self.log.apply(&self.batch);
            }
            Ok(()) => {}
            Err(error) => self.log.note(error),
        }
        if self.batch.from != before.2 || fresh.is_err() {
            fresh = self.read(before.2);
        }
        if fresh.is_ok() && self.batch.to != before.2 {
            self.sinks.apply(&self.batch);
        }
        before
            != (
                self.ledger.position(),
                self.log.position(),
                self.sinks.position,
            )
    }

    fn read(&mut self, from: Position) -> Result<(), StoreError> {
        self.tail.read(from, &mut self.batch)
    }

    /// Removes segments that both databases have on disk behind them.
    fn prune(&mut self) {
        let applied = self
            .ledger
            .position()
            .sequence
            .min(self.log.position().sequence)
            .min(self.sinks.position.sequence);
        if !self.journal.can_prune(applied) {
            return;
        }
        let safe = self
            .ledger
            .checkpoint()
            .and_then(|ledger| Ok(ledger && self.log.checkpoint()?));
        let pruned = safe.and_then(|safe| {
            let prune = || {
                self.journal
                    .prune(applied)
                    .map_err(StoreError::io("prune", "the journal"))
            };
            if safe { prune() } else { Ok(()) }
        });
        self.prune_error = pruned.err().map(|e| e.to_string());
    }

    fn status(&self) -> ProjectionStatus {
        let end = self.journal.end();
        ProjectionStatus {
            ledger: self.ledger.status(end),
            log: self.log.status(end),
            missing: self.missing,
            unreadable: self.unreadable,
            prune_error: self.prune_error.clone(),
        }
    }
}

fn unreadable(batch: &Batch) -> u64 {
    batch
        .entries
        .iter()
        .filter(|(_, e)| matches!(e, Entry::Unreadable(..)))
        .count() as u64
}
