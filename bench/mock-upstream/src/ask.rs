//! Decides what a request asks for: the few fields that matter here, found by scanning.
//!
//! Not a JSON parser: it trusts that the benchmark's bodies are well formed, because a parse of
//! 200 KB would cost the load's core more than the gateway that is being measured.

use memchr::{memchr, memmem};

use crate::shape::Shape;

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    /// What the answer looks like.
    pub(crate) shape: Shape,
    /// Whether it is to be streamed.
    pub(crate) stream: bool,
    /// Whether the stream is to carry its usage (`stream_options.include_usage`).
    pub(crate) usage: bool,
}

impl Ask {
    /// Reads the fields out of `body`.
    pub(crate) fn of(body: &[u8]) -> Self {
        let model = value(body, b"\"model\"").and_then(text).unwrap_or_default();
        let stream = value(body, b"\"stream\"").is_some_and(|v| v.starts_with(b"true"));
        let usage =
            stream && value(body, b"\"include_usage\"").is_some_and(|v| v.starts_with(b"true"));
        Self {
            shape: Shape::of(model),
            stream,
            usage,
        }
    }
}

/// What stands after the first `key` and its colon.
fn value<'a>(body: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let after = body
        .get(memmem::find(body, key)? + key.len()..)?
        .trim_ascii_start();
    Some(after.strip_prefix(b":")?.trim_ascii_start())
}

/// The string that `value` starts with, up to its first quote.
fn text(value: &[u8]) -> Option<&str> {
    let inside = value.strip_prefix(b"\"")?;
    std::str::from_utf8(inside.get(..memchr(b'"', inside)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_fields_in_any_order_and_spacing() {
        let ask = Ask::of(br#"{"stream" : true, "messages":[], "stream_options":{"include_usage":true}, "model": "mock-n3"}"#);
        assert_eq!((ask.shape.chunks, ask.stream, ask.usage), (3, true, true));
    }

    #[test]
    fn absent_means_plain() {
        let ask = Ask::of(br#"{"model":"mock-b77","stream":false}"#);
        assert_eq!((ask.shape.bytes, ask.stream, ask.usage), (77, false, false));
        assert_eq!(
            Ask::of(b""),
            Ask {
                shape: Shape::default(),
                stream: false,
                usage: false
            }
        );
    }
}
