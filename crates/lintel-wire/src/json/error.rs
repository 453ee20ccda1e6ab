//! What can be wrong with bytes that should be JSON, and where.

use std::fmt;

/// Deepest nesting that is accepted. Real requests nest under 30 deep; recursion here is bounded by it.
pub const MAX_DEPTH: usize = 128;

/// Why bytes are not acceptable JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not UTF-8.
    NotUtf8,
    /// Ended in the middle of a value.
    Truncated,
    /// This byte can't stand here.
    Unexpected(u8),
    /// Something follows the document.
    Trailing,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// This key stands twice in one object.
    DuplicateKey(String),
    /// The document is not an object.
    NotAnObject,
}

/// A problem with its place: JSON path and byte offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub problem: Problem,
    /// Where, as a JSON path such as `$.messages[3].content`.
    pub path: String,
    /// Where, as a byte offset from the start.
    pub offset: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, offset) = (&self.path, self.offset);
        match &self.problem {
            Problem::NotUtf8 => write!(
                f,
                "the body is not valid UTF-8 (byte {offset}): send JSON encoded as UTF-8"
            ),
            Problem::Truncated => write!(
                f,
                "the JSON ends in the middle of {path} (byte {offset}): the body was cut short"
            ),
            Problem::Unexpected(byte) => {
                let shown = byte.escape_ascii();
                write!(
                    f,
                    "invalid JSON at {path} (byte {offset}): unexpected `{shown}`"
                )
            }
            Problem::Trailing => write!(
                f,
                "something follows the JSON document (byte {offset}): send one document"
            ),
            Problem::TooDeep => write!(
                f,
                "the JSON is nested deeper than {MAX_DEPTH} levels at {path} (byte {offset}): flatten it"
            ),
            Problem::DuplicateKey(key) => {
                write!(
                    f,
                    "the key `{key}` stands twice in {path} (byte {offset}): two parsers would see two requests; send it once"
                )
            }
            Problem::NotAnObject => write!(f, "the body must be a JSON object"),
        }
    }
}

impl std::error::Error for JsonError {}
