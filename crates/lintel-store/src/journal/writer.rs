//! The one place that changes segment files: append, repair, roll, carry, prune.
//!
//! Knows no thread and no permit: its caller holds the lock. Invariants: `end` is the first byte after
//! the last whole frame; what lies behind it is cut before anything else is written; frames that could not
//! be written wait in order, and nothing overtakes them.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use lintel_types::{ExchangeId, NodeId};

use super::group::Group;
use super::segment::{self, HEADER, Position, SegmentFile, SegmentFiles};

/// Bytes written and cut again to see whether the disk takes any.
const PROBE: usize = 4096;
/// Dispatches carried forward under one hold of the lock.
const CARRY_AT_ONCE: usize = 256;
/// A segment that open dispatches keep from being pruned is emptied when this many segments lie behind it.
const SEGMENTS_BEFORE_CARRY: usize = 8;

/// A frame that could not be written yet.
struct Waiting {
    frame: Vec<u8>,
    exchange: ExchangeId,
    kind: FrameKind,
}

/// What a frame does to its exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Opens it.
    Dispatch,
    /// Closes it, and gives its slot back.
    Settlement,
}

/// Where the dispatches of an unsettled exchange lie.
struct Open {
    /// Segment of the earliest that recovery would have to see.
    oldest: u64,
    /// Segment, offset and length of the last one's frame.
    last: (u64, u64, usize),
}

/// The append end of the journal.
pub(crate) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) files: Arc<dyn SegmentFiles>,
    pub(super) node: NodeId,
    pub(super) segment_bytes: u64,
    /// Whether a segment is synced before the next one begins.
    pub(super) sync_on_roll: bool,
    /// First sequences; the last segment is the one that grows.
    pub(super) segments: VecDeque<u64>,
    pub(super) file: Arc<dyn SegmentFile>,
    pub(super) end: Position,
    /// Up to where a sync has returned; moves in `Disk` durability only.
    pub(super) synced: Position,
    /// Bytes may lie behind `end`.
    torn: bool,
    /// A sync failed: what lies behind `synced` must be written again before the next one means anything.
    pub(super) suspect: bool,
    /// The last operation failed: writes must be seen to work before new calls are taken.
    pub(super) failing: bool,
    waiting: VecDeque<Waiting>,
    /// Frames of this turn, to be written together.
    pub(super) group: Group,
    open: HashMap<ExchangeId, Open>,
}

impl Writer {
    pub(super) fn new(
        dir: PathBuf,
        files: Arc<dyn SegmentFiles>,
        node: NodeId,
        segment_bytes: u64,
        segments: VecDeque<u64>,
        end: Position,
    ) -> io::Result<Self> {
        let file = files.open(&segment::path(&dir, end.segment))?;
        let (waiting, open) = (VecDeque::new(), HashMap::new());
        Ok(Self {
            dir,
            files,
            node,
            segment_bytes,
            sync_on_roll: false,
            segments,
            file,
            end,
            synced: end,
            torn: false,
            suspect: false,
            failing: false,
            waiting,
            group: Group::default(),
            open,
        })
    }

    /// Whether the next append can be expected to succeed.
    pub(super) fn healthy(&self) -> bool {
        !self.failing && !self.suspect && self.waiting.is_empty()
    }

    /// Appends a frame; returns where it begins. After an error nothing of it counts.
    pub(super) fn write(&mut self, frame: &[u8]) -> io::Result<Position> {
        self.append(frame, 1)
    }

    /// Appends `count` frames that stand one after the other, by one write.
    pub(super) fn append(&mut self, frames: &[u8], count: u64) -> io::Result<Position> {
        let written = self.try_write(frames, count);
        self.failing = written.is_err();
        written
    }

    fn try_write(&mut self, frame: &[u8], count: u64) -> io::Result<Position> {
        self.repair()?;
        let full = self.end.offset + frame.len() as u64 > self.segment_bytes;
        if full && self.end.offset > HEADER {
            self.roll()?;
        }
        let at = self.end;
        self.torn = true;
        segment::write_all(&*self.file, frame, at.offset)?;
        self.torn = false;
        self.end.offset += frame.len() as u64;
        self.end.sequence += count;
        Ok(at)
    }

