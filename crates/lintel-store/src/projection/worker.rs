//! The projection's rounds: read a batch, give it to every lane that stands where it begins, until nothing is left.
//!
//! Knows no table. Invariants: lanes at one position share one read and one decoding; a lane that fell
//! behind reads for itself and joins the others again when it has caught up; while it pauses, the databases
//! are another process's, and only the sinks are told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::followed::{Followed, Life};
use super::lane::Lane;
use super::ledger::LedgerRows;
use super::log::LogRows;
use super::sinks::Sinks;
use super::{Control, ProjectionStatus, SettledSink, Stop};
use crate::error::StoreError;
use crate::journal::{Batch, Entry, Journal, Position};

/// Time between rounds: what a row takes to be seen at most, and how long a batch gathers.
pub(super) const ROUND: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    store: PathBuf,
    pub(super) journal: Journal,
    /// This process's own generation first.
    pub(super) followed: Vec<Followed>,
    pub(super) ledger: Lane<LedgerRows>,
    pub(super) log: Lane<LogRows>,
    pub(super) sinks: Sinks,
    paused: bool,
    batch: Batch,
    missing: u64,
    unreadable: u64,
    pub(super) prune_error: Option<String>,
}

impl Worker {
    pub(super) fn open(
        dir: &Path,
        journal: Journal,
        sinks: Vec<Box<dyn SettledSink>>,
    ) -> Result<Worker, StoreError> {
        let (own, born) = (journal.generation().number, journal.born());
        let mut worker = Worker {
            store: dir.to_owned(),
            followed: vec![Followed::own(&journal)],
            ledger: Lane::open(dir, LedgerRows::default(), own, born)?,
            log: Lane::open(dir, LogRows, own, born)?,
            sinks: Sinks(sinks),
            journal,
            paused: false,
            batch: Batch::default(),
            missing: 0,
            unreadable: 0,
            prune_error: None,
        };
        worker.discover(dir)?;
        Ok(worker)
    }

    /// Runs rounds until it is told to stop.
    pub(super) fn run(mut self, control: &Control) {
        loop {
            let (asked, stop, pause) = {
                let state = control.state.lock();
                (state.asked, state.stop, state.pause)
            };
            if stop != Stop::AtOnce {
                self.turn(pause, control);
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

    /// A round, or what of it is done while pausing. The last round before a pause is a whole one.
    fn turn(&mut self, pause: bool, control: &Control) {
        if self.paused && !pause {
            self.resume();
        }
        if self.paused {
            self.tell_own();
        } else {
            self.round(control);
        }
        self.paused = pause;
    }

    /// The databases are this process's again.
    fn resume(&mut self) {
        let store = self.store.clone();
        let reloaded = self.ledger.reload().and_then(|()| self.log.reload());
        if let Err(error) = reloaded.and_then(|()| self.discover(&store)) {
            self.ledger.note(&error);
        }
    }

    /// Applies what is written, until nothing is left or nothing moves.
    fn round(&mut self, control: &Control) {
        self.visit();
        while self.step() {
            if control.state.lock().stop == Stop::AtOnce {
                return;
            }
        }
        let holds = control.holds.lock();
        if *holds == 0 {
            self.prune();
            self.bury();
        }
    }

    /// One batch of each generation for each lane. Returns whether any lane moved.
    pub(super) fn step(&mut self) -> bool {
        let mut followed = std::mem::take(&mut self.followed);
        let mut moved = false;
        for one in &mut followed {
            moved |= self.step_in(one);
        }
        self.followed = followed;
        moved
    }

    fn step_in(&mut self, one: &mut Followed) -> bool {
        let before = self.positions(one);
        // The first lane reads always: the batch in hand may have ended where the journal then did.
        let mut fresh = one.tail.read(before.0, &mut self.batch);
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
            fresh = one.tail.read(before.1, &mut self.batch);
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
            fresh = one.tail.read(before.2, &mut self.batch);
        }
        if fresh.is_ok() {
            self.tell(one);
        }
        before != self.positions(one)
    }

    fn positions(&self, one: &Followed) -> (Position, Position, Position) {
        let number = one.number;
        (
            self.ledger.position(number),
            self.log.position(number),
            one.told,
        )
    }

    /// Tells the sinks of the batch in hand, which begins where they are.
    fn tell(&mut self, one: &mut Followed) {
        if self.batch.to != one.told {
            let own = matches!(one.life, Life::Own);
            self.sinks.apply(&self.batch, own);
            one.told = self.batch.to;
        }
    }

    /// Tells the sinks of what this process has written, and leaves the databases alone.
    fn tell_own(&mut self) {
        let mut followed = std::mem::take(&mut self.followed);
        if let Some(own) = followed.first_mut() {
            loop {
                let before = own.told;
                if own.tail.read(before, &mut self.batch).is_ok() {
                    self.tell(own);
                }
                if own.told == before {
                    break;
                }
            }
        }
        self.followed = followed;
    }

    /// Removes segments of this process that both databases have on disk behind them.
    fn prune(&mut self) {
        let Some(applied) = self.followed.first().map(|own| self.applied(own)) else {
            return;
        };
        if !self.journal.can_prune(applied) {
            return;
        }
        let pruned = self.checkpointed().and_then(|safe| {
            let prune = || {
                self.journal
                    .prune(applied)
                    .map_err(StoreError::io("prune", "the journal"))
            };
            if safe { prune() } else { Ok(()) }
        });
        self.prune_error = pruned.err().map(|e| e.to_string());
    }

    /// Makes what is applied survive a power cut. Returns whether all of it does.
    pub(super) fn checkpointed(&self) -> Result<bool, StoreError> {
        Ok(self.ledger.checkpoint()? && self.log.checkpoint()?)
    }

    fn status(&self) -> ProjectionStatus {
        let ends = self.ends();
        ProjectionStatus {
            ledger: self.ledger.status(&ends),
            log: self.log.status(&ends),
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
