//! Content parts by reference: what kind, how big, where it lies and where it came from, without copying it.

use std::ops::Range;

/// What a part is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modality {
    /// Text.
    Text,
    /// An image.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A document such as a PDF.
    Document,
    /// A model's call of a tool.
    ToolCall,
    /// What a tool answered.
    ToolResult,
    /// A model's reasoning, visible or sealed.
    Reasoning,
    /// A type this version does not know.
    Unknown,
}

/// Where a part's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentSource {
    /// In the body, at this byte range (a JSON string or value, quotes included).
    Inline(Range<usize>),
    /// Behind a URL, which stands in the body at this byte range.
    Url(Range<usize>),
    /// A provider-side file, whose id stands in the body at this byte range.
    File(Range<usize>),
}

/// Whose words a part is: the label that policy decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// The application's instructions.
    System,
    /// The user's words.
    User,
    /// A model's words.
    Assistant,
    /// What a tool brought in: untrusted.
    Tool,
}

/// One part of a conversation, by reference into the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentPart {
    /// What it is made of.
    pub modality: Modality,
    /// Where it lies.
    pub source: ContentSource,
    /// Bytes as they stand in the body.
    pub size: usize,
    /// Whose words.
    pub label: Label,
}
