//! Parts of a message's content. A part of a kind that isn't known, or that lacks what its kind needs, is opaque.

use lintel_types::Error;
use lintel_types::canon::{At, CacheMark, Part, PartKind, RawJson, Reasoning, Source};

use super::super::super::media::source_of_url;
use super::super::thought;
use super::said;
use crate::json::{Kind, Node};
use crate::provider::OPENAI;
use crate::surface::bad_field;

/// Reads a message's `content` to the end of `out`: a string, parts, or nothing.
pub(super) fn content(node: Node<'_>, at: &At, out: &mut Vec<Part>) -> Result<(), Error> {
    match node.kind() {
        Kind::Null => {}
        Kind::String => {
            let text = node
                .text()
                .ok_or_else(|| bad_field(at.as_str(), "valid text"))?;
            if !text.is_empty() {
                out.push(Part::new(PartKind::text(text), at.clone()));
            }
        }
        Kind::Array => {
            let parts = node.items().enumerate();
            out.extend(parts.filter_map(|(i, part)| read(part, at.index(i))));
        }
        _ => return Err(bad_field(at.as_str(), "a string or an array of parts")),
    }
    Ok(())
}

/// One part; none for one that says nothing.
pub(super) fn read(node: Node<'_>, at: At) -> Option<Part> {
    if let Some(text) = node.text() {
        return (!text.is_empty()).then(|| Part::new(PartKind::text(text), at));
    }
    let kind = said(node, "type").unwrap_or_default();
    let cache = cache(node);
    let known = known(node, &kind).unwrap_or_else(|| PartKind::Opaque {
        kind: kind.into_owned(),
        protocol: OPENAI,
        raw: RawJson::new(node.raw()),
    });
    let silent = matches!(&known, PartKind::Text { text, .. } if text.is_empty());
    (!silent || cache.is_some()).then_some(Part {
        kind: known,
        cache,
        at,
    })
}

fn known(node: Node<'_>, kind: &str) -> Option<PartKind> {
    Some(match kind {
        "text" => PartKind::text(node.get("text")?.text()?),
        "refusal" => PartKind::Refusal(said(node, "refusal")?.into_owned()),
        "image_url" => PartKind::Image {
            source: address(node, "image_url")?,
            detail: node
                .get("image_url")
                .and_then(|i| said(i, "detail"))
                .map(|d| d.into_owned()),
        },
        "video_url" => PartKind::Video(address(node, "video_url")?),
        "input_audio" => PartKind::Audio(audio(node.get("input_audio")?)?),
        "file" => file(node.get("file")?)?,
        // Mistral's documents.
        "document_url" => document(
            address(node, "document_url")?,
            said(node, "document_name").map(|n| n.into_owned()),
        ),
        "thinking" => PartKind::Reasoning(Reasoning {
            text: thought::of_part(node)?,
            ..Reasoning::default()
        }),
        _ => return None,
    })
}

/// A URL, as `{"url":…}` or, at Mistral, as a string.
fn address(node: Node<'_>, key: &str) -> Option<Source> {
    let inside = node.get(key)?;
    let url = inside.text().or_else(|| said(inside, "url"))?;
    Some(source_of_url(&url))
}

fn audio(node: Node<'_>) -> Option<Source> {
    let data = said(node, "data")?;
    if data.contains(':') {
        return Some(source_of_url(&data));
    }
    let format = said(node, "format").unwrap_or_else(|| "wav".into());
    Some(Source::Inline {
        media_type: media_type(&format),
        data: data.into_owned(),
    })
}

/// The media type of one of OpenAI's audio formats.
pub(super) fn media_type(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".into(),
        other => format!("audio/{other}"),
    }
}

fn file(node: Node<'_>) -> Option<PartKind> {
    let title = said(node, "filename").map(|t| t.into_owned());
    if let Some(id) = said(node, "file_id") {
        return Some(document(Source::File(id.into_owned()), title));
    }
    let data = said(node, "file_data")?;
    let source = if data.contains(':') {
        source_of_url(&data)
    } else {
        Source::Inline {
            media_type: "application/pdf".into(),
            data: data.into_owned(),
        }
    };
    Some(document(source, title))
}

fn document(source: Source, title: Option<String>) -> PartKind {
    PartKind::Document {
        source,
        title,
        context: None,
        citations: None,
    }
}

/// A prompt-cache breakpoint: Anthropic's, which OpenRouter and others pass on, or OpenAI's own.
pub(super) fn cache(node: Node<'_>) -> Option<CacheMark> {
    let mark = |key: &str| node.get(key).filter(|m| m.kind() == Kind::Object);
    let ttl = |m: Node<'_>| said(m, "ttl").map(|t| t.into_owned());
    mark("cache_control")
        .map(|m| CacheMark { ttl: ttl(m) })
        .or_else(|| mark("prompt_cache_breakpoint").map(|_| CacheMark { ttl: None }))
}
