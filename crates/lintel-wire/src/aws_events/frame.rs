//! One frame: its length and checksums, its headers, and the writing of new ones.
//!
//! ```text
//! frame = length(4) headers-length(4) crc(4) headers payload crc(4)     ; integers big-endian, CRC-32
//! ```

use crate::framing::BadFrame;
use crate::json::{self, write};

/// Bytes before the headers, and after the payload.
const PRELUDE: usize = 12;
const TRAILER: usize = 4;
/// The header type of a string; the others are skipped by their size.
const STRING: u8 = 7;

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_be_bytes(*b))
}

/// The length of the frame that `bytes` begin with, once it is whole and sound; none while bytes are missing.
pub(super) fn length(bytes: &[u8], cap: usize) -> Result<Option<usize>, BadFrame> {
    let (Some(total), Some(headers), Some(sum)) =
        (u32_at(bytes, 0), u32_at(bytes, 4), u32_at(bytes, 8))
    else {
        return Ok(None);
    };
    if crc(bytes.get(..8)) != sum {
        return Err(BadFrame::Malformed("a frame's prelude fails its checksum"));
    }
    let (total, headers) = (total as usize, headers as usize);
    if total < PRELUDE + TRAILER || headers > total - PRELUDE - TRAILER {
        return Err(BadFrame::Malformed(
            "a frame's lengths contradict each other",
        ));
    }
    if total > cap {
        return Err(BadFrame::TooLong);
    }
    let Some(whole) = bytes.get(..total) else {
        return Ok(None);
    };
    if u32_at(whole, total - TRAILER) != Some(crc(whole.get(..total - TRAILER))) {
        return Err(BadFrame::Malformed("a frame fails its checksum"));
    }
    Ok(Some(total))
}

fn crc(bytes: Option<&[u8]>) -> u32 {
    crc32fast::hash(bytes.unwrap_or_default())
}

/// The data of a whole frame; empty, which is no JSON, when its headers can't be read.
pub(super) fn data(frame: &[u8]) -> Vec<u8> {
    let headers_end = PRELUDE + u32_at(frame, 4).unwrap_or(0) as usize;
    let headers = frame.get(PRELUDE..headers_end).unwrap_or_default();
    let payload_end = frame.len().saturating_sub(TRAILER);
    let payload = frame.get(headers_end..payload_end).unwrap_or_default();
    match Named::of(headers) {
        Some(Named::Event(name)) => {
            let mut out = Vec::with_capacity(name.len() + payload.len() + 6);
            out.push(b'{');
            out.extend_from_slice(write::quoted(name).as_bytes());
            out.push(b':');
            out.extend_from_slice(if payload.is_empty() { b"{}" } else { payload });
            out.push(b'}');
            out
        }
        Some(Named::Exception(name)) => {
            let root = json::parse(payload).ok();
            let said = |key: &str| root.and_then(|r| r.get(key)).and_then(|m| m.text());
            let message = said("message").or_else(|| said("Message"));
            failed(name, message.as_deref().unwrap_or_default())
        }
        Some(Named::Error(code, message)) => failed(code, message),
        None => Vec::new(),
    }
}

fn failed(kind: &str, message: &str) -> Vec<u8> {
    let mut out = String::with_capacity(kind.len() + message.len() + 40);
    write::object(&mut out, |o| {
        o.object("exception", |o| {
            o.str("type", kind).str("message", message);
        });
    });
    out.into_bytes()
}

/// What the headers say that a frame is.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    /// An event of this type.
    Event(&'a str),
    /// A modelled exception of this type.
    Exception(&'a str),
    /// An error that no model foresees: code and message.
    Error(&'a str, &'a str),
}

impl<'a> Named<'a> {
    fn of(headers: &'a [u8]) -> Option<Self> {
        let (mut kind, mut event, mut exception) = ("event", "", "");
        let (mut code, mut message) = ("", "");
        let mut rest = headers;
        while !rest.is_empty() {
            let (name, value, after) = header(rest)?;
            match name {
                ":message-type" => kind = value,
                ":event-type" => event = value,
                ":exception-type" => exception = value,
                ":error-code" => code = value,
                ":error-message" => message = value,
                _ => {}
            }
            rest = after;
        }
        Some(match kind {
            "exception" => Named::Exception(exception),
            "error" => Named::Error(code, message),
            _ => Named::Event(event),
        })
    }
}

/// The first header: its name, its value if it is a string, and what follows it.
fn header(bytes: &[u8]) -> Option<(&str, &str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let size = match *kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        9 => 16,
        6 | STRING => 2 + usize::from(u16::from_be_bytes(*rest.first_chunk()?)),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(size)?;
    let text = match *kind {
        STRING => std::str::from_utf8(value.get(2..)?).ok()?,
        _ => "",
    };
    Some((std::str::from_utf8(name).ok()?, text, rest))
}

/// Writes the frame of an event called `name` with a JSON payload.
pub fn event(name: &str, payload: &[u8]) -> Vec<u8> {
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, payload)
}

