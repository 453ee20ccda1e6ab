//! Messages and their parts, in requests and in replies.

use std::fmt;

use super::RawJson;
use crate::surface::Protocol;

/// Where something stands in the client's body, as a JSON path such as `$.messages[2].content[0]`:
/// what is named when it can't be carried. Empty for what the client did not write.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct At(String);

impl At {
    /// The place called `path`.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The member `key` of the value here.
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}.{key}", self.0))
    }

    /// Item `index` of the array here.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose words a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The application's instructions.
    System,
    /// The application's instructions, in OpenAI's newer word; the same as `System` for dialects that know one.
    Developer,
    /// The user's words.
    User,
    /// The model's words.
    Assistant,
    /// Results of tool calls: every part is a [`PartKind::ToolResult`], and such parts stand in no other message.
    Tool,
}

/// One message.
///
/// Roles need not alternate: dialects that demand it join neighbours. Dialects whose tool results stand in
/// user messages split such a message in two, results first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whose words.
    pub role: Role,
    /// The speaker's name.
    pub name: Option<String>,
    /// What it is made of, in order.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub at: At,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// A prompt-cache breakpoint after this part.
    pub cache: Option<CacheMark>,
    /// Where it stands.
    pub at: At,
}

impl Part {
    /// A part without a cache mark.
    pub fn new(kind: PartKind, at: At) -> Self {
        Self {
            kind,
            cache: None,
            at,
        }
    }
}

/// A prompt-cache breakpoint: everything up to here may be cached by the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMark {
    /// How long, in the dialect's word (`5m`, `1h`); none for the provider's default.
    pub ttl: Option<String>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// What it cites.
        citations: Vec<Citation>,
    },
    /// A refusal in the model's words.
    Refusal(String),
    /// An image.
    Image {
        /// Where its bytes are.
        source: Source,
        /// How closely the model looks: OpenAI's `low`, `high`, `auto`.
        detail: Option<String>,
    },
    /// Sound.
    Audio(Source),
    /// Moving pictures.
    Video(Source),
    /// A document.
    Document {
        /// Where its bytes are.
        source: Source,
        /// Its title or file name.
        title: Option<String>,
        /// What the application says about it.
        context: Option<String>,
        /// Whether the answer is to cite it.
        citations: Option<bool>,
    },
    /// Reasoning, visible or sealed.
    Reasoning(Reasoning),
    /// A call of a tool, by the model.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// A kind that has no counterpart elsewhere: server-side tools and their results, and whatever comes next.
    Opaque {
        /// Its type in its dialect.
        kind: String,
        /// The protocol whose dialect it is.
        protocol: Protocol,
        /// The whole part.
        raw: RawJson,
    },
}

impl PartKind {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        PartKind::Text {
            text: text.into(),
            citations: Vec::new(),
        }
    }
}

/// Where bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the body, base64.
    Inline {
        /// Such as `image/png`.
        media_type: String,
        /// Base64, as written.
        data: String,
    },
    /// At an address that the provider fetches.
    Url(String),
    /// At the provider, under an id of its own: never carried to another provider.
    File(String),
    /// Plain text in the body.
    Text(String),
}

/// Reasoning of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasoning {
    /// What can be read of it; empty when it is sealed altogether.
    pub text: String,
    /// Whether `text` is a summary and not the reasoning itself.
    pub summary: bool,
    /// The item's id, where the dialect gives it one.
    pub id: Option<String>,
    /// What only its maker can read or check. Given back to its own protocol as it was; removed, and named, on the way to any other.
    pub seal: Option<Seal>,
}

/// Bytes that have a meaning to one protocol alone: a signature, encrypted reasoning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Whose.
    pub protocol: Protocol,
    /// The bytes, as text.
    pub data: String,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// What its result refers to.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, unless the model erred; free text for a custom tool.
    pub arguments: String,
    /// A custom tool of OpenAI's, whose input is free text.
    pub custom: bool,
    /// What its maker wants back with it, such as Gemini's thought signature.
    pub seal: Option<Seal>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The call.
    pub call_id: String,
    /// The tool's name: what the dialect says, else filled in from the call by [`super::Request::name_results`].
    pub name: Option<String>,
    /// The answer.
    pub parts: Vec<Part>,
    /// The tool failed.
    pub is_error: bool,
}

/// What a piece of text cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// A page's address; none for a citation of a document in the request.
    pub url: Option<String>,
    /// The title of what is cited.
    pub title: Option<String>,
    /// The words that are cited.
    pub quote: Option<String>,
    /// First character of the citing text, and one past its last, where the dialect says so.
    pub span: Option<(u64, u64)>,
    /// The protocol whose dialect `raw` is.
    pub protocol: Protocol,
    /// The citation as it was written.
    pub raw: RawJson,
}
