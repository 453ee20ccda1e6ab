//! A whole answer for the client.

use lintel_types::canon::{Choice, Part, PartKind, Reply, Source};

use super::super::super::media::url_of;
use super::super::super::{Encoded, Notes, Way};
use super::super::thought::Said;
use super::super::{citation, stop};
use super::{calls, usage};
use crate::json::write::{self, Object};

/// Writes a body.
pub(crate) fn write(reply: &Reply, way: &Way) -> Encoded {
    let mut notes = Notes::default();
    let mut body = String::with_capacity(1024);
    write::object(&mut body, |o| {
        head(o, reply, way);
        o.array("choices", |a| {
            for (i, choice) in (0u64..).zip(&reply.choices) {
                a.object(|o| self::choice(o, i, choice, way, &mut notes));
            }
        });
        o.object("usage", |o| usage::write(o, reply.usage.as_ref()));
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

fn head(o: &mut Object<'_>, reply: &Reply, way: &Way) {
    match &reply.id {
        Some(id) => o.str("id", id),
        None => o.str("id", &id_of(way)),
    };
    o.str("object", "chat.completion")
        .int("created", reply.created.unwrap_or(way.now))
        .str("model", reply.model.as_deref().unwrap_or(&way.model));
}

/// An id in the dialect's manner, for answers without one.
pub(super) fn id_of(way: &Way) -> String {
    format!("chatcmpl-{}", way.id)
}

fn choice(o: &mut Object<'_>, index: u64, choice: &Choice, way: &Way, notes: &mut Notes) {
    let message = Answer::of(&choice.parts, notes);
    let calls = !message.calls.is_empty();
    o.int("index", index)
        .object("message", |o| message.write(o, way, notes));
    match &choice.logprobs {
        Some(logprobs) => o.raw("logprobs", logprobs.as_str()),
        None => o.null("logprobs"),
    };
    o.str("finish_reason", stop::word(choice.stop.as_ref(), calls));
}

/// An answer by the places that a message has.
#[derive(Default)]
struct Answer<'r> {
    texts: Vec<&'r Part>,
    content: String,
    refusal: String,
    said: Said,
    images: Vec<String>,
    sound: Option<&'r str>,
    calls: Vec<(
        &'r lintel_types::canon::ToolCall,
        &'r lintel_types::canon::At,
    )>,
}

impl<'r> Answer<'r> {
    fn of(parts: &'r [Part], notes: &mut Notes) -> Self {
        let mut answer = Self::default();
        for part in parts {
            answer.add(part, notes);
        }
        answer
    }

    fn add(&mut self, part: &'r Part, notes: &mut Notes) {
        match &part.kind {
            PartKind::Text { text, .. } => {
                self.content.push_str(text);
                self.texts.push(part);
            }
            PartKind::Refusal(words) => self.refusal.push_str(words),
            PartKind::Reasoning(reasoning) => {
                self.said.text.push_str(&reasoning.text);
                let seal = reasoning.seal.as_ref();
                if seal.is_some_and(|seal| !self.said.seal(reasoning, seal)) {
                    notes.drop(&part.at);
                }
            }
            PartKind::ToolCall(call) => self.calls.push((call, &part.at)),
            PartKind::Image { source, .. } => match url_of(source) {
                Some(url) => self.images.push(url),
                None => notes.drop(&part.at),
            },
            PartKind::Audio(Source::Inline { data, .. }) if self.sound.is_none() => {
                self.sound = Some(data);
            }
            _ => notes.drop(&part.at),
        }
    }

    fn write(&self, o: &mut Object<'_>, way: &Way, notes: &mut Notes) {
        let silent = self.texts.is_empty();
        o.str("role", "assistant")
            .str_or_null("content", Some(self.content.as_str()).filter(|_| !silent));
        let refusal = Some(self.refusal.as_str()).filter(|r| !r.is_empty());
        o.str_or_null("refusal", refusal);
        o.array("annotations", |a| {
            let mut before = 0;
            for part in &self.texts {
                let PartKind::Text { text, citations } = &part.kind else {
                    continue;
                };
                let length = text.chars().count() as u64;
                for cited in citations {
                    if cited.url.is_some() {
                        a.object(|o| citation::write(o, cited, before, length));
                    } else {
                        notes.drop(&part.at.key("citations"));
                    }
                }
                before += length;
            }
        });
        self.said.write(o, "reasoning_content");
        if !self.images.is_empty() {
            o.array("images", |a| {
                for url in &self.images {
                    a.object(|o| image(o, url));
                }
            });
        }
        if let Some(data) = self.sound {
            o.object("audio", |o| sound(o, data, way));
        }
        calls::write(o, &self.calls, None, notes);
    }
}

/// An image of an answer, in OpenRouter's manner: OpenAI's own answers have none here.
pub(super) fn image(o: &mut Object<'_>, url: &str) {
    o.str("type", "image_url").object("image_url", |o| {
        o.str("url", url);
    });
}

/// Sound of an answer. Its id can't be referred to: nobody keeps it.
pub(super) fn sound(o: &mut Object<'_>, data: &str, way: &Way) {
    o.str("id", &format!("audio_{}", way.id))
        .str("data", data)
        .int("expires_at", way.now)
        .str("transcript", "");
}
