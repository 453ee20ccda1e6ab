//! A stream in canonical form: a grammar that every reader keeps and every writer may rely on.
//!
//! ```text
//! stream = Start *( part | Stop | Usage ) End
//!        | Start *( part | Stop | Usage ) Error
//! part   = PartStart *Delta PartEnd          ; of one choice; parts of one choice never overlap
//! ```
//! A `Stop` comes once for each choice, after its last part. `Usage` may come anywhere and more than once: the last
//! one counts. A reader whose dialect interleaves parts holds back what would overlap.

use super::message::{Citation, Part, Seal};
use super::reply::Stop;
use crate::usage::Usage;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// The provider's id of it.
        id: Option<String>,
        /// The model that answers, in the provider's word.
        model: Option<String>,
        /// When, in seconds since 1970.
        created: Option<u64>,
    },
    /// A part of choice `choice` begins.
    PartStart {
        /// The choice, from 0.
        choice: u32,
        /// What begins.
        part: Opening,
    },
    /// The open part of choice `choice` goes on.
    Delta {
        /// The choice.
        choice: u32,
        /// With what.
        delta: Delta,
    },
    /// The open part of choice `choice` is whole.
    PartEnd {
        /// The choice.
        choice: u32,
    },
    /// Choice `choice` has ended.
    Stop {
        /// The choice.
        choice: u32,
        /// Why.
        stop: Stop,
    },
    /// What has been used so far.
    Usage(Usage),
    /// The provider reports an error inside the stream.
    Error(StreamError),
    /// The answer is whole.
    End,
}

/// What begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Text.
    Text,
    /// A refusal.
    Refusal,
    /// Reasoning.
    Reasoning {
        /// Whether it is a summary.
        summary: bool,
        /// The item's id.
        id: Option<String>,
    },
    /// A call of a tool; its arguments come as text.
    ToolCall {
        /// What its result refers to.
        id: String,
        /// The tool.
        name: String,
        /// A custom tool, whose input is free text.
        custom: bool,
    },
    /// A part that comes whole: an image, an opaque block. Only a `PartEnd` follows.
    Whole(Part),
}

/// How an open part goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// More of its text, reasoning, refusal or arguments.
    Text(String),
    /// A citation of its text.
    Citation(Citation),
    /// Its seal.
    Seal(Seal),
}

/// An error inside a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The sentence, scrubbed of ids, hosts and credentials.
    pub message: String,
    /// The provider's `type`.
    pub kind_name: Option<String>,
    /// The provider's `code` as JSON text: `"overloaded"`, `400`.
    pub code: Option<String>,
}
