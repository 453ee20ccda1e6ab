//! Reads whole answers: a response object becomes one choice.

use lintel_types::Usage;
use lintel_types::canon::{At, Choice, Part, PartKind, RawJson, Reply, Stop, StopReason};

use super::items;
use crate::dialect::{BadReply, Way};
use crate::hosts::Host;
use crate::json::{self, Node, write};
use crate::provider::openai_usage;
use crate::provider::read_error;

pub(super) fn read(body: &[u8], way: &Way) -> Result<Reply, BadReply> {
    let root = json::parse(body).map_err(|e| BadReply(e.to_string()))?;
    let status = text_of(root, "status").unwrap_or_default();
    if root.get("error").is_some_and(|e| !e.is_null()) || status == "failed" {
        return Err(BadReply(read_error(root.raw().as_bytes()).message));
    }
    if matches!(&*status, "queued" | "in_progress" | "cancelled") {
        return Err(BadReply(format!("the answer is {status}, not whole")));
    }
    let Some(output) = root.get("output") else {
        return Err(BadReply("the answer has no `output`".into()));
    };
    let at = At::new("$.output");
    let each = output.items().enumerate();
    let parts: Vec<Part> = each
        .flat_map(|(i, item)| items::output(item, &at.index(i)))
        .collect();
    let called = parts
        .iter()
        .any(|p| matches!(p.kind, PartKind::ToolCall(_)));
    let refused = parts.iter().any(|p| matches!(p.kind, PartKind::Refusal(_)));
    let stop = stop(root, called, refused);
    let (id, model, created) = head(root);
    Ok(Reply {
        id,
        model,
        created,
        choices: vec![Choice {
            parts,
            stop: Some(stop),
            logprobs: logprobs(output),
        }],
        usage: usage(root, way.host),
    })
}

fn text_of(node: Node<'_>, key: &str) -> Option<String> {
    let text = node.get(key)?.text()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// The id, the model and the time of a response object.
pub(super) fn head(response: Node<'_>) -> (Option<String>, Option<String>, Option<u64>) {
    // Some hosts give the time with a fraction.
    let seconds = |n: Node<'_>| n.u64().or_else(|| n.raw().split_once('.')?.0.parse().ok());
    let created = response.get("created_at").and_then(seconds);
    (
        text_of(response, "id"),
        text_of(response, "model"),
        created.filter(|c| *c > 0),
    )
}

/// The usage of a response object.
pub(super) fn usage(response: Node<'_>, host: &Host) -> Option<Usage> {
    let usage = response.get("usage").filter(|u| !u.is_null())?;
    openai_usage::read(usage, host.hidden_reasoning)
}

/// Why an answer ended. That tools are to be called shows in what it is made of only.
pub(super) fn stop(response: Node<'_>, called: bool, refused: bool) -> Stop {
    let status = text_of(response, "status").unwrap_or_else(|| "completed".into());
    let why = response.get("incomplete_details");
    let why = why.and_then(|d| text_of(d, "reason"));
    let reason = match why.as_deref() {
        Some("max_output_tokens" | "max_tokens") => StopReason::MaxTokens,
        Some("content_filter") => StopReason::ContentFilter,
        Some(_) => StopReason::Other,
        None if status == "incomplete" => StopReason::Other,
        None if called => StopReason::ToolUse,
        None if refused => StopReason::Refusal,
        None => StopReason::EndTurn,
    };
    Stop {
        reason,
        word: why.unwrap_or(status),
        sequence: None,
    }
}

/// The log probabilities of every text, in the form of chat completions.
fn logprobs(output: Node<'_>) -> Option<RawJson> {
    let texts = output.items().filter_map(|item| item.get("content"));
    let lists = texts.flat_map(|c| {
        c.items()
            .filter_map(|p| p.get("logprobs"))
            .collect::<Vec<_>>()
    });
    let mut any = false;
    let mut out = String::new();
    write::object(&mut out, |o| {
        o.array("content", |a| {
            for token in lists.flat_map(|l| l.items().collect::<Vec<_>>()) {
                a.raw(token.raw());
                any = true;
            }
        });
    });
    any.then(|| RawJson::new(out))
}
