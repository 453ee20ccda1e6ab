//! Server-sent events: where events end does not depend on how the bytes came.

use bytes::Bytes;
use lintel_wire::sse::{self, Framer};

use crate::corpus::Part;
use crate::pieces::cuts;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "sse",
    laws: "every cut gives the same bytes and data; nothing is lost; what is held stays under the cap",
    run,
    seeds: Part::SseStreams,
    words: &[
        "data: ",
        "data:",
        "event: x\n",
        ": c\n",
        "\n\n",
        "\r\n\r\n",
        "\r\r",
        "\r",
        "id: 1\n",
        "data\n",
    ],
};

const CAP: usize = 2_048;

fn run(data: &[u8]) {
    let whole = read(&[data], usize::MAX).unwrap();
    assert_eq!(whole.0, data, "bytes are lost or made");
    for salt in 0..2 {
        let cut = read(&cuts(data, data.len() + salt), usize::MAX).unwrap();
        assert_eq!(cut, whole, "the cut tells");
    }
    let bytes: Vec<&[u8]> = data.iter().map(std::slice::from_ref).collect();
    if data.len() < 2_000 {
        assert_eq!(read(&bytes, usize::MAX).unwrap(), whole, "byte by byte");
    }
    // Under a cap: refused, or the same.
    if let Some(capped) = read(&cuts(data, 7), CAP) {
        assert_eq!(capped, whole, "the cap tells");
    }
}

/// All bytes, and the data of all events that have some.
fn read(pieces: &[&[u8]], cap: usize) -> Option<(Vec<u8>, Vec<Bytes>)> {
    let mut framer = Framer::new(cap);
    let (mut all, mut data) = (Vec::new(), Vec::new());
    let mut take = |block: Bytes| {
        for event in sse::events(block) {
            all.extend_from_slice(&event.bytes);
            data.extend(event.data);
        }
    };
    for piece in pieces {
        take(framer.push(Bytes::copy_from_slice(piece)).ok()?);
        assert!(framer.held() <= cap);
    }
    take(framer.finish());
    Some((all, data))
}
