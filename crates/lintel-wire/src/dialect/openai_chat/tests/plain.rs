//! The plainest reading of an answer that does: what the dialect's is compared with.

use lintel_types::canon::{PartKind, Reply};
use serde_json::Value;

/// What an answer says, whatever its form.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plain {
    pub(super) text: String,
    pub(super) reasoning: String,
    /// Name and arguments.
    pub(super) calls: Vec<(String, String)>,
}

impl Plain {
    /// Of canonical parts.
    pub(super) fn of(reply: &Reply) -> Self {
        let mut plain = Self::default();
        for part in reply.choices.iter().flat_map(|c| &c.parts) {
            match &part.kind {
                PartKind::Text { text, .. } => plain.text.push_str(text),
                PartKind::Reasoning(reasoning) => plain.reasoning.push_str(&reasoning.text),
                PartKind::ToolCall(call) => {
                    plain
                        .calls
                        .push((call.name.clone(), call.arguments.clone()));
                }
                _ => {}
            }
        }
        plain
    }

    /// Of a message.
    pub(super) fn of_message(message: &Value) -> Self {
        let mut plain = Self::default();
        plain.add(message);
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            plain.calls.push(named(&call["function"]));
        }
        plain
    }

    /// Of a stream's data.
    pub(super) fn of_stream(data: &[String]) -> Self {
        let mut plain = Self::default();
        let mut keys: Vec<(u64, String)> = Vec::new();
        for chunk in data
            .iter()
            .filter_map(|d| serde_json::from_str::<Value>(d).ok())
        {
            for choice in chunk["choices"].as_array().into_iter().flatten() {
                let delta = &choice["delta"];
                plain.add(delta);
                for call in delta["tool_calls"].as_array().into_iter().flatten() {
                    let (name, more) = named(&call["function"]);
                    let id = call["id"].as_str().unwrap_or_default().to_owned();
                    let index = call["index"].as_u64().unwrap_or(keys.len() as u64);
                    let known = keys
                        .iter()
                        .position(|(i, of)| *i == index && (id.is_empty() || *of == id));
                    match known {
                        Some(at) => plain.calls[at].1.push_str(&more),
                        None => {
                            keys.push((index, id));
                            plain.calls.push((name, more));
                        }
                    }
                }
            }
        }
        plain
    }

    fn add(&mut self, message: &Value) {
        match &message["content"] {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => {
                for part in parts {
                    self.text
                        .push_str(part["text"].as_str().unwrap_or_default());
                    for inner in part["thinking"].as_array().into_iter().flatten() {
                        self.reasoning
                            .push_str(inner["text"].as_str().unwrap_or_default());
                    }
                }
            }
            _ => {}
        }
        let string = |key: &str| message[key].as_str().filter(|t| !t.is_empty());
        if let Some(text) = string("reasoning_content").or(string("reasoning")) {
            self.reasoning.push_str(text);
        } else {
            for detail in message["reasoning_details"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let text = detail["text"].as_str().or(detail["summary"].as_str());
                self.reasoning.push_str(text.unwrap_or_default());
            }
        }
    }
}

fn named(function: &Value) -> (String, String) {
    let text = |key: &str| function[key].as_str().unwrap_or_default().to_owned();
    (text("name"), text("arguments"))
}
