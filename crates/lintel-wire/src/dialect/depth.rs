//! How much to reason, in words and in tokens: dialects that count tokens and dialects that have words meet here.

/// Words in order, each with the budget that stands for it. A budget is given back as the first word that covers it.
const DEPTHS: [(&str, u64); 5] = [
    ("minimal", 1_024),
    ("low", 2_048),
    ("medium", 8_192),
    ("high", 24_576),
    ("xhigh", 32_768),
];

/// The budget, in tokens, that stands for an effort; a word that isn't known is taken for the middle one.
pub(crate) fn budget_of(effort: &str) -> u64 {
    let found = DEPTHS.iter().find(|(word, _)| *word == effort);
    found.map_or(8_192, |(_, budget)| *budget)
}

/// The effort that covers a budget. Never `minimal` or `xhigh`, which only some models know.
pub(crate) fn effort_of(budget: u64) -> &'static str {
    match budget {
        0..=2_048 => "low",
        2_049..=8_192 => "medium",
        _ => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_way_through_tokens() {
        for word in ["low", "medium", "high"] {
            assert_eq!(effort_of(budget_of(word)), word);
        }
        assert_eq!(budget_of("novel"), budget_of("medium"));
    }
}
