//! A frame: `u32` payload length, `u32` CRC-32 of the payload (both little-endian), payload.
//!
//! Bytes in, values out; knows no file. Invariant: a payload is one [`Record`] as compact JSON, byte for
//! byte what `serde_json::to_vec(&Record)` gives, and is never empty.

use lintel_types::{Dispatched, ExchangeId, Orphaned, Record, Settled};
use serde::Serialize;

use crate::error::StoreError;

/// Bytes before the payload.
pub(crate) const PREFIX: usize = 8;
/// The largest payload. A length above it is damage.
pub(crate) const MAX_PAYLOAD: usize = 64 << 20;

/// A [`Record`] without owning its content: the hot path must not box or clone what it writes.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum RecordRef<'a> {
    Dispatched(&'a Dispatched),
    Settled(&'a Settled),
    Orphaned(&'a Orphaned),
}

/// The kind of a record, known without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Dispatched,
    Settled,
    Orphaned,
}

/// Writes the frame of `record` into `frame`, whose former content goes and whose memory stays.
pub(crate) fn encode(record: &RecordRef<'_>, frame: &mut Vec<u8>) -> Result<(), StoreError> {
    frame.clear();
    frame.extend_from_slice(&[0; PREFIX]);
    serde_json::to_writer(&mut *frame, record)?;
    let (prefix, payload) = frame.split_at_mut(PREFIX);
    if payload.len() > MAX_PAYLOAD {
        return Err(StoreError::TooLarge {
            bytes: payload.len(),
            limit: MAX_PAYLOAD,
        });
    }
    let (length, checksum) = prefix.split_at_mut(4);
    length.copy_from_slice(&(payload.len() as u32).to_le_bytes());
    checksum.copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    Ok(())
}

/// What stands at the front of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front<'a> {
    /// A whole frame with this payload.
    Frame(&'a [u8]),
    /// The start of a frame that takes this many bytes in all.
    Short(usize),
    /// No frame.
    Bad(&'static str),
}

/// Reads the frame at the front of `bytes`.
pub(crate) fn front(bytes: &[u8]) -> Front<'_> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Front::Short(PREFIX);
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *prefix;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return Front::Bad("impossible length");
    }
    let Some(payload) = rest.get(..length) else {
        return Front::Short(PREFIX + length);
    };
    if crc32fast::hash(payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Front::Bad("wrong checksum");
    }
    Front::Frame(payload)
}

/// Whether a whole frame begins anywhere in `bytes`: then damage before it is no torn tail.
pub(crate) fn any_frame_in(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"{\"kind\":\"").any(|payload_at| {
        let candidate = payload_at
            .checked_sub(PREFIX)
            .and_then(|at| bytes.get(at..));
        candidate.is_some_and(|c| matches!(front(c), Front::Frame(_)))
    })
}

const HEADS: [(&[u8], RecordKind); 3] = [
    (
        b"{\"kind\":\"settled\",\"exchange\":\"",
        RecordKind::Settled,
    ),
    (
        b"{\"kind\":\"dispatched\",\"exchange\":\"",
        RecordKind::Dispatched,
    ),
    (
        b"{\"kind\":\"orphaned\",\"dispatched\":{\"exchange\":\"",
        RecordKind::Orphaned,
    ),
];

/// Kind and exchange of a payload. Reads the first bytes only, and the whole record when its fields stand in another order.
pub(crate) fn head(payload: &[u8]) -> Result<(RecordKind, ExchangeId), StoreError> {
    for (start, kind) in HEADS {
        let Some(rest) = payload.strip_prefix(start) else {
            continue;
        };
        let text = rest
            .split(|b| *b == b'"')
            .next()
            .and_then(|t| std::str::from_utf8(t).ok());
        if let Some(exchange) = text.and_then(|t| t.parse().ok()) {
            return Ok((kind, exchange));
        }
    }
    let record: Record = serde_json::from_slice(payload)?;
    let kind = match record {
        Record::Dispatched(_) => RecordKind::Dispatched,
        Record::Settled(_) => RecordKind::Settled,
        Record::Orphaned(_) => RecordKind::Orphaned,
    };
    Ok((kind, record.exchange()))
}

