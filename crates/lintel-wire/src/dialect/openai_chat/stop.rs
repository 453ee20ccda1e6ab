//! Why an answer ended, in this dialect's words and in canonical ones.

use lintel_types::canon::{Stop, StopReason};

/// What `finish_reason` says; none when the host said nothing or `""`.
///
/// An answer with calls was stopped by them, whatever the word: a call that was forced by name ends with
/// `stop` at OpenAI, and some hosts never say `tool_calls`.
pub(super) fn read(word: Option<&str>, sequence: Option<String>, calls: bool) -> Stop {
    let word = word.unwrap_or_default();
    let reason = match word {
        "" | "stop" | "eos" | "end_turn" if calls => StopReason::ToolUse,
        "stop" if sequence.is_some() => StopReason::StopSequence,
        "" | "stop" | "eos" | "end_turn" => StopReason::EndTurn,
        "length" | "max_tokens" | "model_length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "content_filter" => StopReason::ContentFilter,
        _ => StopReason::Other,
    };
    Stop {
        reason,
        word: word.to_owned(),
        sequence,
    }
}

/// The word that the official SDKs know.
pub(super) fn word(stop: Option<&Stop>, calls: bool) -> &'static str {
    match stop.map(|s| s.reason) {
        Some(StopReason::MaxTokens) => "length",
        Some(StopReason::ToolUse) => "tool_calls",
        Some(StopReason::ContentFilter | StopReason::Refusal) => "content_filter",
        None if calls => "tool_calls",
        _ => "stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_hosts_become_canonical_and_openais() {
        let check = |word: &str, calls: bool, reason: StopReason, ours: &str| {
            let stop = read(Some(word), None, calls);
            assert_eq!(
                (stop.reason, super::word(Some(&stop), calls)),
                (reason, ours)
            );
            assert_eq!(stop.word, word);
        };
        check("stop", false, StopReason::EndTurn, "stop");
        check("stop", true, StopReason::ToolUse, "tool_calls");
        check("", true, StopReason::ToolUse, "tool_calls");
        check("", false, StopReason::EndTurn, "stop");
        check("length", true, StopReason::MaxTokens, "length");
        check("model_length", false, StopReason::MaxTokens, "length");
        check("function_call", true, StopReason::ToolUse, "tool_calls");
        check(
            "content_filter",
            false,
            StopReason::ContentFilter,
            "content_filter",
        );
        check("error", false, StopReason::Other, "stop");
        let cut = read(Some("stop"), Some("END".into()), false);
        assert_eq!(cut.reason, StopReason::StopSequence);
        assert_eq!(
            (word(None, true), word(None, false)),
            ("tool_calls", "stop")
        );
    }
}