/// Writes the frame of an exception called `name`.
pub fn exception(name: &str, message: &str) -> Vec<u8> {
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    let mut payload = String::with_capacity(message.len() + 16);
    write::object(&mut payload, |o| {
        o.str("message", message);
    });
    frame(&headers, payload.as_bytes())
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let size: usize = headers.iter().map(|(n, v)| n.len() + v.len() + 4).sum();
    let total = PRELUDE + size + payload.len() + TRAILER;
    let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&length(total));
    out.extend_from_slice(&length(size));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    for (name, value) in headers {
        // Names and values are short words of ours; a length that doesn't fit would be a bug of this file's callers.
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(name.as_bytes());
        out.push(STRING);
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // The published vectors of AWS's SDKs.
    const EMPTY: &[u8] = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff";
    const NO_HEADERS: &[u8] = b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3e96";
    const ONE_HEADER: &[u8] = b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";
    const ALL_TYPES: &[u8] = b"\x00\x00\x00\x62\x00\x00\x00\x52\x03\xb5\xcb\x9c\x010\x00\x011\x01\x012\x02\x02\x013\x03\x00\x03\x014\x04\x00\x00\x00\x04\x015\x05\x00\x00\x00\x00\x00\x00\x00\x05\x016\x06\x00\x05bytes\x017\x07\x00\x04utf8\x018\x08\x00\x00\x00\x00\x00\x00\x00\x08\x019\x090123456789abcdef\x63\x35\x36\x71";
    const ERROR: &[u8] = b"\x00\x00\x00\x52\x00\x00\x00\x42\xbf\x23\x63\x7e\x0d:message-type\x07\x00\x05error\x0b:error-code\x07\x00\x04code\x0e:error-message\x07\x00\x07message\x6b\x6c\xea\x3d";

    #[test]
    fn published_frames_are_sound_and_read() {
        for (frame, wanted) in [
            (EMPTY, r#"{"":{}}"#),
            (NO_HEADERS, r#"{"":{'foo':'bar'}}"#),
            (ONE_HEADER, r#"{"":{'foo':'bar'}}"#),
            (ALL_TYPES, r#"{"":{}}"#),
            (
                ERROR,
                r#"{"exception":{"type":"code","message":"message"}}"#,
            ),
        ] {
            assert_eq!(length(frame, 1_000), Ok(Some(frame.len())));
            assert_eq!(String::from_utf8(data(frame)).unwrap(), wanted);
        }
    }

    #[test]
    fn published_frames_are_written_alike() {
        assert_eq!(frame(&[], b""), EMPTY);
        assert_eq!(frame(&[], b"{'foo':'bar'}"), NO_HEADERS);
        let one = [("content-type", "application/json")];
        assert_eq!(frame(&one, b"{'foo':'bar'}"), ONE_HEADER);
    }

    #[test]
    fn published_corruptions_are_refused() {
        for broken in [
            &b"\x00\x00\x00=\xFF\x00\x01\x02\x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1"[..],
            b"\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0ccontent+type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
            b"\x01\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'}\xc3e96",
            b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfdR\x8cZ{'foo':'bar'\x8d\xc3e96",
        ] {
            assert!(matches!(length(broken, 1_000), Err(BadFrame::Malformed(_))), "{broken:?}");
        }
    }

    #[test]
    fn headers_that_overrun_are_no_data() {
        let mut broken = PRELUDE.to_be_bytes().to_vec();
        broken = [&broken[..0], b"\x0dshort"].concat();
        assert_eq!(Named::of(&broken), None);
        assert_eq!(Named::of(b"\x01a\x0b"), None, "an unknown type has no size");
    }
}
