//! Whole answers, both ways.

use lintel_types::Meter;
use lintel_types::Timestamp;
use lintel_types::canon::{At, Choice, Part, PartKind, Reply};
use lintel_types::time::days_from_civil;

use super::cite::{self, Cited};
use super::ids::Ids;
use super::read::{self, Of};
use super::say::{Said, Saying, put};
use super::{logprobs, stop, usage};
use crate::dialect::{BadReply, Encoded, Way};
use crate::json::write::{self, Object};
use crate::json::{self, Kind, Node};
use crate::provider::gemini::usage as reported;
use crate::surface::gemini_generate::{get, list};

/// Reads a whole answer.
pub(super) fn read(body: &[u8], way: &Way) -> Result<Reply, BadReply> {
    let root = json::parse(body).map_err(|e| BadReply(e.to_string()))?;
    if root.kind() != Kind::Object {
        return Err(BadReply("the answer is no JSON object".to_owned()));
    }
    let (id, model, created) = named(root);
    let mut reply = Reply {
        id,
        model,
        created,
        choices: Vec::new(),
        usage: get(root, "usageMetadata").and_then(reported::read),
    };
    let mut ids = Ids::of_reply(&way.id);
    let candidates = root.get("candidates");
    for (i, candidate) in candidates.iter().flat_map(Node::items).enumerate() {
        let at = At::new("$.candidates").index(i);
        reply.choices.push(choice(candidate, &at, &mut ids));
    }
    if reply.choices.is_empty() {
        reply.choices.push(unanswered(root)?);
    }
    Ok(reply)
}

/// An answer's id, model and time.
pub(super) fn named(root: Node<'_>) -> (Option<String>, Option<String>, Option<u64>) {
    let text = |key: &str| {
        let text = get(root, key).and_then(|n| n.text());
        text.filter(|t| !t.is_empty())
    };
    (
        text("responseId").map(|t| t.into_owned()),
        text("modelVersion").map(|t| t.into_owned()),
        text("createTime").and_then(|t| seconds(&t)),
    )
}

/// A time such as `2026-07-22T23:37:37.029264Z`, in seconds since 1970.
fn seconds(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u32>().ok();
    let (month, day) = (number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(i64::from(number(0..4)?), month, day);
    let of_day = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
    u64::try_from(days * 86_400 + i64::from(of_day)).ok()
}

/// A prompt that was blocked has no candidates; at Vertex AI not even the reason is always told.
fn unanswered(root: Node<'_>) -> Result<Choice, BadReply> {
    let reason = get(root, "promptFeedback")
        .and_then(|f| get(f, "blockReason"))
        .and_then(|r| r.text());
    let told = reason.is_some() || get(root, "usageMetadata").is_some();
    if !told {
        return Err(BadReply("the answer has no candidates".to_owned()));
    }
    let word = reason.as_deref().unwrap_or("BLOCK_REASON_UNSPECIFIED");
    Ok(Choice {
        stop: Some(stop::blocked(word)),
        ..Choice::default()
    })
}

fn choice(candidate: Node<'_>, at: &At, ids: &mut Ids) -> Choice {
    let mut choice = Choice::default();
    // Where each of Google's parts begins among ours.
    let mut begins = Vec::new();
    let place = at.key("content.parts");
    let nodes = candidate.get("content").and_then(|c| c.get("parts"));
    for (i, node) in nodes.into_iter().flat_map(list).enumerate() {
        begins.push(choice.parts.len());
        let parts = &mut choice.parts;
        read::part(node, &place.index(i), Of::Reply, ids, parts);
    }
    for found in cite::read(candidate) {
        cited(found, &begins, &mut choice.parts);
    }
    let calls = choice
        .parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::ToolCall(_)));
    let reason = get(candidate, "finishReason").and_then(|r| r.text());
    choice.stop = reason
        .filter(|r| !r.is_empty())
        .map(|r| stop::read(&r, calls));
    choice.logprobs = get(candidate, "logprobsResult").map(logprobs::read);
    choice
}

/// Puts a citation on the text that it names, or on the first one.
fn cited(found: cite::Found, begins: &[usize], parts: &mut [Part]) {
    let is_text = |p: &Part| matches!(p.kind, PartKind::Text { .. });
    let named = begins.get(found.part).copied();
    let named = named.filter(|i| parts.get(*i).is_some_and(is_text));
    let first = || parts.iter().position(is_text);
    let Some(at) = named.or_else(first) else {
        return;
    };
    if let Some(Part {
        kind: PartKind::Text { text, citations },
        ..
    }) = parts.get_mut(at)
    {
        let mut citation = found.citation;
        citation.span = cite::in_characters(found.bytes, text);
        if !citations.contains(&citation) {
            citations.push(citation);
        }
    }
}

/// Writes a whole answer.
pub(super) fn write(reply: &Reply, way: &Way) -> Encoded {
    let mut saying = Saying {
        answer: true,
        ..Saying::default()
    };
    let mut body = String::with_capacity(512);
    write::object(&mut body, |o| {
        o.array("candidates", |a| {
            for (index, choice) in reply.choices.iter().enumerate() {
                a.object(|c| candidate(choice, index as u64, &mut saying, c));
            }
        });
        if let Some(used) = &reply.usage {
            usage::write(used, o);
            // The dialect counts what was written to a cache as any other input.
            if used.get(Meter::CacheWrite5m) + used.get(Meter::CacheWrite1h) > 0 {
                saying.notes.emulate("$.usage");
            }
        }
        let created = reply.created.unwrap_or(way.now);
        name(
            reply.id.as_deref().unwrap_or(&way.id),
            reply.model.as_deref().unwrap_or(&way.model),
            created,
            o,
        );
    });
    Encoded {
        body: body.into_bytes(),
        notes: saying.notes,
        json_tool: false,
    }
}

/// Writes what names an answer.
pub(super) fn name(id: &str, model: &str, created: u64, o: &mut Object<'_>) {
    let millis = i64::try_from(created.saturating_mul(1_000)).unwrap_or(0);
    o.str("modelVersion", model)
        .str("createTime", &Timestamp::from_millis(millis).to_string())
        .str("responseId", id);
}

fn candidate(choice: &Choice, index: u64, saying: &mut Saying, o: &mut Object<'_>) {
    let mut parts: Vec<Said> = Vec::with_capacity(choice.parts.len());
    let mut citations: Vec<Cited<'_>> = Vec::new();
    for part in &choice.parts {
        let place = parts.len();
        saying.part(part, &mut parts);
        if let PartKind::Text {
            text,
            citations: of_text,
        } = &part.kind
        {
            citations.extend(of_text.iter().map(|c| (place, text.as_str(), c)));
            if !of_text.iter().all(cite::is_sayable) {
                saying.notes.drop(&part.at.key("citations"));
            }
        }
    }
    o.object("content", |c| {
        // As Google writes an answer without output.
        if !parts.is_empty() {
            c.array("parts", |a| put(&parts, a));
        }
        c.str("role", "model");
    });
    if let Some(stop) = &choice.stop {
        o.str("finishReason", stop::word(stop));
    }
    o.int("index", index);
    cite::write(&citations, o);
    if let Some(logprobs) = &choice.logprobs {
        logprobs::write(logprobs, o);
    }
}
