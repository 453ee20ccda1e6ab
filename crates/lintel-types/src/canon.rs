//! The canonical form: one conversation, whichever dialect it is written in.
//!
//! A call whose client and target speak different protocols is read into these types and written out of
//! them. Whatever has a meaning in at least two dialects has a field here; what only one dialect knows is
//! kept as raw JSON with its place, so that it can be named when it can't be carried.
//!
//! Invariants: nothing here is a default of some dialect (absent is `None`); JSON whose inside has no
//! meaning to translation (schemas, arguments, metadata) stays the text that it was.

mod event;
mod message;
mod raw;
mod reply;
mod request;

pub use event::{Delta, Event, Opening, StreamError};
pub use message::{
    At, CacheMark, Citation, Message, Part, PartKind, Reasoning, Role, Seal, Source, ToolCall,
    ToolResult,
};
pub use raw::RawJson;
pub use reply::{Choice, Reply, Stop, StopReason};
pub use request::{
    Depth, Extra, Format, FunctionTool, JsonSchema, ReasoningAsk, Request, Set, Settings, Tool,
    ToolChoice, ToolKind,
};
