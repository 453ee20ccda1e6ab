//! Percent-encoding of a path's segments: models are named in paths, and their names hold slashes and colons.
//! <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text that `path` encodes; none when an escape is broken or the bytes are no UTF-8.
pub fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let (high, low) = (hex(tail.first()?)?, hex(tail.get(1)?)?);
            out.push(high << 4 | low);
            rest = tail.get(2..)?;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn hex(digit: &u8) -> Option<u8> {
    let value = char::from(*digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Writes `name` to the end of a path. Slashes stay: they are part of such names as they are of paths.
pub fn encode(name: &str, out: &mut String) {
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                out.push(char::from(byte));
            }
            // Writing to a String can't fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

/// `name` as one segment of a path, which it can neither end nor climb out of.
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    encode(name, &mut out);
    let out = out.replace('/', "%2F");
    if out == "." || out == ".." {
        return out.replace('.', "%2E");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_escapes_are_none() {
        for broken in ["%", "%2", "%zz", "a%+1", "%ff"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        assert_eq!(decode("a%2Fb%3ac").as_deref(), Some("a/b:c"));
    }

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(segment("gpt-4o_1.5"), "gpt-4o_1.5");
        assert_eq!(segment("a/b?c#d%"), "a%2Fb%3Fc%23d%25");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("claude@20250101"), "claude@20250101");
        assert_eq!(segment("ä"), "%C3%A4");
    }

    proptest! {
        #[test]
        fn every_name_reads_back(name in any::<String>()) {
            let mut out = String::new();
            encode(&name, &mut out);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decode(&out).unwrap(), name);
        }
    }
}
