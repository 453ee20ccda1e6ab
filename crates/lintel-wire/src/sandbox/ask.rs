//! What a request asks for, whichever dialect it is written in.
//!
//! Only what the sandbox acts on; it reads JSON as leniently as the real APIs do not, because
//! judging requests is the gateway's work, except where a real API's refusal is part of its answer.

use serde_json::Value;

use super::dice::Dice;
use super::fill;
use super::text;

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    /// Whether a stream is wanted.
    pub(super) stream: bool,
    /// Whether a usage chunk is wanted at a stream's end (OpenAI; always told in Anthropic's dialect).
    pub(super) include_usage: bool,
    /// The text to answer: the last user message, or the tool results after it.
    pub(super) said: String,
    /// Whether `said` came from a tool.
    pub(super) tool_result: bool,
    /// Tools that can be called.
    pub(super) tools: Vec<Tool>,
    /// Which of them must or may be called.
    pub(super) choice: Choice,
    /// Whether one answer may call several tools.
    pub(super) parallel: bool,
    /// What shape the text must have.
    pub(super) format: Format,
    /// How many answers.
    pub(super) n: usize,
    /// Most output tokens.
    pub(super) max_tokens: Option<u64>,
    /// Texts at which to stop.
    pub(super) stop: Vec<String>,
    /// Input tokens by the sandbox's rule.
    pub(super) input_tokens: u64,
}

/// A tool that can be called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tool {
    pub(super) name: String,
    /// JSON schema of its arguments.
    pub(super) schema: Value,
}

/// What the request says about calling tools.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    None,
    Auto,
    Required,
    Named(String),
}

/// What shape the text must have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Format {
    Text,
    JsonObject,
    Schema(Value),
}

/// Why a request is refused: the parameter and the message, as the real API would put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) param: Option<&'static str>,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param),
            message: message.into(),
        }
    }
}

/// The request as an object, or why it is none.
pub(super) fn object(body: &[u8]) -> Result<Value, Refusal> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(Refusal {
            param: None,
            message: "The request body must be a JSON object.".into(),
        }),
        Err(e) => Err(Refusal {
            param: None,
            message: format!("We could not parse the JSON body of your request: {e}"),
        }),
    }
}

/// The messages, of which there must be one.
pub(super) fn messages(request: &Value) -> Result<&[Value], Refusal> {
    match request.get("messages").and_then(Value::as_array) {
        Some(messages) if !messages.is_empty() => Ok(messages),
        Some(_) => Err(Refusal::new(
            "messages",
            "messages: at least one message is required",
        )),
        None => Err(Refusal::new(
            "messages",
            "Missing required parameter: 'messages'.",
        )),
    }
}

/// A string, or the text of every part of a list of parts, joined by spaces.
pub(super) fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// One text or a list of them.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Input tokens: the bytes of all strings below `parts`, divided by four, rounded up, at least 1.
pub(super) fn input_tokens(parts: &[Option<&Value>]) -> u64 {
    fn bytes(value: &Value) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(list) => list.iter().map(bytes).sum(),
            Value::Object(map) => map.values().map(bytes).sum(),
            _ => 0,
        }
    }
    let total: usize = parts.iter().flatten().map(|v| bytes(v)).sum();
    total.div_ceil(text::TOKEN_BYTES).max(1) as u64
}

impl Ask {
    /// The tools to call now, none for a text answer.
    ///
    /// A tool's result is always answered with text. Else: a named tool; a tool whose name the text
    /// contains; the first one when the text has the word `tool`, or when some tool is required.
    pub(super) fn calls(&self) -> Vec<&Tool> {
        if self.tool_result || self.choice == Choice::None {
            return Vec::new();
        }
        if let Choice::Named(name) = &self.choice {
            return self
                .tools
                .iter()
                .filter(|tool| tool.name == *name)
                .take(1)
                .collect();
        }
        let limit = if self.parallel { usize::MAX } else { 1 };
        let named: Vec<&Tool> = self
            .tools
            .iter()
            .filter(|t| !t.name.is_empty() && self.said.contains(&t.name))
            .take(limit)
            .collect();
        let says_tool = || {
            self.said
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word.eq_ignore_ascii_case("tool"))
        };
        if named.is_empty() && (self.choice == Choice::Required || says_tool()) {
            return self.tools.first().into_iter().collect();
        }
        named
    }

    /// The text of answer number `choice`, `length` tokens long unless its shape is prescribed.
    pub(super) fn text(&self, choice: usize, length: Option<usize>, dice: &mut Dice) -> String {
        let plain = || text::answer(&self.said, self.tool_result, choice, length);
        match &self.format {
            Format::Text => plain(),
            Format::JsonObject => serde_json::json!({ "answer": plain() }).to_string(),
            Format::Schema(schema) => fill::fill(schema, dice).to_string(),
        }
    }
}