    /// Cuts what a failed write left behind the last whole frame.
    fn repair(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.truncate(self.end.offset)?;
            self.torn = false;
        }
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        if self.sync_on_roll {
            self.before_sync()?;
            let synced = self.file.sync();
            self.suspect = synced.is_err();
            synced?;
        }
        let first = self.end.sequence;
        let file = create(&*self.files, &self.dir, first, self.node)?;
        if self.sync_on_roll {
            file.sync()?;
            File::open(&self.dir)?.sync_all()?;
        }
        self.segments.push_back(first);
        self.file = file;
        self.end = Position::start_of(first);
        self.synced = self.end;
        Ok(())
    }

    /// Closes the segment that grows, unless it is empty, so that it can be pruned once it is applied.
    pub(super) fn retire(&mut self) -> io::Result<()> {
        if self.end.offset <= HEADER || self.torn {
            return Ok(());
        }
        let outcome = self.roll();
        self.failing = outcome.is_err();
        outcome
    }

    /// Keeps a frame until the disk takes it. Returns the sequence that it will have.
    pub(super) fn wait(&mut self, frame: &[u8], exchange: ExchangeId, kind: FrameKind) -> u64 {
        let sequence = self.next_sequence();
        self.waiting.push_back(Waiting {
            frame: frame.to_vec(),
            exchange,
            kind,
        });
        sequence
    }

    /// The sequence of the next frame that waits.
    pub(super) fn next_sequence(&self) -> u64 {
        self.end.sequence + self.waiting.len() as u64
    }

    /// Writes the waiting frames in order, as many as the disk takes. Returns how many of them were
    /// settlements, and why not more.
    pub(super) fn flush(&mut self) -> (usize, io::Result<()>) {
        let mut settled = 0;
        while let Some(next) = self.waiting.pop_front() {
            match self.write(&next.frame) {
                Ok(at) => settled += self.note(next.exchange, next.kind, at, next.frame.len()),
                Err(error) => {
                    self.waiting.push_front(next);
                    return (settled, Err(error));
                }
            }
        }
        (settled, Ok(()))
    }

    /// Notes what the frame of `length` bytes at `at` did. Returns 1 for a settlement.
    pub(super) fn note(
        &mut self,
        exchange: ExchangeId,
        kind: FrameKind,
        at: Position,
        length: usize,
    ) -> usize {
        match kind {
            FrameKind::Dispatch => {
                self.dispatched(exchange, at, length);
                0
            }
            FrameKind::Settlement => {
                self.settled(exchange);
                1
            }
        }
    }

    /// Writes and cuts some zeros, which no reader takes for a frame: shows that appends work again.
    pub(super) fn probe(&mut self) -> io::Result<()> {
        self.repair()?;
        self.torn = true;
        segment::write_all(&*self.file, &[0; PROBE], self.end.offset)?;
        self.repair()?;
        self.failing = false;
        Ok(())
    }

    /// After a failed sync, writes the unsynced bytes once more: the kernel may hold them for clean, and
    /// a second `fdatasync` would succeed without having written them.
    pub(super) fn before_sync(&mut self) -> io::Result<()> {
        if !self.suspect {
            return Ok(());
        }
        let length =
            usize::try_from(self.end.offset.saturating_sub(self.synced.offset)).unwrap_or(0);
        let mut bytes = vec![0; length];
        self.file.read_at(&mut bytes, self.synced.offset)?;
        segment::write_all(&*self.file, &bytes, self.synced.offset)
    }

    /// Notes that the frame of `length` bytes at `at` dispatched `exchange`.
    pub(super) fn dispatched(&mut self, exchange: ExchangeId, at: Position, length: usize) {
        let last = (at.segment, at.offset, length);
        self.open
            .entry(exchange)
            .and_modify(|open| open.last = last)
            .or_insert(Open {
                oldest: at.segment,
                last,
            });
    }

    /// Notes that `exchange` is settled on file.
    pub(super) fn settled(&mut self, exchange: ExchangeId) {
        self.open.remove(&exchange);
    }

    /// Removes the oldest segment when `applied` lies behind it and no open dispatch in it. Returns whether
    /// it is worth calling again. Only ever from the front: a settlement in a later segment must not go
    /// before the dispatch that it closes.
    pub(super) fn prune(&mut self, applied: u64) -> io::Result<bool> {
        let (Some(&front), Some(&next)) = (self.segments.front(), self.segments.get(1)) else {
            return Ok(false);
        };
        if applied < next {
            return Ok(false);
        }
        let holding = self.open.iter().filter(|(_, open)| open.oldest == front);
        let held: Vec<ExchangeId> = holding.map(|(id, _)| *id).take(CARRY_AT_ONCE).collect();
        if !held.is_empty() {
            if self.segments.len() <= SEGMENTS_BEFORE_CARRY {
                return Ok(false);
            }
            self.carry(&held)?;
            return Ok(true);
        }
        std::fs::remove_file(segment::path(&self.dir, front))?;
        self.segments.pop_front();
        Ok(true)
    }

    /// Appends the last dispatch of each exchange again, so that its segment can go: one call that stays
    /// open for days doesn't keep days of journal.
    fn carry(&mut self, held: &[ExchangeId]) -> io::Result<()> {
        for exchange in held {
            let Some(open) = self.open.get(exchange) else {
                continue;
            };
            let (from, offset, length) = open.last;
            let mut frame = vec![0; length];
            File::open(segment::path(&self.dir, from))?.read_exact_at(&mut frame, offset)?;
            let at = self.write(&frame)?;
            self.open.insert(
                *exchange,
                Open {
                    oldest: at.segment,
                    last: (at.segment, at.offset, length),
                },
            );
        }
        Ok(())
    }
}

/// Makes the segment that begins with sequence `first`. A file of that name can only be one that never got a frame.
pub(super) fn create(
    files: &dyn SegmentFiles,
    dir: &std::path::Path,
    first: u64,
    node: NodeId,
) -> io::Result<Arc<dyn SegmentFile>> {
    let file = files.open(&segment::path(dir, first))?;
    file.truncate(0)?;
    segment::write_all(&*file, &segment::header(node), 0)?;
    Ok(file)
}
