//! The lane without a database: tells each sink of every record that this process wrote.
//!
//! Knows no row. Invariant: a record is told once, in order, also while a database fails.

use super::SettledSink;
use crate::journal::{Batch, Entry, Position};

pub(super) struct Sinks {
    sinks: Vec<Box<dyn SettledSink>>,
    pub(super) position: Position,
}

impl Sinks {
    pub(super) fn new(sinks: Vec<Box<dyn SettledSink>>, born: Position) -> Self {
        Self {
            sinks,
            position: born,
        }
    }

    /// Tells of a batch that begins at `position`.
    pub(super) fn apply(&mut self, batch: &Batch) {
        for (_, entry) in &batch.entries {
            for sink in &mut self.sinks {
                match entry {
                    Entry::Settled(settled, _) => sink.settled(settled),
                    Entry::Orphaned(orphaned, _) => sink.orphaned(orphaned),
                    Entry::Unreadable(..) => {}
                }
            }
        }
        self.position = batch.to;
    }
}
