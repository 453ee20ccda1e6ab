//! A whole answer of a target.

use lintel_types::canon::{
    At, Choice, Part, PartKind, RawJson, Reply, Source, StopReason, ToolCall,
};

use super::super::super::media::source_of_url;
use super::super::super::{BadReply, JSON_TOOL, Way};
use super::super::{citation, stop, thought};
use super::call::{self, Ids};
use super::{parts, said};
use crate::json::{self, Kind, Node};
use crate::provider::openai::usage;
use crate::provider::read_error;

/// Reads a body.
pub(crate) fn read(body: &[u8], way: &Way) -> Result<Reply, BadReply> {
    let root = json::parse(body).map_err(|e| BadReply(e.to_string()))?;
    let choices = root.get("choices").filter(|c| c.kind() == Kind::Array);
    let Some(choices) = choices else {
        let erred = root.get("error").is_some_and(|e| !e.is_null());
        return Err(BadReply(if erred {
            read_error(body).message
        } else {
            "the answer has no `choices`".into()
        }));
    };
    let used = root.get("usage").or_else(|| root.at(&["x_groq", "usage"]));
    let mut reply = Reply {
        id: said(root, "id").map(|id| id.into_owned()),
        model: said(root, "model").map(|m| m.into_owned()),
        created: root.get("created").and_then(|c| c.u64()).filter(|c| *c > 0),
        choices: Vec::new(),
        usage: used.and_then(|u| usage::read(u, way.host.hidden_reasoning)),
    };
    let mut ids = Ids::new(format!("call_{}_", way.id));
    let at = At::new("$.choices");
    for (i, node) in choices.items().enumerate() {
        let mut choice = choice(node, &at.index(i), &mut ids);
        if way.json_tool {
            unwrap(&mut choice);
        }
        reply.choices.push(choice);
    }
    if let (Some(list), [only]) = (root.get("citations"), reply.choices.as_mut_slice()) {
        cite(&mut only.parts, citation::read_list(list));
    }
    Ok(reply)
}

fn choice(node: Node<'_>, at: &At, ids: &mut Ids) -> Choice {
    let parts = node
        .get("message")
        .map(|m| message(m, &at.key("message"), ids))
        .unwrap_or_default();
    let calls = parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::ToolCall(_)));
    let word = said(node, "finish_reason");
    // vLLM names the text at which it stopped.
    let sequence = said(node, "stop_reason").map(|s| s.into_owned());
    let logprobs = node.get("logprobs").filter(|l| l.kind() == Kind::Object);
    Choice {
        stop: Some(stop::read(word.as_deref(), sequence, calls)),
        logprobs: logprobs.map(|l| RawJson::new(l.raw())),
        parts,
    }
}

fn message(node: Node<'_>, at: &At, ids: &mut Ids) -> Vec<Part> {
    let mut out: Vec<Part> = thought::read(node, at).into_iter().collect();
    let content = node.get("content");
    if let Some(content) = content {
        // Content that is neither a string nor parts says nothing.
        let _ = parts::content(content, &at.key("content"), &mut out);
    }
    if let Some(notes) = node.get("annotations") {
        cite(&mut out, citation::read(notes));
    }
    if let Some(refusal) = said(node, "refusal") {
        let kind = PartKind::Refusal(refusal.into_owned());
        out.push(Part::new(kind, at.key("refusal")));
    }
    let images = node.get("images");
    let listed = images.iter().flat_map(Node::items).enumerate();
    out.extend(listed.filter_map(|(i, image)| parts::read(image, at.key("images").index(i))));
    if let Some(sound) = node.get("audio") {
        audio(sound, &at.key("audio"), &mut out);
    }
    let calls = node.get("tool_calls");
    let listed = calls.iter().flat_map(Node::items).enumerate();
    out.extend(listed.filter_map(|(i, c)| call::read(c, at.key("tool_calls").index(i), ids)));
    let legacy = node.get("function_call");
    if let Some(call) = legacy.and_then(|n| call::legacy(n, None, ids)) {
        out.push(Part::new(PartKind::ToolCall(call), at.key("function_call")));
    }
    out
}

/// Puts citations on the text that they are of.
fn cite(parts: &mut [Part], found: impl Iterator<Item = lintel_types::canon::Citation>) {
    let text = parts.iter_mut().find_map(|p| match &mut p.kind {
        PartKind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = text {
        citations.extend(found);
    }
}

/// An answer in sound: its words are text too, for clients without ears.
fn audio(node: Node<'_>, at: &At, out: &mut Vec<Part>) {
    if let Some(words) = said(node, "transcript") {
        out.push(Part::new(PartKind::text(words), at.key("transcript")));
    }
    if let Some(data) = said(node, "data") {
        let source = Source::Inline {
            media_type: parts::media_type("wav"),
            data: data.into_owned(),
        };
        out.push(Part::new(PartKind::Audio(source), at.clone()));
    }
}

/// Turns the call that stands in for a schema back into the text that was asked for.
fn unwrap(choice: &mut Choice) {
    let mut found = false;
    for part in &mut choice.parts {
        let PartKind::ToolCall(ToolCall {
            name, arguments, ..
        }) = &mut part.kind
        else {
            continue;
        };
        if name == JSON_TOOL {
            found = true;
            part.kind = PartKind::text(std::mem::take(arguments));
        }
    }
    let stop = choice.stop.as_mut().filter(|_| found);
    if let Some(stop) = stop.filter(|s| s.reason == StopReason::ToolUse) {
        stop.reason = StopReason::EndTurn;
    }
}

/// The image of one entry of a delta's `images`.
pub(super) fn image(node: Node<'_>) -> Option<PartKind> {
    let url = said(node.get("image_url")?, "url")?;
    Some(PartKind::Image {
        source: source_of_url(&url),
        detail: None,
    })
}
