//! AWS event streams: frames are whole and sound, or refused, however the bytes came.

use bytes::Bytes;
use lintel_wire::aws_events::{self, Framer};
use lintel_wire::framing::BadFrame;

use crate::corpus::Part;
use crate::laws::is_json;
use crate::pieces::{Pieces, cuts};
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "aws_frames",
    laws: "every cut gives the same frames and the same refusal; a frame that we write is read back; what is held stays under the cap",
    run,
    seeds: Part::AwsStreams,
    words: &[
        "messageStart",
        "{\"stopReason\":\"end_turn\"}",
        "\0\0\0\x10",
        ":event-type",
        "\x07",
    ],
};

const CAP: usize = 4_096;

type Read = (Vec<u8>, Vec<Bytes>, Option<BadFrame>);

fn run(data: &[u8]) {
    let whole = read(&[data]);
    assert!(data.starts_with(&whole.0), "bytes are made");
    assert!(whole.2.is_some() || whole.0 == data, "bytes are lost");
    for salt in 0..2 {
        assert_eq!(read(&cuts(data, salt)), whole, "the cut tells");
    }
    let mut pieces = Pieces::of(data);
    let name = ["messageStart", "contentBlockDelta", "metadata"][pieces.choice(3)];
    let payload = pieces.rest();
    let frame = aws_events::event(name, payload);
    if frame.len() <= CAP && lintel_wire::json::parse(payload).is_ok() {
        let (bytes, said, bad) = read(&[&frame]);
        assert_eq!((&bytes, bad), (&frame, None));
        let wanted = [br#"{""#, name.as_bytes(), br#"":"#, payload, b"}"].concat();
        assert_eq!(said, [Bytes::from(wanted)]);
    }
    let text = String::from_utf8_lossy(payload);
    let exception = aws_events::exception("throttlingException", &text);
    let (_, said, bad) = read(&[&exception]);
    if bad.is_none() {
        assert_eq!(
            is_json("exception", &said[0])["exception"]["message"],
            text.as_ref()
        );
    } else {
        assert!(exception.len() > CAP);
    }
}

fn read(pieces: &[&[u8]]) -> Read {
    let mut framer = Framer::new(CAP);
    let (mut all, mut said) = (Vec::new(), Vec::new());
    let mut take = |block: Bytes| {
        for event in aws_events::events(block) {
            all.extend_from_slice(&event.bytes);
            said.extend(event.data);
        }
    };
    for piece in pieces {
        match framer.push(Bytes::copy_from_slice(piece)) {
            Ok(block) => take(block),
            Err(bad) => return (all, said, Some(bad)),
        }
        // What follows the first frame that is none is held until it is told, which the next push does.
        assert!(framer.held() <= CAP + piece.len());
    }
    match framer.finish() {
        Ok(block) => take(block),
        Err(bad) => return (all, said, Some(bad)),
    }
    (all, said, None)
}
