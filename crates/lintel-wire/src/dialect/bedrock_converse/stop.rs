//! Why an answer ended, both ways.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#bedrock-runtime_Converse-response-stopReason>

use lintel_types::canon::{Stop, StopReason};

use crate::json::Node;

/// Words, each with its meaning. The first word of a meaning stands for it.
const WORDS: [(&str, StopReason); 11] = [
    ("end_turn", StopReason::EndTurn),
    ("max_tokens", StopReason::MaxTokens),
    ("stop_sequence", StopReason::StopSequence),
    ("tool_use", StopReason::ToolUse),
    ("content_filtered", StopReason::ContentFilter),
    ("guardrail_intervened", StopReason::ContentFilter),
    ("model_context_window_exceeded", StopReason::MaxTokens),
    ("malformed_model_output", StopReason::Other),
    ("malformed_tool_use", StopReason::Other),
    ("refusal", StopReason::Refusal),
    ("pause_turn", StopReason::Pause),
];

/// Reads the stop of a reply, or of a `messageStop`.
pub(super) fn read(node: Node<'_>) -> Option<Stop> {
    let word = node.get("stopReason")?.text().filter(|w| !w.is_empty())?;
    let found = WORDS.iter().find(|(w, _)| *w == word);
    // The text that stopped it is among the model's own fields, where the client asked for it.
    let own = node.get("additionalModelResponseFields");
    let sequence = own.and_then(|o| {
        let inner = o.at(&["delta", "stop_sequence"]);
        inner.or_else(|| o.get("stop_sequence"))?.text()
    });
    Some(Stop {
        reason: found.map_or(StopReason::Other, |(_, reason)| *reason),
        word: word.into_owned(),
        sequence: sequence.map(|s| s.into_owned()),
    })
}

/// The word for a stop: one that SDKs know.
pub(super) fn word(stop: Option<&Stop>, has_calls: bool) -> &'static str {
    let Some(stop) = stop else {
        return if has_calls { "tool_use" } else { "end_turn" };
    };
    match stop.reason {
        StopReason::Refusal => "content_filtered",
        StopReason::Pause => "end_turn",
        reason => {
            let same = WORDS.iter().find(|(w, r)| *w == stop.word && *r == reason);
            let own = same.or_else(|| WORDS.iter().find(|(_, r)| *r == reason));
            own.filter(|_| reason != StopReason::Other || same.is_some())
                .map_or("end_turn", |(w, _)| w)
        }
    }
}

/// A stop after the call of the tool that stands in for a schema: the turn has ended.
pub(super) fn without_json_tool(stop: &mut Stop, other_calls: bool) {
    if stop.reason == StopReason::ToolUse && !other_calls {
        stop.reason = StopReason::EndTurn;
        stop.word = "end_turn".to_owned();
    }
}
