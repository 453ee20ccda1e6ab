//! The journal after damage: it opens or refuses, loses no whole record, and opens again just so.

use std::path::Path;

use lintel_store::{Journal, JournalOptions, Recovery};
use lintel_types::{NodeId, Timestamp};

use crate::corpus::Part;
use crate::pieces::Pieces;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "journal",
    laws: "a damaged segment is opened or refused; a refusal changes nothing but a torn tail; after an opening a second one finds nothing to mend; no orphan is written twice",
    run,
    seeds: Part::None,
    words: &[
        "{\"kind\":\"dispatched\",\"exchange\":\"",
        "{\"kind\":\"settled\",\"exchange\":\"",
        "LINTELJ\n",
        "\x01\0\0\0",
        "ex_0000000000000000000000000000000a",
    ],
};

const HEADER: &[u8; 16] = b"LINTELJ\n\x01\0\0\0\0\0\0\0";

fn run(data: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal-00000000000000000000.log");
    let segment = segment(data);
    std::fs::write(&path, &segment).unwrap();
    let first = open(dir.path());
    let left = std::fs::read(&path).unwrap();
    let Ok(first) = first else {
        // A torn tail may be gone by then: it was no record.
        assert!(
            segment.starts_with(&left),
            "a refusal changes what was there"
        );
        return;
    };
    let kept = segment.len() - usize::try_from(first.truncated_bytes).unwrap();
    assert!(
        left.len() >= kept,
        "{} bytes of {kept} are left",
        left.len()
    );
    // A segment that ends inside its header never held a record: it gets a new header.
    if kept > HEADER.len() {
        assert!(left[..kept] == segment[..kept], "whole records change");
    }
    let second = open(dir.path()).unwrap_or_else(|e| panic!("opened once, then refused: {e}"));
    assert_eq!(
        (second.orphans, second.truncated_bytes),
        (0, 0),
        "found again: {second:?} after {first:?}"
    );
    assert!(
        std::fs::read(&path).unwrap() == left,
        "a second opening changes the file"
    );
}

fn open(dir: &Path) -> Result<Recovery, String> {
    let options = JournalOptions::new(NodeId(0));
    let now = Timestamp::from_micros(1_767_225_600_000_000);
    Journal::open(dir, options, now)
        .map(|(_, found)| found)
        .map_err(|e| e.to_string())
}

/// The input as a segment: lines become frames with sound checksums, and the last byte says what is then damaged.
fn segment(data: &[u8]) -> Vec<u8> {
    let mut pieces = Pieces::of(data);
    let (how, at) = (pieces.choice(6), pieces.choice(256));
    let rest = pieces.rest();
    let mut out = HEADER.to_vec();
    if how == 0 {
        // As it is.
        out.extend_from_slice(rest);
        return out;
    }
    for line in rest.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        out.extend_from_slice(&(line.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc(line).to_le_bytes());
        out.extend_from_slice(line);
    }
    let place = at * out.len() / 256;
    match how {
        1 => {}
        2 => out.truncate(place),
        3 => out[place] ^= 1 << (at % 8),
        4 => out.extend_from_slice(&rest[..rest.len().min(at)]),
        _ => drop(out.splice(place..place, [0; 8])),
    }
    out
}

/// CRC-32 as frames have it (IEEE 802.3), bit by bit: inputs are short.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
