//! Writes messages as input items for a target.
//!
//! What another protocol has sealed, and reasoning that came from elsewhere, is left out and named: it is no prompt.
//! File ids are left out too: a translated call goes to a provider that doesn't know them.

use std::collections::HashSet;

use lintel_types::canon::{
    Citation, Message, Part, PartKind, Reasoning, Role, Source, ToolCall, ToolResult,
};

use crate::dialect::Notes;
use crate::dialect::media::url_of;
use crate::json::write::{self, Array, Object};
use crate::provider::OPENAI;

/// Writes `messages` as items.
pub(super) fn write(messages: &[Message], a: &mut Array<'_>, notes: &mut Notes) {
    let mut custom = HashSet::new();
    for message in messages {
        if message.name.is_some() {
            notes.drop(&message.at.key("name"));
        }
        let mut parts = message.parts.as_slice();
        while let Some((first, rest)) = parts.split_first() {
            let run = match &first.kind {
                PartKind::Reasoning(reasoning) => reasoning_item(reasoning, parts, a, notes),
                PartKind::ToolCall(call) => {
                    if call.custom {
                        custom.insert(call.id.as_str());
                    }
                    call_item(call, first, a, notes);
                    1
                }
                PartKind::ToolResult(result) => {
                    let custom = custom.contains(result.call_id.as_str());
                    result_item(result, custom, first, a, notes);
                    1
                }
                PartKind::Opaque {
                    kind,
                    protocol,
                    raw,
                } if *protocol == OPENAI && is_item(kind) => {
                    a.raw(raw.as_str());
                    1
                }
                _ => message_item(message.role, parts, a, notes),
            };
            // A run is never empty: `rest` is the least that is left.
            parts = parts.get(run.max(1)..).unwrap_or(rest);
        }
    }
}

/// Whether a raw thing of the protocol's is an item of this dialect's. Chat completions have raw parts too.
pub(super) fn is_item(kind: &str) -> bool {
    let ends = ["_call", "_output", "_tools", "_request", "_response"];
    kind == "compaction" || (ends.iter().any(|e| kind.ends_with(e)) && !is_content(kind))
}

fn is_content(kind: &str) -> bool {
    kind.starts_with("input_") || kind.starts_with("output_")
}

fn note_cache(part: &Part, notes: &mut Notes) {
    if part.cache.is_some() {
        // Prefixes are cached unasked; a mark can't be set at every model.
        notes.drop(&part.at.key("cache_control"));
    }
}

/// Writes the reasoning item that the first of `parts` begins; says how many parts it took.
fn reasoning_item(
    first: &Reasoning,
    parts: &[Part],
    a: &mut Array<'_>,
    notes: &mut Notes,
) -> usize {
    let foreign = first.seal.as_ref().is_some_and(|s| s.protocol != OPENAI);
    let (Some(id), false) = (&first.id, foreign) else {
        parts.iter().take(1).for_each(|p| notes.drop(&p.at));
        return 1;
    };
    let run = same_item(parts);
    let group = || {
        parts.iter().take(run).filter_map(|p| match &p.kind {
            PartKind::Reasoning(r) => Some(r),
            _ => None,
        })
    };
    let texts = |summary: bool| group().filter(move |r| r.summary == summary && !r.text.is_empty());
    let seal = group().find_map(|r| r.seal.as_ref());
    a.object(|o| {
        o.str("type", "reasoning").str("id", id);
        o.array("summary", |a| {
            texts(true).for_each(|r| typed_text(a, "summary_text", &r.text));
        });
        if texts(false).next().is_some() {
            o.array("content", |a| {
                texts(false).for_each(|r| typed_text(a, "reasoning_text", &r.text));
            });
        }
        o.str_if("encrypted_content", seal.map(|s| s.data.as_str()));
    });
    run
}

/// How many of `parts` are texts of one reasoning item: they share its id, and its seal is the last one's.
pub(super) fn same_item(parts: &[Part]) -> usize {
    let mut id: Option<&Option<String>> = None;
    let mut run = 0;
    for part in parts {
        let PartKind::Reasoning(r) = &part.kind else {
            break;
        };
        if id.is_some_and(|id| *id != r.id || r.id.is_none()) {
            break;
        }
        id = Some(&r.id);
        run += 1;
        if r.seal.is_some() {
            break;
        }
    }
    run
}

