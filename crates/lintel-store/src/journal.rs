//! The journal: the ledger's source of truth, appended on the request's path and projected beside it.
//!
//! Decides when an append counts, who may append (permits) and what a crash leaves. Knows no database.
//! Invariants: `dispatched` returns only after its `write(2)`; a settled record is written, or waits in
//! memory with its slot taken, and is never dropped; a torn tail is cut, damage before it refuses the start.
//!
//! One append is one `pwrite(2)` by the caller under a mutex, of bytes made outside it in a buffer that
//! the thread keeps. Threads: one keeper, asleep while nothing fails and nothing waits for a sync.

mod frame;
mod generation;
mod group;
mod inspect;
mod keeper;
mod permit;
mod recover;
mod segment;
mod shared;
mod tail;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use lintel_types::{NodeId, Timestamp};

pub(crate) use generation::{Claim, Generation};
pub(crate) use inspect::{check, files, whole_frames};
pub use permit::{Later, Permit, Ticket};
pub(crate) use segment::Position;
pub(crate) use tail::{Batch, Entry, Tail};

use crate::error::StoreError;
use frame::RecordRef;
use keeper::Keeper;
use segment::{OnDisk, SegmentFiles};
use shared::Shared;
use writer::Writer;

/// What must have happened before a settlement counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// `write(2)` has returned: survives the death of the process.
    #[default]
    Process,
    /// `fdatasync(2)` has returned, one for a group of calls: survives a power cut.
    Disk,
}

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// Whose journal it is; segments of another node are refused.
    pub node: NodeId,
    /// When a settlement counts as written.
    pub durability: Durability,
    /// Permits out at once: exchanges in flight, and settlements that wait for a disk that takes none.
    pub capacity: usize,
    /// A segment is closed when the next record would take it over this many bytes.
    pub segment_bytes: u64,
}

impl JournalOptions {
    /// `Process` durability, 16,384 permits, segments of 16 MiB.
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            durability: Durability::Process,
            capacity: 16_384,
            segment_bytes: 16 << 20,
        }
    }
}

/// What opening found and mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Dispatched exchanges without a settlement, each now closed by an orphan record.
    pub orphans: usize,
    /// Bytes of a torn last record that were cut.
    pub truncated_bytes: u64,
    /// Segments that were there.
    pub segments: usize,
}

/// A handle on the journal. Clones share it; when the last one and the last permit go, its thread ends.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    _keeper: Keeper,
    /// The first record of this process.
    born: Position,
    /// When it was opened, by both clocks.
    opened: (Timestamp, Instant),
    generation: Generation,
    /// Let go when the keeper has written its last.
    _claim: Claim,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("healthy", &self.healthy())
            .field("pending", &self.pending())
            .finish()
    }
}

impl Journal {
    /// Writes what was put off by [`Permit::dispatched_later`] and [`Permit::settle_later`], by one write.
    ///
    /// Errors: the disk takes no write. What was put off is kept and written when it does; an attempt
    /// whose dispatch was among it must not be made.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.shared().commit()
    }

    /// Opens the journal in `dir`, whose lock the caller holds: cuts a torn tail, and closes every
    /// exchange that a former process dispatched and did not settle with one orphan record found at `now`.
    /// While a former process still appends to its own generation, a new one is begun beside it; what the former
    /// leaves is the projection's to follow.
    ///
    /// Errors: damage before the last record, segments of another node or a newer format, a disk that takes no orphan record.
    pub fn open(
        dir: &Path,
        options: JournalOptions,
        now: Timestamp,
    ) -> Result<(Journal, Recovery), StoreError> {
        Self::open_on(Arc::new(OnDisk), dir, options, now)
    }

    pub(crate) fn open_on(
        files: Arc<dyn SegmentFiles>,
        dir: &Path,
        options: JournalOptions,
        now: Timestamp,
    ) -> Result<(Journal, Recovery), StoreError> {
        let (generation, claim) = Generation::own(dir)?;
        let opened = open_generation(files, &generation.dir, &options, now)?;
        let shared = Arc::new(Shared::new(
            opened.writer,
            options.durability,
            options.capacity,
        ));
        let keeper = Keeper::start(Arc::clone(&shared))
            .map_err(StoreError::io("start the journal's thread for", dir))?;
        let inner = Inner {
            shared,
            _keeper: keeper,
            born: opened.born,
            opened: (now, Instant::now()),
            generation,
            _claim: claim,
        };
        Ok((
            Journal {
                inner: Arc::new(inner),
            },
            opened.recovery,
        ))
    }

    /// A slot for one exchange. `None` when every slot is taken or the last write failed: the call is
    /// refused then, with 503 `ledger_unavailable`, and nothing was recorded.
    pub fn permit(&self) -> Option<Permit> {
        if !self.healthy() {
            return None;
        }
        self.inner
            .shared
            .take_slot()
            .then(|| Permit::new(self.clone()))
    }

    /// Whether the last write succeeded and none waits. Mends itself once the disk takes writes again.
    pub fn healthy(&self) -> bool {
        self.inner.shared.healthy.load(Ordering::Acquire)
    }

    /// Slots that are taken: exchanges in flight and settlements that wait for the disk.
    pub fn pending(&self) -> usize {
        self.inner.shared.taken_slots()
    }

    /// The place behind the last written record.
    pub(crate) fn end(&self) -> Position {
        self.inner.shared.writer.lock().end
    }

    /// The place of the first record that this process wrote.
    pub(crate) fn born(&self) -> Position {
        self.inner.born
    }

    /// Where this process's segments lie.
    pub(crate) fn generation(&self) -> &Generation {
        &self.inner.generation
    }

    /// The node whose journal it is.
    pub(crate) fn node(&self) -> NodeId {
        self.inner.shared.writer.lock().node
    }

    /// The time now, as the clock that dated the opening would have it if nobody had set it since.
    pub(crate) fn now(&self) -> Timestamp {
        let (wall, since) = self.inner.opened;
        wall.plus(since.elapsed())
    }

    /// First sequences of the segments that are kept, ascending.
    pub(crate) fn segments(&self) -> Vec<u64> {
        self.inner
            .shared
            .writer
            .lock()
            .segments
            .iter()
            .copied()
            .collect()
    }

    /// Closes the segment that grows: what is in it can be pruned once it is applied and no call of it is open. Gives the
    /// sequence before which everything is in closed segments.
    ///
    /// Errors: the disk takes no new segment.
    pub fn retire(&self) -> Result<u64, StoreError> {
        let mut writer = self.inner.shared.writer.lock();
        writer.retire().map_err(StoreError::Unwritable)?;
        Ok(writer.end.sequence)
    }

    /// The sequence of the first record that is still in a segment.
    pub fn oldest(&self) -> u64 {
        self.segments().first().copied().unwrap_or_default()
    }

    /// Whether a segment lies wholly before sequence `applied`.
    pub(crate) fn can_prune(&self, applied: u64) -> bool {
        self.inner
            .shared
            .writer
            .lock()
            .segments
            .get(1)
            .is_some_and(|next| *next <= applied)
    }

    /// Removes the segments that lie wholly before sequence `applied` and hold no open dispatch.
    pub(crate) fn prune(&self, applied: u64) -> std::io::Result<()> {
        while self.inner.shared.writer.lock().prune(applied)? {}
        Ok(())
    }

    fn shared(&self) -> &Shared {
        &self.inner.shared
    }
}