/// The kind of a payload by its first bytes, without reading the exchange.
pub(crate) fn kind(payload: &[u8]) -> Option<RecordKind> {
    let starts = |(start, kind): &(&[u8], RecordKind)| payload.starts_with(start).then_some(*kind);
    HEADS.iter().find_map(starts)
}

/// The record of a payload. Decodes straight into the struct: the tagged enum would buffer every value
/// first, and unknown fields such as the tag are ignored anyway. UTF-8 is checked once for the payload,
/// not once a string.
pub(crate) fn decode(payload: &[u8]) -> Result<Record, StoreError> {
    let Ok(text) = std::str::from_utf8(payload) else {
        // Refuses it too, and says where it is wrong.
        return Ok(serde_json::from_slice(payload)?);
    };
    Ok(match kind(payload) {
        Some(RecordKind::Settled) => Record::Settled(serde_json::from_str(text)?),
        Some(RecordKind::Dispatched) => Record::Dispatched(serde_json::from_str(text)?),
        Some(RecordKind::Orphaned) => Record::Orphaned(serde_json::from_str(text)?),
        None => serde_json::from_str(text)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn records() -> [Record; 3] {
        let dispatched = samples::dispatched(samples::id(1), 1);
        let orphaned = Orphaned {
            dispatched: dispatched.clone(),
            attempts: 1,
            found: samples::NOW,
        };
        [
            Record::Dispatched(dispatched),
            Record::Settled(Box::new(samples::settled(samples::id(2), 2))),
            Record::Orphaned(Box::new(orphaned)),
        ]
    }

    fn frame(record: &Record) -> Vec<u8> {
        let mut bytes = vec![9; 3];
        let view = match record {
            Record::Dispatched(d) => RecordRef::Dispatched(d),
            Record::Settled(s) => RecordRef::Settled(s),
            Record::Orphaned(o) => RecordRef::Orphaned(o),
        };
        encode(&view, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_payload_is_the_record_as_json_and_reads_back() {
        for record in records() {
            let bytes = frame(&record);
            let Front::Frame(payload) = front(&bytes) else {
                panic!("no frame")
            };
            assert_eq!(payload, serde_json::to_vec(&record).unwrap());
            assert_eq!(decode(payload).unwrap(), record);
            assert_eq!(head(payload).unwrap().1, record.exchange());
        }
    }

    #[test]
    fn another_order_of_fields_reads_the_same() {
        let record = &records()[0];
        let mut value: serde_json::Map<String, serde_json::Value> =
            serde_json::from_value(serde_json::to_value(record).unwrap()).unwrap();
        let kind = value.remove("kind").unwrap();
        value.insert("kind".into(), kind);
        let sorted = serde_json::to_vec(&value).unwrap();
        assert!(!sorted.starts_with(b"{\"kind"));
        assert_eq!(&decode(&sorted).unwrap(), record);
    }

    #[test]
    fn every_cut_is_short_and_every_flip_is_bad_or_short() {
        let bytes = frame(&records()[0]);
        for cut in 0..bytes.len() {
            assert!(
                matches!(front(&bytes[..cut]), Front::Short(_)),
                "cut at {cut}"
            );
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(!matches!(front(&flipped), Front::Frame(_)), "flip at {at}");
        }
    }

    #[test]
    fn finds_a_frame_behind_damage() {
        let mut bytes = vec![0xff; 40];
        assert!(!any_frame_in(&bytes));
        bytes.extend(frame(&records()[1]));
        assert!(any_frame_in(&bytes));
        bytes.pop();
        assert!(!any_frame_in(&bytes));
    }
}
