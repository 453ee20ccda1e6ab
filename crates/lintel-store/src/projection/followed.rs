//! The generations of the journal that are followed: this process's own, those that an older process which still
//! serves its last calls appends to, and those whose process has gone.
//!
//! Decides when a generation is mended and when its files go. Invariants: one that is alive is only read; orphans
//! are looked for once its process is gone; files go when both databases are on disk behind all of them.

use std::path::Path;

use super::worker::Worker;
use crate::error::StoreError;
use crate::journal::{self, Claim, Generation, Journal, Position, Tail};

/// A generation, and how far its records were told.
pub(super) struct Followed {
    pub(super) number: u64,
    pub(super) tail: Tail,
    /// Up to where the sinks were told of it.
    pub(super) told: Position,
    pub(super) life: Life,
}

/// Who appends to a generation.
pub(super) enum Life {
    /// This process.
    Own,
    /// Another process.
    Alive(Generation),
    /// Nobody any more.
    Over {
        generation: Generation,
        claim: Claim,
        end: Position,
    },
}

impl Followed {
    /// What this process writes, from its first record on.
    pub(super) fn own(journal: &Journal) -> Self {
        Self {
            number: journal.generation().number,
            tail: Tail::own(journal.clone()),
            told: journal.born(),
            life: Life::Own,
        }
    }

    /// The place behind its last record, where that is known.
    fn end(&self, journal: &Journal) -> Option<Position> {
        match &self.life {
            Life::Own => Some(journal.end()),
            Life::Alive(_) => None,
            Life::Over { end, .. } => Some(*end),
        }
    }
}

impl Worker {
    /// Follows every generation in the store directory from now on, and mends those whose process has gone.
    ///
    /// Errors: damage before a last record, another node's or a newer version's segments.
    pub(super) fn discover(&mut self, store: &Path) -> Result<(), StoreError> {
        for generation in Generation::all(store)? {
            let number = generation.number;
            if self.followed.iter().any(|one| one.number == number) {
                continue;
            }
            let one = match generation.claim()? {
                Some(claim) => self.over(generation, claim, None)?,
                None => Followed {
                    number,
                    tail: Tail::other(generation.clone(), true),
                    // Its process has told of what it had applied itself.
                    told: self.furthest(number),
                    life: Life::Alive(generation),
                },
            };
            self.followed.push(one);
        }
        Ok(())
    }

    fn furthest(&self, generation: u64) -> Position {
        let (ledger, log) = (
            self.ledger.position(generation),
            self.log.position(generation),
        );
        if ledger.sequence > log.sequence {
            ledger
        } else {
            log
        }
    }

    /// A generation whose process has gone. Without `told`, the sinks are told of the orphans alone.
    fn over(
        &mut self,
        generation: Generation,
        claim: Claim,
        told: Option<Position>,
    ) -> Result<Followed, StoreError> {
        let number = generation.number;
        let (node, now) = (self.journal.node(), self.journal.now());
        let remains = journal::lay_to_rest(&generation, &claim, node, now)?;
        self.ledger.no_further_than(number, remains.born)?;
        self.log.no_further_than(number, remains.born)?;
        self.sinks.mended(&remains.recovery);
        Ok(Followed {
            number,
            tail: Tail::other(generation.clone(), false),
            told: told.unwrap_or(remains.born),
            life: Life::Over {
                generation,
                claim,
                end: remains.end,
            },
        })
    }

    /// Looks whether processes have gone that were alive.
    pub(super) fn visit(&mut self) {
        let followed = std::mem::take(&mut self.followed);
        for one in followed {
            let one = match &one.life {
                Life::Own | Life::Over { .. } => one,
                Life::Alive(generation) => self.look(generation.clone(), one),
            };
            self.followed.push(one);
        }
    }

    fn look(&mut self, generation: Generation, one: Followed) -> Followed {
        let claimed = generation.claim();
        let over = claimed.and_then(|claim| match claim {
            Some(claim) => self.over(generation, claim, Some(one.told)).map(Some),
            None => Ok(None),
        });
        match over {
            Ok(Some(over)) => over,
            Ok(None) => one,
            Err(error) => {
                // It is tried again in the next round; nothing of it is lost.
                self.ledger.note(&error);
                one
            }
        }
    }

    /// Removes the generations that are over and whose every record is applied and safe.
    pub(super) fn bury(&mut self) {
        let followed = std::mem::take(&mut self.followed);
        for one in followed {
            match self.buried(&one) {
                Ok(true) => {}
                Ok(false) => self.followed.push(one),
                Err(error) => {
                    self.prune_error = Some(error.to_string());
                    self.followed.push(one);
                }
            }
        }
    }

    fn buried(&mut self, one: &Followed) -> Result<bool, StoreError> {
        let Life::Over {
            generation,
            claim,
            end,
        } = &one.life
        else {
            return Ok(false);
        };
        if self.applied(one) < end.sequence || !self.checkpointed()? {
            return Ok(false);
        }
        generation.remove(claim)?;
        self.ledger.forget(one.number)?;
        self.log.forget(one.number)?;
        Ok(true)
    }

    /// The sequence before which every record of `one` is applied by all.
    pub(super) fn applied(&self, one: &Followed) -> u64 {
        let ledger = self.ledger.position(one.number).sequence;
        let log = self.log.position(one.number).sequence;
        ledger.min(log).min(one.told.sequence)
    }

    /// The known ends, this process's own first.
    pub(super) fn ends(&self) -> Vec<(u64, Position)> {
        let end = |one: &Followed| Some((one.number, one.end(&self.journal)?));
        self.followed.iter().filter_map(end).collect()
    }
}
