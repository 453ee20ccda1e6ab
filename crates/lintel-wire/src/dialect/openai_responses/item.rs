//! The output items of an answer under way: what they are made of so far, their ids, and how they are written.
//!
//! Whole answers and streams are built from the same parts here, so that both say the same. Texts that follow each
//! other are one message, and summaries of one reasoning item stay together.

use lintel_types::canon::{Delta, Opening, Part, PartKind, Source};

use super::encode_items::{annotation, call_words};
use crate::dialect::Way;
use crate::json::write::{Array, Object};
use crate::provider::OPENAI;

/// One output item.
pub(super) enum Item {
    /// A message of the model's.
    Message { id: String, contents: Vec<Content> },
    /// Reasoning: shown as summaries, which is the form that clients of this dialect show.
    Reasoning {
        id: String,
        texts: Vec<String>,
        seal: Option<String>,
    },
    /// A call of one of the application's tools.
    Call {
        id: String,
        call_id: String,
        name: String,
        input: String,
        custom: bool,
    },
    /// An image that the model made.
    Image { id: String, data: String },
    /// An item that is this dialect's already.
    Raw(String),
}

/// One part of a message.
pub(super) enum Content {
    /// Text with its annotations, each as JSON.
    Text {
        text: String,
        annotations: Vec<String>,
        logprobs: Option<String>,
    },
    /// A refusal.
    Refusal(String),
}

impl Content {
    pub(super) fn write(&self, o: &mut Object<'_>) {
        match self {
            Content::Text {
                text,
                annotations,
                logprobs,
            } => {
                o.str("type", "output_text").str("text", text);
                o.array("annotations", |a| {
                    for note in annotations {
                        a.raw(note);
                    }
                });
                o.raw("logprobs", logprobs.as_deref().unwrap_or("[]"));
            }
            Content::Refusal(text) => {
                o.str("type", "refusal").str("refusal", text);
            }
        }
    }
}

/// One text of a reasoning item.
pub(super) fn summary(text: &str, o: &mut Object<'_>) {
    o.str("type", "summary_text").str("text", text);
}

impl Item {
    pub(super) fn id(&self) -> &str {
        match self {
            Item::Message { id, .. }
            | Item::Reasoning { id, .. }
            | Item::Call { id, .. }
            | Item::Image { id, .. } => id,
            Item::Raw(_) => "",
        }
    }

    /// Writes the item into a list.
    pub(super) fn write_to(&self, status: &str, a: &mut Array<'_>) {
        match self {
            Item::Raw(json) => {
                a.raw(json);
            }
            _ => {
                a.object(|o| self.write(status, o));
            }
        }
    }

    /// Writes the members of an item that has some.
    pub(super) fn write(&self, status: &str, o: &mut Object<'_>) {
        match self {
            Item::Message { id, contents } => {
                o.str("type", "message").str("id", id).str("status", status);
                o.str("role", "assistant").array("content", |a| {
                    for content in contents {
                        a.object(|o| content.write(o));
                    }
                });
            }
            Item::Reasoning { id, texts, seal } => {
                o.str("type", "reasoning").str("id", id);
                o.array("summary", |a| {
                    for text in texts {
                        a.object(|o| summary(text, o));
                    }
                });
                o.str_if("encrypted_content", seal.as_deref());
            }
            Item::Call {
                id,
                call_id,
                name,
                input,
                custom,
            } => {
                let (kind, word) = call_words(*custom);
                o.str("type", kind).str("id", id);
                o.str("call_id", call_id).str("name", name);
                o.str(word, input).str("status", status);
            }
            Item::Image { id, data } => {
                o.str("type", "image_generation_call").str("id", id);
                o.str("status", status).str("result", data);
            }
            Item::Raw(_) => {}
        }
    }
}

/// The index of a part, by the word of its kind.
pub(super) fn place(item: &Item, part: usize, o: &mut Object<'_>) {
    match item {
        Item::Message { .. } => {
            o.int("content_index", part as u64);
        }
        Item::Reasoning { .. } => {
            o.int("summary_index", part as u64);
        }
        _ => {}
    }
}

/// What a part has become, in the event that ends it.
pub(super) fn done_members(item: &Item, part: usize, o: &mut Object<'_>) {
    match item {
        Item::Message { .. } => match content(item, part) {
            Some(Content::Text { text, .. }) => {
                o.str("text", text).raw("logprobs", "[]");
            }
            Some(Content::Refusal(text)) => {
                o.str("refusal", text);
            }
            None => {}
        },
        Item::Reasoning { .. } => {
            o.str("text", reasoning_text(item, part));
        }
        Item::Call {
            name,
            input,
            custom,
            ..
        } => {
            if *custom {
                o.str("input", input);
            } else {
                o.str("name", name).str("arguments", input);
            }
        }
        _ => {}
    }
}

/// The part of a message.
pub(super) fn content(item: &Item, part: usize) -> Option<&Content> {
    match item {
        Item::Message { contents, .. } => contents.get(part),
        _ => None,
    }
}

/// The text of a part of reasoning.
pub(super) fn reasoning_text(item: &Item, part: usize) -> &str {
    match item {
        Item::Reasoning { texts, .. } => texts.get(part).map_or("", |t| t),
        _ => "",
    }
}

/// The items of one answer.
pub(super) struct Items {
    /// What ids are made of.
    tail: String,
    list: Vec<Item>,
    /// The last item may go on.
    open: bool,
}

