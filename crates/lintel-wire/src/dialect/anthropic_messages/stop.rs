//! Why an answer ended: this dialect's words and the canonical ones.
//! <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>

use lintel_types::canon::{Stop, StopReason};

/// Words of this dialect; the first of a reason is the one that is written for it.
const WORDS: [(&str, StopReason); 8] = [
    ("end_turn", StopReason::EndTurn),
    ("max_tokens", StopReason::MaxTokens),
    ("model_context_window_exceeded", StopReason::MaxTokens),
    ("stop_sequence", StopReason::StopSequence),
    ("tool_use", StopReason::ToolUse),
    ("pause_turn", StopReason::Pause),
    ("refusal", StopReason::Refusal),
    ("refusal", StopReason::ContentFilter),
];

/// What `word` means. An empty word says nothing.
pub(super) fn read(word: &str, sequence: Option<&str>) -> Option<Stop> {
    if word.is_empty() {
        return None;
    }
    let known = WORDS.iter().find(|(w, _)| *w == word);
    Some(Stop {
        reason: known.map_or(StopReason::Other, |(_, reason)| *reason),
        word: word.to_owned(),
        sequence: sequence.map(str::to_owned),
    })
}

/// The word for `stop`, in an answer that calls tools or not. SDKs demand one of the words that they know.
pub(super) fn word(stop: Option<&Stop>, calls: bool) -> &'static str {
    let reason = stop.map_or(StopReason::EndTurn, |s| s.reason);
    let said = stop.map_or("", |s| s.word.as_str());
    if let Some((word, _)) = WORDS.iter().find(|(w, r)| *w == said && *r == reason) {
        return word;
    }
    let word = WORDS.iter().find(|(_, r)| *r == reason);
    match word.map_or("end_turn", |(w, _)| *w) {
        // Some dialects end a turn that calls tools like any other.
        "end_turn" if calls => "tool_use",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_and_foreign_ones_become_known() {
        for (said, _) in WORDS {
            assert_eq!(word(read(said, None).as_ref(), false), said);
        }
        assert_eq!(read("", None), None);
        let novel = read("novel", None);
        assert_eq!(novel.as_ref().map(|s| s.reason), Some(StopReason::Other));
        assert_eq!(word(novel.as_ref(), false), "end_turn");
        assert_eq!(word(None, true), "tool_use");
        let filtered = Stop {
            reason: StopReason::ContentFilter,
            word: "content_filter".into(),
            sequence: None,
        };
        assert_eq!(word(Some(&filtered), false), "refusal");
    }
}