/// Whether another process still appends to the store in `dir`, or what one wrote is not in the books yet.
///
/// Errors: the directory can't be read.
pub fn is_shared(dir: &Path) -> Result<bool, StoreError> {
    Ok(Generation::all(dir)?.len() > 1)
}

/// A generation that was scanned and mended, open for appending.
struct Opened {
    writer: Writer,
    /// Its first record that a former process did not write.
    born: Position,
    recovery: Recovery,
}

/// Opens the segments in `dir`, whose claim the caller holds, as [`Journal::open`] says.
fn open_generation(
    files: Arc<dyn SegmentFiles>,
    dir: &Path,
    options: &JournalOptions,
    now: Timestamp,
) -> Result<Opened, StoreError> {
    let mut scanned = recover::scan(dir, options.node)?;
    let segments = scanned.segments.len();
    if scanned.segments.is_empty() {
        let first = scanned.end.sequence;
        writer::create(&*files, dir, first, options.node)
            .map_err(StoreError::io("make a journal segment in", dir))?;
        scanned.segments.push_back(first);
    }
    let (listed, born, truncated_bytes) = (
        scanned.segments.clone(),
        scanned.end,
        scanned.truncated_bytes,
    );
    let opened = Writer::new(
        dir.to_owned(),
        files,
        options.node,
        options.segment_bytes,
        listed,
        born,
    );
    let mut writer = opened.map_err(StoreError::io("open the journal in", dir))?;
    let orphans = scanned.orphans(now)?;
    let mut frame = Vec::new();
    for orphan in &orphans {
        frame::encode(&RecordRef::Orphaned(orphan), &mut frame)?;
        writer.write(&frame).map_err(StoreError::Unwritable)?;
    }
    writer.sync_on_roll = options.durability == Durability::Disk;
    Ok(Opened {
        writer,
        born,
        recovery: Recovery {
            orphans: orphans.len(),
            truncated_bytes,
            segments,
        },
    })
}

/// What a generation holds whose process has gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remains {
    /// Its first record that its process did not write: an orphan.
    pub(crate) born: Position,
    /// The place behind its last record.
    pub(crate) end: Position,
    /// What was mended.
    pub(crate) recovery: Recovery,
}

/// Mends a generation whose process has gone and whose claim the caller holds: cuts a torn tail, closes what was
/// dispatched and not settled with orphan records found at `now`, and syncs them.
pub(crate) fn lay_to_rest(
    generation: &Generation,
    _claim: &Claim,
    node: NodeId,
    now: Timestamp,
) -> Result<Remains, StoreError> {
    let dir = &generation.dir;
    let opened = open_generation(Arc::new(OnDisk), dir, &JournalOptions::new(node), now)?;
    let synced = opened.writer.file.sync();
    synced.map_err(StoreError::io("sync the journal in", dir))?;
    Ok(Remains {
        born: opened.born,
        end: opened.writer.end,
        recovery: opened.recovery,
    })
}

#[cfg(test)]
mod tests;
