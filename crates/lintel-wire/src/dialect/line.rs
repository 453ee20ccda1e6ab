//! JSON on one line: an event's data ends at a line end, and what is carried as it was written may hold some.

/// Makes line ends in the JSON `text` spaces: they stand between tokens, never inside a string.
pub(super) fn one(text: &mut String) {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
        *text = text.replace(['\n', '\r'], " ");
    }
}