fn typed_text(a: &mut Array<'_>, kind: &str, text: &str) {
    a.object(|o| {
        o.str("type", kind).str("text", text);
    });
}

fn call_item(call: &ToolCall, part: &Part, a: &mut Array<'_>, notes: &mut Notes) {
    note_cache(part, notes);
    if call.seal.is_some() {
        notes.drop(&part.at);
    }
    a.object(|o| {
        let (kind, input) = call_words(call.custom);
        o.str("type", kind).str("call_id", &call.id);
        o.str("name", &call.name).str(input, &call.arguments);
    });
}

/// The type of a call's item, and the member that holds its input.
pub(super) fn call_words(custom: bool) -> (&'static str, &'static str) {
    if custom {
        ("custom_tool_call", "input")
    } else {
        ("function_call", "arguments")
    }
}

fn result_item(
    result: &ToolResult,
    custom: bool,
    part: &Part,
    a: &mut Array<'_>,
    notes: &mut Notes,
) {
    note_cache(part, notes);
    if result.is_error {
        notes.drop(&part.at.key("is_error"));
    }
    a.object(|o| {
        let kind = if custom {
            "custom_tool_call_output"
        } else {
            "function_call_output"
        };
        o.str("type", kind).str("call_id", &result.call_id);
        content("output", Role::Tool, &result.parts, o, notes);
    });
}

/// Writes the message item that the first of `parts` begins; says how many parts it took.
fn message_item(role: Role, parts: &[Part], a: &mut Array<'_>, notes: &mut Notes) -> usize {
    let run = parts.iter().take_while(|p| in_message(&p.kind)).count();
    let parts = parts.get(..run).unwrap_or_default();
    let sayable: Vec<&Part> = parts.iter().filter(|p| said_in(role, p)).collect();
    let unsaid = parts.iter().filter(|p| !said_in(role, p));
    unsaid.for_each(|p| notes.drop(&p.at));
    if sayable.is_empty() {
        return run;
    }
    a.object(|o| {
        o.str("type", "message").str(
            "role",
            match role {
                Role::System => "system",
                Role::Developer => "developer",
                Role::Assistant => "assistant",
                Role::User | Role::Tool => "user",
            },
        );
        // One run of parts, in order: what was left out has been named.
        list_or_text("content", role, &sayable, o, notes);
    });
    run
}

fn in_message(kind: &PartKind) -> bool {
    match kind {
        PartKind::Reasoning(_) | PartKind::ToolCall(_) | PartKind::ToolResult(_) => false,
        PartKind::Opaque { kind, protocol, .. } => *protocol != OPENAI || !is_item(kind),
        _ => true,
    }
}

/// Whether `part` has a form in a message of `role`.
fn said_in(role: Role, part: &Part) -> bool {
    let model = role == Role::Assistant;
    match &part.kind {
        PartKind::Text { .. } => true,
        PartKind::Refusal(_) => model,
        PartKind::Image { source, .. } => !model && url_of(source).is_some(),
        PartKind::Audio(source) => !model && matches!(source, Source::Inline { .. }),
        PartKind::Document { source, .. } => !model && !matches!(source, Source::File(_)),
        PartKind::Opaque { kind, protocol, .. } => *protocol == OPENAI && is_content(kind),
        _ => false,
    }
}

fn content(key: &str, role: Role, parts: &[Part], o: &mut Object<'_>, notes: &mut Notes) {
    let sayable: Vec<&Part> = parts.iter().filter(|p| said_in(role, p)).collect();
    let unsaid = parts.iter().filter(|p| !said_in(role, p));
    unsaid.for_each(|p| notes.drop(&p.at));
    list_or_text(key, role, &sayable, o, notes);
}

