//! Writes parts. Shared by requests and answers, which differ in what of another's reasoning may be said.

use std::collections::HashMap;

use lintel_types::canon::{Part, PartKind, Reasoning, Seal, Source, ToolCall, ToolResult};

use crate::dialect::Notes;
use crate::json::write::{self, Array, Object};
use crate::json::{self, Kind};
use crate::provider::GEMINI;
use crate::surface::gemini_generate::is_stored;

/// One part under way: what it holds, to which its signature may still come.
pub(super) struct Said {
    /// Its members, without brackets.
    members: String,
    seal: Option<String>,
    /// A signature that follows belongs to it.
    takes_seal: bool,
    /// It is a call of a function.
    pub(super) call: bool,
}

impl Said {
    fn new(fill: impl FnOnce(&mut Object<'_>)) -> Self {
        let mut object = String::new();
        write::object(&mut object, fill);
        let inner = object.get(1..object.len().saturating_sub(1));
        Self {
            members: inner.unwrap_or_default().to_owned(),
            seal: None,
            takes_seal: false,
            call: false,
        }
    }

    /// Gives the part a signature, where it has none.
    pub(super) fn sign(&mut self, seal: &str) {
        self.seal.get_or_insert_with(|| seal.to_owned());
    }

    /// The part as JSON.
    pub(super) fn json(&self) -> String {
        match &self.seal {
            Some(seal) => {
                let seal = write::quoted(seal);
                format!("{{{},\"thoughtSignature\":{seal}}}", self.members)
            }
            None => format!("{{{}}}", self.members),
        }
    }
}

/// What is written, and what can't be.
#[derive(Default)]
pub(super) struct Saying {
    pub(super) notes: Notes,
    /// Names of tools by the ids of their calls so far: a client may use an id again.
    pub(super) names: HashMap<String, String>,
    /// An answer: reasoning is shown whoever's it is.
    pub(super) answer: bool,
}

impl Saying {
    /// Writes `part` to the end of `out`.
    pub(super) fn part(&mut self, part: &Part, out: &mut Vec<Said>) {
        if part.cache.is_some() {
            self.notes.drop(&part.at.key("cache_control"));
        }
        match &part.kind {
            PartKind::Text {
                text: said,
                citations,
            } => {
                if !self.answer && !citations.is_empty() {
                    self.notes.drop(&part.at.key("citations"));
                }
                out.push(text(said));
            }
            PartKind::Refusal(refusal) => out.push(text(refusal)),
            PartKind::Image { source, detail } => {
                if detail.as_deref().is_some_and(|d| d != "auto") {
                    self.notes.drop(&part.at.key("detail"));
                }
                self.media(part, source, "image/*", out);
            }
            PartKind::Audio(source) => self.media(part, source, "audio/*", out),
            PartKind::Video(source) => self.media(part, source, "video/*", out),
            PartKind::Document {
                source,
                title,
                context,
                citations,
            } => {
                // Chat completions demand a file's name, so one that only came along must not keep the file away.
                if title.is_some() {
                    self.notes.emulate(part.at.key("title").as_str());
                }
                let told = [
                    ("context", context.is_some()),
                    ("citations", *citations == Some(true)),
                ];
                for (key, _) in told.iter().filter(|(_, set)| *set) {
                    self.notes.drop(&part.at.key(key));
                }
                self.media(part, source, "", out);
            }
            PartKind::Reasoning(reasoning) => self.reasoning(part, reasoning, out),
            PartKind::ToolCall(call) => {
                self.names.insert(call.id.clone(), call.name.clone());
                out.push(self.call(part, call));
            }
            PartKind::ToolResult(result) => match self.name_of(result) {
                Some(name) => out.push(self.result(result, &name)),
                // Its call, a server's own tool say, could not be carried: Google refuses an answer to nothing.
                None => self.notes.drop(&part.at),
            },
            PartKind::Opaque { protocol, raw, .. } if *protocol == GEMINI => {
                let inner = raw.as_str().trim();
                let inner = inner.strip_prefix('{').and_then(|i| i.strip_suffix('}'));
                match inner.filter(|i| !i.trim().is_empty()) {
                    Some(inner) => out.push(Said {
                        members: inner.to_owned(),
                        seal: None,
                        takes_seal: false,
                        call: false,
                    }),
                    None => self.notes.drop(&part.at),
                }
            }
            PartKind::Opaque { .. } => self.notes.drop(&part.at),
        }
    }

    fn reasoning(&mut self, part: &Part, reasoning: &Reasoning, out: &mut Vec<Said>) {
        let own = reasoning.seal.as_ref().filter(|s| s.protocol == GEMINI);
        // Another's reasoning never becomes a part of a prompt.
        if own.is_none() && !self.answer {
            return self.notes.drop(&part.at);
        }
        if own.is_none() && reasoning.seal.is_some() {
            self.notes.drop(&part.at);
        }
        let seal = own.map(|s| s.data.as_str()).filter(|d| !d.is_empty());
        if reasoning.text.is_empty() {
            return seal.into_iter().for_each(|seal| attach(seal, out));
        }
        let mut said = Said::new(|o| {
            o.str("text", &reasoning.text).bool("thought", true);
        });
        seal.into_iter().for_each(|seal| said.sign(seal));
        out.push(said);
    }

    fn call(&mut self, part: &Part, call: &ToolCall) -> Said {
        let mut said = self.call_said(part, call);
        match &call.seal {
            Some(Seal { protocol, data }) if *protocol == GEMINI => said.sign(data),
            Some(_) => self.notes.drop(&part.at),
            None => {}
        }
        said
    }

