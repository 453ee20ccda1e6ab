//! Reading a generation of the journal behind its writer: batches of decoded records from any position.
//!
//! Knows no database. Invariants: of this process's generation only what the writer has announced as whole is read, of
//! another's only whole frames, which its writer never changes again; a batch lies in one segment and says where it
//! begins and where the next one does.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use lintel_types::{Orphaned, Record, Settled};

use super::frame::{self, Front, RecordKind};
use super::segment::{self, HEADER, Position};
use super::{Generation, Journal};
use crate::error::StoreError;

/// Records a batch holds at most, dispatches included: larger transactions cost less a row.
const RECORDS: usize = 2_048;
/// Bytes read at once.
const CHUNK: usize = 2 << 20;

/// What a frame holds.
#[derive(Debug)]
pub(crate) enum Entry {
    /// An exchange ended: the record, and its payload's bytes in the batch.
    Settled(Box<Settled>, Range<usize>),
    /// An exchange was lost.
    Orphaned(Box<Orphaned>, Range<usize>),
    /// A whole frame that this version can't decode: why, and its bytes.
    Unreadable(String, Range<usize>),
}

/// Consecutive records of one segment.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The number of the generation that it was read from.
    pub(crate) generation: u64,
    /// Where it was read from.
    pub(crate) from: Position,
    /// Where the next batch begins.
    pub(crate) to: Position,
    /// Records that are gone: their segments were removed by hand.
    pub(crate) missing: u64,
    /// Records with their sequences; dispatches are left out.
    pub(crate) entries: Vec<(u64, Entry)>,
    bytes: Vec<u8>,
}

