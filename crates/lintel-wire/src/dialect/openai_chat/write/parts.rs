//! Parts of a message's content. Only users speak in other things than text.

use lintel_types::canon::{At, CacheMark, Part, PartKind, Role, Source};

use super::super::super::Notes;
use super::super::super::media::url_of;
use super::super::terms;
use crate::hosts::Host;
use crate::json::write::{Array, Object};
use crate::provider::OPENAI;

/// Writes one part, or names it.
pub(super) fn write(a: &mut Array<'_>, part: &Part, role: Role, host: &Host, notes: &mut Notes) {
    let at = &part.at;
    match &part.kind {
        PartKind::Text { text, citations } => {
            if !citations.is_empty() {
                notes.drop(&at.key("citations"));
            }
            self::text(a, text, part.cache.as_ref(), at, host, notes);
        }
        PartKind::Refusal(words) if role == Role::Assistant => {
            if terms::is_openai(host) {
                a.object(|o| {
                    o.str("type", "refusal").str("refusal", words);
                });
            } else {
                notes.emulate(at.as_str());
                self::text(a, words, None, at, host, notes);
            }
        }
        PartKind::Opaque {
            kind,
            protocol,
            raw,
        } if *protocol == OPENAI && is_ours(kind) => {
            a.raw(raw.as_str());
        }
        kind if role == Role::User && media(a, kind, part, host, notes) => {}
        _ => notes.drop(at),
    }
}

fn text(
    a: &mut Array<'_>,
    text: &str,
    mark: Option<&CacheMark>,
    at: &At,
    host: &Host,
    notes: &mut Notes,
) {
    a.object(|o| {
        o.str("type", "text").str("text", text);
        cache(o, mark, at, host, notes);
    });
}

/// Writes a cache mark where the host takes it; else names it.
pub(super) fn cache(
    o: &mut Object<'_>,
    mark: Option<&CacheMark>,
    at: &At,
    host: &Host,
    notes: &mut Notes,
) {
    let Some(mark) = mark else { return };
    if terms::takes_cache_marks(host) {
        o.object("cache_control", |o| {
            o.str("type", "ephemeral")
                .str_if("ttl", mark.ttl.as_deref());
        });
    } else {
        notes.drop(&at.key("cache_control"));
    }
}

/// A part of this dialect. OpenAI's other dialect has parts too; none of them is understood here.
fn is_ours(kind: &str) -> bool {
    let foreign = ["item_reference", "compaction", "reasoning", "message"];
    let endings = ["_call", "_output"];
    !(foreign.contains(&kind)
        || endings.iter().any(|e| kind.ends_with(e))
        || kind.starts_with("mcp_")
        || kind.starts_with("input_") && kind != "input_audio")
}

/// Writes what only users send; false for what has no word here.
fn media(a: &mut Array<'_>, kind: &PartKind, part: &Part, host: &Host, notes: &mut Notes) -> bool {
    match kind {
        PartKind::Image { source, detail } => {
            let Some(url) = url_of(source) else {
                return false;
            };
            marked(a, part, host, notes, |o| {
                address(o, "image_url", &url, detail.as_deref());
            });
        }
        PartKind::Video(source) if !terms::is_openai(host) => {
            let Some(url) = url_of(source) else {
                return false;
            };
            marked(a, part, host, notes, |o| {
                address(o, "video_url", &url, None)
            });
        }
        PartKind::Audio(Source::Inline { media_type, data }) => {
            let Some(format) = format_of(media_type, host) else {
                return false;
            };
            marked(a, part, host, notes, |o| {
                o.str("type", "input_audio").object("input_audio", |o| {
                    o.str("data", data).str("format", format);
                });
            });
        }
        PartKind::Document { .. } => return document(a, kind, part, host, notes),
        _ => return false,
    }
    true
}

fn address(o: &mut Object<'_>, key: &str, url: &str, detail: Option<&str>) {
    o.str("type", key).object(key, |o| {
        o.str("url", url).str_if("detail", detail);
    });
}

fn marked(
    a: &mut Array<'_>,
    part: &Part,
    host: &Host,
    notes: &mut Notes,
    fill: impl FnOnce(&mut Object<'_>),
) {
    a.object(|o| {
        fill(o);
        cache(o, part.cache.as_ref(), &part.at, host, notes);
    });
}

/// OpenAI's word for a media type of sound: it takes two, other hosts more.
fn format_of<'m>(media_type: &'m str, host: &Host) -> Option<&'m str> {
    match media_type {
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some("wav"),
        other => other
            .strip_prefix("audio/")
            .filter(|_| !terms::is_openai(host)),
    }
}

fn document(
    a: &mut Array<'_>,
    kind: &PartKind,
    part: &Part,
    host: &Host,
    notes: &mut Notes,
) -> bool {
    let PartKind::Document {
        source,
        title,
        context,
        citations,
    } = kind
    else {
        return false;
    };
    let at = &part.at;
    let title = title.as_deref();
    let written = match source {
        Source::Text(words) => {
            // Its title and what is said about it have no place beside plain text.
            notes.emulate(at.as_str());
            text(a, words, part.cache.as_ref(), at, host, notes);
            true
        }
        // An id of OpenAI's own files; any other is another provider's.
        Source::File(id) if terms::is_openai(host) && id.starts_with("file-") => {
            marked(a, part, host, notes, |o| {
                o.str("type", "file").object("file", |o| {
                    o.str("file_id", id).str_if("filename", title);
                });
            });
            true
        }
        Source::File(_) => false,
        Source::Inline { .. } | Source::Url(_) => file(a, source, title, part, host, notes),
    };
    if written && context.is_some() {
        notes.drop(&at.key("context"));
    }
    if written && *citations == Some(true) {
        notes.drop(&at.key("citations"));
    }
    written
}

fn file(
    a: &mut Array<'_>,
    source: &Source,
    title: Option<&str>,
    part: &Part,
    host: &Host,
    notes: &mut Notes,
) -> bool {
    let Some(url) = url_of(source) else {
        return false;
    };
    if host.name == "mistral" {
        marked(a, part, host, notes, |o| {
            o.str("type", "document_url")
                .str("document_url", &url)
                .str_if("document_name", title);
        });
        return true;
    }
    // OpenAI fetches no documents in this dialect.
    if matches!(source, Source::Url(_)) && terms::is_openai(host) {
        return false;
    }
    marked(a, part, host, notes, |o| {
        o.str("type", "file").object("file", |o| {
            // A file in the body must have a name.
            o.str("filename", title.unwrap_or("document.pdf"))
                .str("file_data", &url);
        });
    });
    true
}
