//! Reasoning, which has five spellings in this dialect, and the seals that hosts put on it.
//!
//! A seal of this dialect is one of three texts, told apart by their first character:
//! `[…]` the `reasoning_details` of OpenRouter and its like, as they came; `{…}` the `extra_content` of Gemini's
//! compatible endpoint; anything else the encrypted content of an OpenAI response, which OpenRouter wraps in
//! one detail of format `openai-responses-v1`, and which OpenAI's other dialect writes bare.

use std::borrow::Cow;

use lintel_types::canon::{At, Part, PartKind, Reasoning, Seal};

use super::read::{full, said};
use crate::json::write::{self, Array, Object};
use crate::json::{self, Kind, Node};
use crate::provider::OPENAI;

const ENCRYPTED: &str = "reasoning.encrypted";
/// The type of a detail that sums reasoning up.
pub(super) const SUMMARY: &str = "reasoning.summary";
const OF_RESPONSES: &str = "openai-responses-v1";

/// A seal of this dialect.
pub(super) fn sealed(data: impl Into<String>) -> Seal {
    Seal {
        protocol: OPENAI,
        data: data.into(),
    }
}

/// The reasoning of a message, whichever way it is spelled; none when it has none.
pub(super) fn read(message: Node<'_>, at: &At) -> Option<Part> {
    let plain = plain(message);
    let details = message.get("reasoning_details");
    let mut reasoning = details.map(detailed).unwrap_or_default();
    let key = match &plain {
        Some((key, text)) => {
            reasoning.text = text.clone().into_owned();
            *key
        }
        None => "reasoning_details",
    };
    if let Some(seal) = signature(message).filter(|_| reasoning.seal.is_none()) {
        reasoning.seal = Some(seal);
    }
    let silent = reasoning.text.is_empty() && reasoning.seal.is_none();
    (!silent).then(|| Part::new(PartKind::Reasoning(reasoning), at.key(key)))
}

/// Reasoning that is spelled as one string, with the key that holds it.
pub(super) fn plain<'a>(message: Node<'a>) -> Option<(&'static str, Cow<'a, str>)> {
    ["reasoning_content", "reasoning"]
        .into_iter()
        .find_map(|key| Some((key, said(message, key)?)))
}

/// The text of one detail.
pub(super) fn text_of_detail<'a>(detail: Node<'a>) -> Option<Cow<'a, str>> {
    said(detail, "text").or_else(|| said(detail, "summary"))
}

/// Whether a detail holds something that only its maker can read or check.
pub(super) fn is_sealed(detail: Node<'_>) -> bool {
    said(detail, "signature").is_some() || said(detail, "data").is_some()
}

/// What `reasoning_details` say.
pub(super) fn detailed(details: Node<'_>) -> Reasoning {
    let texts = details.items().filter_map(text_of_detail);
    let mut reasoning = Reasoning {
        text: texts.collect(),
        summary: details
            .items()
            .any(|d| said(d, "type").as_deref() == Some(SUMMARY)),
        ..Reasoning::default()
    };
    let mut seals = details.items().filter(|d| is_sealed(*d));
    let (first, more) = (seals.next(), seals.next().is_some());
    match first.filter(|_| !more).and_then(of_responses) {
        Some((data, id)) => {
            reasoning.seal = Some(sealed(data));
            reasoning.id = id;
        }
        None if first.is_some() => reasoning.seal = Some(sealed(details.raw())),
        None => {}
    }
    reasoning
}

/// The encrypted content of an OpenAI response and its item's id, where a detail is that.
fn of_responses(detail: Node<'_>) -> Option<(String, Option<String>)> {
    let is = |key: &str, word: &str| said(detail, key).as_deref() == Some(word);
    let ours = is("type", ENCRYPTED) && is("format", OF_RESPONSES);
    let data = said(detail, "data").filter(|d| ours && !d.starts_with(['[', '{']))?;
    Some((
        data.into_owned(),
        said(detail, "id").map(|id| id.into_owned()),
    ))
}

/// The thought signature that Gemini's compatible endpoint puts on a message or on a call.
pub(super) fn signature(node: Node<'_>) -> Option<Seal> {
    let extra = node.get("extra_content")?;
    let signature = extra.at(&["google", "thought_signature"])?;
    full(signature).map(|_| sealed(extra.raw()))
}

/// Mistral's `{"type":"thinking"}`: a string, or a list of texts.
pub(super) fn of_part(part: Node<'_>) -> Option<String> {
    let inside = part.get("thinking")?;
    if let Some(text) = inside.text() {
        return Some(text.into_owned());
    }
    Some(inside.items().filter_map(|n| said(n, "text")).collect())
}

/// Reasoning on its way out: what several parts amount to, since a message has one place for it.
#[derive(Default)]
pub(super) struct Said {
    /// Its text.
    pub(super) text: String,
    details: Vec<String>,
    extra: Option<String>,
}

impl Said {
    /// Adds the seal of `reasoning`; false when it has no place here.
    pub(super) fn seal(&mut self, reasoning: &Reasoning, seal: &Seal) -> bool {
        if seal.protocol != OPENAI {
            return false;
        }
        match json::parse(seal.data.as_bytes()) {
            Ok(list) if list.kind() == Kind::Array => {
                self.details
                    .extend(list.items().map(|d| d.raw().to_owned()));
                true
            }
            Ok(extra) if extra.kind() == Kind::Object => {
                let free = self.extra.is_none();
                self.extra.get_or_insert_with(|| seal.data.clone());
                free
            }
            _ => {
                self.encrypted(reasoning, &seal.data);
                true
            }
        }
    }

    fn encrypted(&mut self, reasoning: &Reasoning, data: &str) {
        if reasoning.summary && !reasoning.text.is_empty() {
            let index = self.details.len() as u64;
            self.details.push(object(|o| {
                o.str("type", SUMMARY)
                    .str("summary", &reasoning.text)
                    .str("format", OF_RESPONSES)
                    .int("index", index);
            }));
        }
        let index = self.details.len() as u64;
        self.details.push(object(|o| {
            o.str("type", ENCRYPTED)
                .str("data", data)
                .str_if("id", reasoning.id.as_deref())
                .str("format", OF_RESPONSES)
                .int("index", index);
        }));
    }

    /// Writes it into a message or a delta, its text as `key`.
    pub(super) fn write(&self, o: &mut Object<'_>, key: &str) {
        if !self.text.is_empty() {
            o.str(key, &self.text);
        }
        self.write_seals(o);
    }

    /// Writes the seals alone.
    pub(super) fn write_seals(&self, o: &mut Object<'_>) {
        if !self.details.is_empty() {
            o.array("reasoning_details", |a| {
                self.details.iter().for_each(|d| {
                    a.raw(d);
                })
            });
        }
        if let Some(extra) = &self.extra {
            o.raw("extra_content", extra);
        }
    }
}

fn object(fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    write::object(&mut out, fill);
    out
}

/// The seal of a call as the `extra_content` that it was; none when it is another's, or nothing of the sort.
pub(super) fn extra_of(seal: &Seal) -> Option<&str> {
    let ours = seal.protocol == OPENAI;
    let node = json::parse(seal.data.as_bytes()).ok().filter(|_| ours)?;
    (node.kind() == Kind::Object).then_some(seal.data.as_str())
}

/// Writes Mistral's part.
pub(super) fn write_part(a: &mut Array<'_>, text: &str) {
    a.object(|o| {
        o.str("type", "thinking").array("thinking", |a| {
            a.object(|o| {
                o.str("type", "text").str("text", text);
            });
        });
    });
}
