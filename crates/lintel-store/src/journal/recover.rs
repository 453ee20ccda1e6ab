//! What a start finds in the segments: their end, a torn tail, dispatches without a settlement.
//!
//! Reads and cuts files, appends nothing. Invariants: only bytes behind the last whole frame of the last
//! segment are ever cut; damage before a whole frame refuses the start, for a hole in the ledger's source is nothing to guess at.

use std::collections::{HashMap, VecDeque};
use std::os::unix::fs::FileExt;
use std::path::Path;

use lintel_types::{Dispatched, ExchangeId, NodeId, Orphaned, Record, Timestamp};

use super::frame::{self, Front, RecordKind};
use super::segment::{self, Position};
use crate::error::StoreError;
use crate::private;

/// What a scan found.
pub(super) struct Scanned {
    node: NodeId,
    pub(super) segments: VecDeque<u64>,
    pub(super) end: Position,
    pub(super) truncated_bytes: u64,
    lost: HashMap<ExchangeId, Lost>,
}

/// A dispatched exchange that nothing has closed.
struct Lost {
    payload: Vec<u8>,
    sequence: u64,
    attempts: u8,
}

impl Scanned {
    /// The orphans of this journal, in the order of their last dispatch.
    pub(super) fn orphans(self, found: Timestamp) -> Result<Vec<Orphaned>, StoreError> {
        let mut lost: Vec<Lost> = self.lost.into_values().collect();
        lost.sort_by_key(|l| l.sequence);
        let orphan = |l: Lost| {
            let dispatched: Dispatched = match frame::decode(&l.payload)? {
                Record::Dispatched(d) => d,
                Record::Settled(_) | Record::Orphaned(_) => return Ok(None),
            };
            // A carried dispatch stands for the earlier ones, whose segments are gone: its ordinal counts them.
            let attempts = l.attempts.max(dispatched.attempt);
            Ok(Some(Orphaned {
                dispatched,
                attempts,
                found,
            }))
        };
        lost.into_iter()
            .filter_map(|l| orphan(l).transpose())
            .collect()
    }
}

/// Scans every segment in `dir`; cuts a torn tail.
pub(super) fn scan(dir: &Path, node: NodeId) -> Result<Scanned, StoreError> {
    let firsts = segment::list(dir)?;
    let mut scanned = Scanned {
        node,
        segments: VecDeque::new(),
        end: Position::start_of(0),
        truncated_bytes: 0,
        lost: HashMap::new(),
    };
    for (index, &first) in firsts.iter().enumerate() {
        let last = index + 1 == firsts.len();
        let path = segment::path(dir, first);
        if index > 0 && first != scanned.end.sequence {
            let why = format!(
                "it begins with record {first}, but {} is the next: a segment is missing or cut",
                scanned.end.sequence
            );
            return Err(StoreError::Corrupt {
                path,
                offset: 0,
                why,
            });
        }
        let bytes = std::fs::read(&path)
            .map_err(private::in_words)
            .map_err(StoreError::io("read", &path))?;
        scanned.end = Position::start_of(first);
        scanned.segments.push_back(first);
        let whole = segment::check_header(&bytes, node, &path)?;
        let stopped = if whole {
            scanned.frames(&bytes, &path)?
        } else {
            Some("short header")
        };
        if let Some(why) = stopped {
            scanned.cut(&bytes, whole, last, &path, why)?;
        }
    }
    Ok(scanned)
}

impl Scanned {
    /// Takes in the frames of a segment; returns why it stopped before the end, if it did.
    fn frames(&mut self, bytes: &[u8], path: &Path) -> Result<Option<&'static str>, StoreError> {
        loop {
            let rest = bytes.get(self.end.offset as usize..).unwrap_or_default();
            match frame::front(rest) {
                _ if rest.is_empty() => return Ok(None),
                Front::Short(_) => return Ok(Some("incomplete record")),
                Front::Bad(why) => return Ok(Some(why)),
                Front::Frame(payload) => {
                    self.record(payload)
                        .map_err(|e| self.corrupt(path, e.to_string()))?;
                    self.end.offset += (frame::PREFIX + payload.len()) as u64;
                    self.end.sequence += 1;
                }
            }
        }
    }

    fn record(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        let (kind, exchange) = frame::head(payload)?;
        if kind != RecordKind::Dispatched {
            self.lost.remove(&exchange);
            return Ok(());
        }
        let sequence = self.end.sequence;
        let entry = self.lost.entry(exchange).or_insert_with(|| Lost {
            payload: Vec::new(),
            sequence,
            attempts: 0,
        });
        entry.payload = payload.to_vec();
        entry.sequence = sequence;
        entry.attempts = entry.attempts.saturating_add(1);
        Ok(())
    }

    fn corrupt(&self, path: &Path, why: String) -> StoreError {
        StoreError::Corrupt {
            path: path.to_owned(),
            offset: self.end.offset,
            why,
        }
    }

    /// Cuts the segment at the end of its last whole frame, if what follows can be a torn tail.
    fn cut(
        &mut self,
        bytes: &[u8],
        whole_header: bool,
        last: bool,
        path: &Path,
        why: &'static str,
    ) -> Result<(), StoreError> {
        let tail = bytes.get(self.end.offset as usize..).unwrap_or_default();
        if !last || frame::any_frame_in(tail) {
            return Err(self.corrupt(path, why.to_owned()));
        }
        let keep = if whole_header { self.end.offset } else { 0 };
        self.truncated_bytes += (bytes.len() as u64).saturating_sub(keep);
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(StoreError::io("open", path))?;
        file.set_len(keep)
            .map_err(StoreError::io("truncate", path))?;
        if !whole_header {
            // A crash while the segment was made: it never held a frame.
            file.write_all_at(&segment::header(self.node), 0)
                .map_err(StoreError::io("write", path))?;
        }
        Ok(())
    }
}
