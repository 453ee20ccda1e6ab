//! The lane without a database: tells each sink of every record that this process wrote, and counts for it what
//! an older process, which nobody asks any more, still writes.
//!
//! Knows no row. Invariant: a record is told once, in order, also while a database fails.

use super::SettledSink;
use crate::journal::{Batch, Entry, Recovery};

pub(super) struct Sinks(pub(super) Vec<Box<dyn SettledSink>>);

impl Sinks {
    /// Tells of a batch that this process wrote if it is its `own`.
    pub(super) fn apply(&mut self, batch: &Batch, own: bool) {
        for (_, entry) in &batch.entries {
            for sink in &mut self.0 {
                match entry {
                    Entry::Settled(settled, _) if own => sink.settled(settled),
                    Entry::Settled(settled, _) => sink.inherited(settled),
                    Entry::Orphaned(orphaned, _) => sink.orphaned(orphaned),
                    Entry::Unreadable(..) => {}
                }
            }
        }
    }

    /// Tells that a former process's journal was mended.
    pub(super) fn mended(&mut self, recovery: &Recovery) {
        self.0.iter_mut().for_each(|sink| sink.mended(recovery));
    }
}