    fn call_said(&mut self, part: &Part, call: &ToolCall) -> Said {
        let arguments = call.arguments.trim();
        let is_object = arguments.is_empty() || parses_as_object(arguments);
        if call.custom || !is_object {
            self.notes.emulate(part.at.as_str());
        }
        let mut said = Said::new(|o| {
            o.object("functionCall", |f| {
                f.str("id", &call.id).str("name", &call.name);
                if call.custom || !is_object {
                    f.object("args", |a| {
                        a.str("input", &call.arguments);
                    });
                } else {
                    f.raw(
                        "args",
                        if arguments.is_empty() {
                            "{}"
                        } else {
                            arguments
                        },
                    );
                }
            });
        });
        said.call = true;
        said
    }

    /// The tool that a result is of: what it says itself, else what its call says.
    fn name_of(&self, result: &ToolResult) -> Option<String> {
        let by_call = || self.names.get(&result.call_id).cloned();
        result.name.clone().or_else(by_call)
    }

    fn result(&mut self, result: &ToolResult, name: &str) -> Said {
        for marked in result.parts.iter().filter(|p| p.cache.is_some()) {
            self.notes.drop(&marked.at.key("cache_control"));
        }
        let (texts, others): (Vec<&Part>, Vec<&Part>) = result
            .parts
            .iter()
            .partition(|p| matches!(p.kind, PartKind::Text { .. } | PartKind::Refusal(_)));
        let texts: Vec<&str> = texts.iter().filter_map(|p| plain(&p.kind)).collect();
        let mut media = Vec::new();
        for other in others {
            if sourced(&other.kind) {
                self.part(other, &mut media);
            } else {
                self.notes.drop(&other.at);
            }
        }
        Said::new(|o| {
            o.object("functionResponse", |f| {
                f.str("id", &result.call_id).str("name", name);
                f.raw("response", &response(&texts, result.is_error));
                if !media.is_empty() {
                    f.array("parts", |a| put(&media, a));
                }
            });
        })
    }

    fn media(&mut self, part: &Part, source: &Source, any: &str, out: &mut Vec<Said>) {
        let mut said = match source {
            Source::Inline { media_type, data } => Said::new(|o| {
                o.object("inlineData", |d| {
                    d.str("mimeType", media_type).str("data", data);
                });
            }),
            Source::Url(uri) => file(uri, any),
            // Ids of other makers mean nothing to Google.
            Source::File(uri) if is_stored(uri) => file(uri, any),
            Source::File(_) => return self.notes.drop(&part.at),
            Source::Text(plain) => {
                self.notes.emulate(part.at.as_str());
                return out.push(text(plain));
            }
        };
        said.takes_seal = true;
        out.push(said);
    }
}

/// Writes parts into an array.
pub(super) fn put(parts: &[Said], a: &mut Array<'_>) {
    parts.iter().for_each(|p| {
        a.raw(&p.json());
    });
}

/// A part of text.
pub(super) fn text(text: &str) -> Said {
    let mut said = Said::new(|o| {
        o.str("text", text);
    });
    said.takes_seal = true;
    said
}

/// Puts a signature where it stood: on the part before, or on an empty text of its own.
fn attach(seal: &str, out: &mut Vec<Said>) {
    match out.last_mut().filter(|s| s.takes_seal && s.seal.is_none()) {
        Some(last) => last.sign(seal),
        None => {
            let mut own = text("");
            own.sign(seal);
            out.push(own);
        }
    }
}

fn file(uri: &str, any: &str) -> Said {
    let kind = type_of(uri).unwrap_or(any);
    Said::new(|o| {
        o.object("fileData", |d| {
            if !kind.is_empty() {
                d.str("mimeType", kind);
            }
            d.str("fileUri", uri);
        });
    })
}

/// The media type that a file's name tells.
pub(super) fn type_of(uri: &str) -> Option<&'static str> {
    const TYPES: [(&str, &str); 18] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("heic", "image/heic"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("webm", "video/webm"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
        ("csv", "text/csv"),
        ("html", "text/html"),
    ];
    let youtube = [
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://youtu.be/",
    ];
    if youtube.iter().any(|y| uri.starts_with(y)) {
        return Some("video/*");
    }
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit_once('.')?;
    let found = TYPES.iter().find(|(e, _)| ending.eq_ignore_ascii_case(e));
    found.map(|(_, kind)| *kind)
}

fn plain(kind: &PartKind) -> Option<&str> {
    match kind {
        PartKind::Text { text, .. } | PartKind::Refusal(text) => Some(text),
        _ => None,
    }
}

/// Whether the part is bytes that a result may hold.
fn sourced(kind: &PartKind) -> bool {
    matches!(
        kind,
        PartKind::Image { .. }
            | PartKind::Audio(_)
            | PartKind::Video(_)
            | PartKind::Document { .. }
    )
}

fn parses_as_object(text: &str) -> bool {
    json::parse(text.as_bytes()).is_ok_and(|n| n.kind() == Kind::Object)
}

/// The object that Google demands of a result: the tool's own, or its text under Google's key for it.
fn response(texts: &[&str], is_error: bool) -> String {
    let mut out = String::new();
    let key = if is_error { "error" } else { "output" };
    match texts {
        [one] if parses_as_object(one) && !is_error => out.push_str(one),
        [one] if parses_as_object(one) => write::object(&mut out, |o| {
            o.raw(key, one);
        }),
        [] => write::object(&mut out, |o| {
            o.str(key, "");
        }),
        [one] => write::object(&mut out, |o| {
            o.str(key, one);
        }),
        many => write::object(&mut out, |o| {
            o.array(key, |a| {
                many.iter().for_each(|t| {
                    a.str(t);
                })
            });
        }),
    }
    out
}
