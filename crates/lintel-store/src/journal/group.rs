//! Group commit: frames that are gathered during one turn of an event loop and written by one `write(2)`.
//!
//! A write of a few hundred bytes costs two microseconds whatever its size, and every call makes two.
//! Invariant: frames keep their order, also with those that are written one by one; what the disk
//! refuses waits like any other frame.

use std::io;

use lintel_types::ExchangeId;

use super::writer::{FrameKind, Writer};

/// Frames that wait for the end of the turn.
#[derive(Debug, Default)]
pub(super) struct Group {
    bytes: Vec<u8>,
    frames: Vec<Queued>,
}

#[derive(Debug)]
struct Queued {
    length: usize,
    exchange: ExchangeId,
    kind: FrameKind,
}

impl Writer {
    /// Adds a frame to the group. Returns the sequence that it will have.
    pub(super) fn enqueue(&mut self, frame: &[u8], exchange: ExchangeId, kind: FrameKind) -> u64 {
        let sequence = self.next_sequence() + self.group.frames.len() as u64;
        self.group.bytes.extend_from_slice(frame);
        self.group.frames.push(Queued {
            length: frame.len(),
            exchange,
            kind,
        });
        sequence
    }

    /// Writes what waits and the group. Returns how many settlements are on file now, and why not all.
    pub(super) fn commit(&mut self) -> (usize, io::Result<()>) {
        let (mut settled, flushed) = self.flush();
        if self.group.frames.is_empty() {
            return (settled, flushed);
        }
        let mut group = std::mem::take(&mut self.group);
        let count = group.frames.len() as u64;
        let outcome = match flushed.and_then(|()| self.append(&group.bytes, count)) {
            Ok(mut at) => {
                for frame in &group.frames {
                    settled += self.note(frame.exchange, frame.kind, at, frame.length);
                    at.offset += frame.length as u64;
                    at.sequence += 1;
                }
                Ok(())
            }
            Err(error) => {
                self.keep(&group);
                Err(error)
            }
        };
        // The memory stays for the next turn.
        group.bytes.clear();
        group.frames.clear();
        self.group = group;
        (settled, outcome)
    }

    /// Every frame of the group waits by itself from now on.
    fn keep(&mut self, group: &Group) {
        let mut from = 0;
        for frame in &group.frames {
            let bytes = group.bytes.get(from..from + frame.length);
            self.wait(bytes.unwrap_or_default(), frame.exchange, frame.kind);
            from += frame.length;
        }
    }
}
