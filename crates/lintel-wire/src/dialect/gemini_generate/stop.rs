//! Why an answer ended, both ways. Google has no word for a stop at tools or at a sequence: both are `STOP`.

use lintel_types::canon::{Stop, StopReason};

/// Words of Google's that say that a filter, its own or the customer's, cut or blocked the answer.
const FILTERED: [&str; 12] = [
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "JAILBREAK",
    "BLOCK_REASON_UNSPECIFIED",
    "LANGUAGE",
];
/// Words that stand for something else again, and are given back as they are.
const OTHERS: [&str; 8] = [
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "NO_IMAGE",
    "IMAGE_OTHER",
];

/// Reads a `finishReason`; `calls`: the answer calls tools.
pub(super) fn read(word: &str, calls: bool) -> Stop {
    let reason = match word {
        "STOP" if calls => StopReason::ToolUse,
        "STOP" => StopReason::EndTurn,
        "MAX_TOKENS" => StopReason::MaxTokens,
        word if FILTERED.contains(&word) => StopReason::ContentFilter,
        // A word that isn't known says less than the calls that stand there.
        word if calls && !OTHERS.contains(&word) => StopReason::ToolUse,
        _ => StopReason::Other,
    };
    stop(reason, word)
}

/// Reads a `blockReason`: the prompt was not answered at all.
pub(super) fn blocked(word: &str) -> Stop {
    stop(StopReason::ContentFilter, word)
}

fn stop(reason: StopReason, word: &str) -> Stop {
    Stop {
        reason,
        word: word.to_owned(),
        sequence: None,
    }
}

/// The `finishReason` of a stop.
pub(super) fn word(stop: &Stop) -> &str {
    let own = |known: &[&str]| known.contains(&stop.word.as_str());
    match stop.reason {
        StopReason::EndTurn | StopReason::ToolUse | StopReason::StopSequence => "STOP",
        StopReason::MaxTokens => "MAX_TOKENS",
        StopReason::ContentFilter if own(&FILTERED) || own(&OTHERS) => &stop.word,
        StopReason::ContentFilter | StopReason::Refusal => "SAFETY",
        StopReason::Other if own(&OTHERS) => &stop.word,
        StopReason::Other | StopReason::Pause => "OTHER",
    }
}
