//! Recorded calls: the chosen ones of `tests/golden/wire`, or those of the folder that `LINTEL_CORPUS` names.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::Value;

use crate::framing::{Framing, FramingKind};

/// One recorded call.
pub(super) struct Recording(Value);

/// The recordings of `protocol`.
pub(super) fn recordings(protocol: &str) -> Vec<Recording> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/wire");
    let folder = std::env::var_os("LINTEL_CORPUS").map_or_else(|| golden.into(), PathBuf::from);
    let path = folder.join(format!("{protocol}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let list: Vec<_> = text
        .lines()
        .map(|l| Recording(serde_json::from_str(l).unwrap()))
        .collect();
    assert!(!list.is_empty());
    list
}

impl Recording {
    pub(super) fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    pub(super) fn model(&self) -> &str {
        self.0["model"].as_str().unwrap()
    }

    pub(super) fn status(&self) -> u64 {
        self.0["status"].as_u64().unwrap()
    }

    pub(super) fn usage(&self) -> &Value {
        &self.0["usage"]
    }

    pub(super) fn request(&self) -> Option<&str> {
        self.0["request_text"].as_str()
    }

    pub(super) fn finish_reason(&self) -> Option<&str> {
        self.0["finish_reasons"].get(0)?.as_str()
    }

    /// The answer's bytes.
    pub(super) fn response(&self) -> Vec<u8> {
        match self.0["response_b64"].as_str() {
            Some(text) => base64(text),
            None => self.0["response_text"].as_str().unwrap_or_default().into(),
        }
    }

    /// The data of a stream's events, cut in chunks of `size` bytes on the way.
    pub(super) fn events(&self, size: usize) -> Vec<Bytes> {
        let mut framing = Framing::new(FramingKind::AwsEvents, 1 << 20);
        let (stream, mut bytes, mut data) = (self.response(), Vec::new(), Vec::new());
        for chunk in stream.chunks(size) {
            let block = framing.push(Bytes::copy_from_slice(chunk)).unwrap();
            for event in framing.events(block) {
                bytes.extend_from_slice(&event.bytes);
                data.extend(event.data);
            }
        }
        assert!(framing.finish().unwrap().is_empty(), "{}", self.id());
        assert_eq!(bytes, stream, "{}", self.id());
        data
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in text.bytes().filter(|b| *b != b'=') {
        let digit = DIGITS.iter().position(|d| *d == byte).unwrap();
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}