impl Items {
    pub(super) fn new(way: &Way) -> Self {
        Self {
            tail: tail(way),
            list: Vec::new(),
            open: false,
        }
    }

    pub(super) fn list(&self) -> &[Item] {
        &self.list
    }

    /// The item that is open, and its place.
    pub(super) fn open(&self) -> Option<(usize, &Item)> {
        let last = self.list.last().filter(|_| self.open)?;
        Some((self.list.len() - 1, last))
    }

    pub(super) fn close(&mut self) {
        self.open = false;
    }

    /// Whether what begins belongs to the open item.
    pub(super) fn continues(&self, opening: &Opening) -> bool {
        match (self.open(), opening) {
            (Some((_, Item::Message { .. })), Opening::Text | Opening::Refusal) => true,
            (
                Some((_, Item::Reasoning { id, seal, .. })),
                Opening::Reasoning { id: Some(next), .. },
            ) => id == next && seal.is_none(),
            _ => false,
        }
    }

    /// Begins a new, empty item for what begins. False when it has no form here.
    pub(super) fn push(&mut self, opening: &Opening) -> bool {
        let made = |prefix: &str| format!("{prefix}_{}_{}", self.tail, self.list.len());
        let item = match opening {
            Opening::Text | Opening::Refusal => Item::Message {
                id: made("msg"),
                contents: Vec::new(),
            },
            Opening::Reasoning { id, .. } => Item::Reasoning {
                id: id.clone().unwrap_or_else(|| made("rs")),
                texts: Vec::new(),
                seal: None,
            },
            Opening::ToolCall { id, name, custom } => Item::Call {
                id: made(if *custom { "ctc" } else { "fc" }),
                call_id: id.clone(),
                name: name.clone(),
                input: String::new(),
                custom: *custom,
            },
            Opening::Whole(part) => match whole(part, || made("ig")) {
                Some(item) => item,
                None => return false,
            },
        };
        self.list.push(item);
        self.open = true;
        true
    }

    /// Begins a part of the open item; gives its place in it.
    pub(super) fn part(&mut self, opening: &Opening) -> usize {
        match (self.list.last_mut(), opening) {
            (Some(Item::Message { contents, .. }), Opening::Refusal) => {
                contents.push(Content::Refusal(String::new()));
                contents.len() - 1
            }
            (Some(Item::Message { contents, .. }), _) => {
                contents.push(Content::Text {
                    text: String::new(),
                    annotations: Vec::new(),
                    logprobs: None,
                });
                contents.len() - 1
            }
            (Some(Item::Reasoning { texts, .. }), _) => {
                texts.push(String::new());
                texts.len() - 1
            }
            _ => 0,
        }
    }

    /// Adds to the open part. False for what has no form here.
    pub(super) fn grow(&mut self, delta: &Delta) -> bool {
        let Some(last) = self.list.last_mut() else {
            return false;
        };
        match (last, delta) {
            (Item::Message { contents, .. }, delta) => {
                contents.last_mut().is_some_and(|c| grow_content(c, delta))
            }
            (Item::Reasoning { texts, .. }, Delta::Text(more)) => {
                texts.last_mut().map(|t| t.push_str(more)).is_some()
            }
            (Item::Reasoning { seal, .. }, Delta::Seal(new)) if new.protocol == OPENAI => {
                *seal = Some(new.data.clone());
                true
            }
            (Item::Call { input, .. }, Delta::Text(more)) => {
                input.push_str(more);
                true
            }
            _ => false,
        }
    }

    /// Adds log probabilities to the first text.
    pub(super) fn logprobs(&mut self, json: &str) {
        let messages = self.list.iter_mut().filter_map(|item| match item {
            Item::Message { contents, .. } => Some(contents),
            _ => None,
        });
        let first = messages.flatten().find_map(|content| match content {
            Content::Text { logprobs, .. } => Some(logprobs),
            Content::Refusal(_) => None,
        });
        if let Some(first) = first {
            *first = Some(json.to_owned());
        }
    }
}

fn grow_content(content: &mut Content, delta: &Delta) -> bool {
    match (content, delta) {
        (Content::Text { text, .. }, Delta::Text(more)) => {
            text.push_str(more);
            true
        }
        (Content::Refusal(text), Delta::Text(more)) => {
            text.push_str(more);
            true
        }
        (Content::Text { annotations, .. }, Delta::Citation(citation)) => {
            let note = annotation(citation);
            annotations.extend(note.clone());
            note.is_some()
        }
        _ => false,
    }
}

/// A part that comes whole, as an item; none when it has no form here.
fn whole(part: &Part, made: impl FnOnce() -> String) -> Option<Item> {
    match &part.kind {
        PartKind::Image {
            source: Source::Inline { data, .. },
            ..
        } => Some(Item::Image {
            id: made(),
            data: data.clone(),
        }),
        PartKind::Opaque {
            kind,
            protocol,
            raw,
        } if *protocol == OPENAI && super::encode_items::is_item(kind) => {
            Some(Item::Raw(raw.as_str().to_owned()))
        }
        _ => None,
    }
}

/// Letters and digits of our id of the exchange: what ids of answers and items are made of.
pub(super) fn tail(way: &Way) -> String {
    way.id.chars().filter(char::is_ascii_alphanumeric).collect()
}