/// One plain text is a string, as every host takes it; anything else a list.
fn list_or_text(key: &str, role: Role, parts: &[&Part], o: &mut Object<'_>, notes: &mut Notes) {
    parts.iter().for_each(|p| note_cache(p, notes));
    match parts {
        [] => {
            o.str(key, "");
        }
        [
            Part {
                kind: PartKind::Text { text, citations },
                ..
            },
        ] if citations.is_empty() => {
            o.str(key, text);
        }
        parts => {
            o.array(key, |a| {
                parts.iter().for_each(|p| content_part(role, p, a, notes));
            });
        }
    }
}

fn content_part(role: Role, part: &Part, a: &mut Array<'_>, notes: &mut Notes) {
    match &part.kind {
        PartKind::Text { text, citations } if role == Role::Assistant => {
            a.object(|o| {
                o.str("type", "output_text").str("text", text);
                o.array("annotations", |a| annotations(citations, part, a, notes));
            });
        }
        PartKind::Text { text, citations } => {
            if !citations.is_empty() {
                notes.drop(&part.at.key("citations"));
            }
            typed_text(a, "input_text", text);
        }
        PartKind::Refusal(text) => {
            a.object(|o| {
                o.str("type", "refusal").str("refusal", text);
            });
        }
        PartKind::Image { source, detail } => {
            a.object(|o| {
                o.str("type", "input_image");
                o.str_if("image_url", url_of(source).as_deref());
                o.str_if("detail", detail.as_deref());
            });
        }
        PartKind::Audio(Source::Inline { media_type, data }) => {
            a.object(|o| {
                o.str("type", "input_audio").object("input_audio", |o| {
                    o.str("data", data).str("format", audio_format(media_type));
                });
            });
        }
        PartKind::Document { .. } => document(part, a, notes),
        PartKind::Opaque { raw, .. } => {
            a.raw(raw.as_str());
        }
        _ => {}
    }
}

fn document(part: &Part, a: &mut Array<'_>, notes: &mut Notes) {
    let PartKind::Document {
        source,
        title,
        context,
        citations,
    } = &part.kind
    else {
        return;
    };
    if context.is_some() {
        notes.drop(&part.at.key("context"));
    }
    if *citations == Some(true) {
        notes.drop(&part.at.key("citations"));
    }
    match source {
        Source::Text(text) => {
            // Files are pages here; plain text is plain text.
            notes.emulate(part.at.as_str());
            typed_text(a, "input_text", text);
        }
        Source::Url(url) => {
            a.object(|o| {
                o.str("type", "input_file").str("file_url", url);
                o.str_if("filename", title.as_deref());
            });
        }
        source => {
            a.object(|o| {
                o.str("type", "input_file");
                o.str("filename", title.as_deref().unwrap_or("document.pdf"));
                o.str_if("file_data", url_of(source).as_deref());
            });
        }
    }
}

fn audio_format(media_type: &str) -> &str {
    match media_type.strip_prefix("audio/").unwrap_or(media_type) {
        "mpeg" => "mp3",
        "x-wav" | "wave" => "wav",
        format => format,
    }
}

/// Writes what can be written of citations.
fn annotations(citations: &[Citation], part: &Part, a: &mut Array<'_>, notes: &mut Notes) {
    for citation in citations {
        match annotation(citation) {
            Some(json) => {
                a.raw(&json);
            }
            None => notes.drop(&part.at.key("citations")),
        }
    }
}

/// A citation as this dialect's annotation; none for one of another protocol that cites no page.
pub(super) fn annotation(citation: &Citation) -> Option<String> {
    let raw = citation.raw.as_str();
    // OpenAI's other dialect has the address inside, and hosts have bare addresses.
    if citation.protocol == OPENAI && raw.starts_with('{') && !raw.contains("\"url_citation\":") {
        return Some(raw.to_owned());
    }
    let url = citation.url.as_deref()?;
    let (start, end) = citation.span.unwrap_or((0, 0));
    let mut out = String::new();
    write::object(&mut out, |o| {
        o.str("type", "url_citation").str("url", url);
        o.str("title", citation.title.as_deref().unwrap_or(url));
        o.int("start_index", start).int("end_index", end);
    });
    Some(out)
}