impl Batch {
    /// The payload of an entry.
    pub(crate) fn payload(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

/// A reader of one generation. Keeps the segment open that it read last.
#[derive(Debug)]
pub(crate) struct Tail {
    source: Source,
    generation: u64,
    dir: PathBuf,
    file: Option<(u64, File)>,
}

/// Who appends to what is read.
#[derive(Debug)]
enum Source {
    /// This process.
    Own(Journal),
    /// Another one, or none any more.
    Other {
        /// It may append still: what lies behind the last whole frame is not there yet.
        alive: bool,
        /// First sequences of its segments, ascending, as of this read.
        segments: Vec<u64>,
    },
}

impl Tail {
    /// Reads what this process writes.
    pub(crate) fn own(journal: Journal) -> Self {
        let generation = journal.generation().clone();
        Self::new(Source::Own(journal), generation)
    }

    /// Reads what another process writes or, when it is not `alive`, has written.
    pub(crate) fn other(generation: Generation, alive: bool) -> Self {
        let segments = Vec::new();
        Self::new(Source::Other { alive, segments }, generation)
    }

    fn new(source: Source, generation: Generation) -> Self {
        Self {
            source,
            generation: generation.number,
            dir: generation.dir,
            file: None,
        }
    }

    /// Reads the batch at `from` into `batch`, whose memory is used again. Nothing new: `to == from`.
    pub(crate) fn read(&mut self, from: Position, batch: &mut Batch) -> Result<(), StoreError> {
        batch.entries.clear();
        batch.bytes.clear();
        batch.generation = self.generation;
        (batch.from, batch.to, batch.missing) = (from, from, 0);
        let end = match &mut self.source {
            Source::Own(journal) => Some(journal.end()),
            Source::Other { segments, .. } => {
                *segments = segment::list(&self.dir)?;
                None
            }
        };
        let mut at = from;
        let limit = loop {
            let limit = self.limit(at, end)?;
            if limit.is_some_and(|l| at.offset >= HEADER && at.offset < l) {
                break limit.unwrap_or_default();
            }
            let Some(next) = self.segment_after(at) else {
                return Ok(());
            };
            batch.missing += next.sequence.saturating_sub(at.sequence);
            at = next;
            batch.to = at;
        };
        self.read_chunk(at, limit, CHUNK, batch)
    }

    /// Bytes of `at`'s segment that can be read; none when the segment is gone.
    fn limit(&mut self, at: Position, end: Option<Position>) -> Result<Option<u64>, StoreError> {
        if let Some(end) = end
            && at.segment == end.segment
        {
            return Ok(Some(end.offset));
        }
        if !self.segments().contains(&at.segment) {
            return Ok(None);
        }
        let path = segment::path(&self.dir, at.segment);
        let length = self
            .open(at.segment)?
            .metadata()
            .map_err(StoreError::io("read", path))?
            .len();
        Ok(Some(length))
    }

    fn segments(&self) -> Vec<u64> {
        match &self.source {
            Source::Own(journal) => journal.segments(),
            Source::Other { segments, .. } => segments.clone(),
        }
    }

    fn segment_after(&self, at: Position) -> Option<Position> {
        let begins_here =
            |first: &u64| *first > at.segment || (*first == at.segment && at.offset < HEADER);
        self.segments()
            .into_iter()
            .find(begins_here)
            .map(Position::start_of)
    }

    /// Whether what is no whole frame in `segment` may become one.
    fn grows(&self, segment: u64) -> bool {
        match &self.source {
            Source::Own(_) => false,
            Source::Other { alive, segments } => *alive && segments.last() == Some(&segment),
        }
    }

    fn open(&mut self, first: u64) -> Result<&File, StoreError> {
        if self.file.as_ref().is_none_or(|(open, _)| *open != first) {
            let path = segment::path(&self.dir, first);
            self.file = Some((
                first,
                File::open(&path).map_err(StoreError::io("open", path))?,
            ));
        }
        match &self.file {
            Some((_, file)) => Ok(file),
            None => Err(StoreError::io("open", segment::path(&self.dir, first))(
                std::io::ErrorKind::NotFound.into(),
            )),
        }
    }

    fn read_chunk(
        &mut self,
        at: Position,
        limit: u64,
        chunk: usize,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let path = segment::path(&self.dir, at.segment);
        let grows = self.grows(at.segment);
        let length = usize::try_from(limit - at.offset)
            .unwrap_or(chunk)
            .min(chunk);
        batch.bytes.resize(length, 0);
        let read = self
            .open(at.segment)?
            .read_exact_at(&mut batch.bytes, at.offset);
        if grows && read.is_err() {
            // Its writer has just cut what a failed write left: nothing of it was whole.
            return Ok(());
        }
        read.map_err(StoreError::io("read", &path))?;
        let (mut used, mut to) = (0, at);
        while to.sequence - at.sequence < RECORDS as u64 {
            let rest = batch.bytes.get(used..).unwrap_or_default();
            match frame::front(rest) {
                _ if rest.is_empty() => break,
                Front::Frame(payload) => {
                    let start = used + frame::PREFIX;
                    let range = start..start + payload.len();
                    used = range.end;
                    batch
                        .entries
                        .extend(entry(payload, range).map(|e| (to.sequence, e)));
                    to = Position {
                        offset: at.offset + used as u64,
                        sequence: to.sequence + 1,
                        ..to
                    };
                }
                // The chunk ends inside its first frame: read as much as that frame takes.
                Front::Short(needed) if used == 0 && at.offset + needed as u64 <= limit => {
                    return self.read_chunk(at, limit, needed, batch);
                }
                Front::Short(_) if used > 0 => break,
                Front::Short(_) | Front::Bad(_) if grows => break,
                Front::Short(_) => return Err(corrupt(path, to, "incomplete record")),
                Front::Bad(why) => return Err(corrupt(path, to, why)),
            }
        }
        batch.to = to;
        Ok(())
    }
}

fn corrupt(path: PathBuf, at: Position, why: &str) -> StoreError {
    StoreError::Corrupt {
        path,
        offset: at.offset,
        why: why.to_owned(),
    }
}

fn entry(payload: &[u8], range: Range<usize>) -> Option<Entry> {
    if frame::kind(payload) == Some(RecordKind::Dispatched) {
        return None;
    }
    match frame::decode(payload) {
        Ok(Record::Settled(settled)) => Some(Entry::Settled(settled, range)),
        Ok(Record::Orphaned(orphaned)) => Some(Entry::Orphaned(orphaned, range)),
        Ok(Record::Dispatched(_)) => None,
        Err(error) => Some(Entry::Unreadable(error.to_string(), range)),
    }
}
