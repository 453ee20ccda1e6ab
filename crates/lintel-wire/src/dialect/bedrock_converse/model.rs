//! What differs between the families of models that Converse serves, told by the model's id.
//!
//! Ids carry a region or `global` in front (`us.anthropic.claude-…`), or are resource names that end in one.
//! An id that says nothing of its family is taken for one without the extras.

use std::borrow::Cow;

/// The longest id of a call.
const LONGEST_ID: usize = 64;

/// Facts of one model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a>(pub(super) &'a str);

/// Families whose answers follow a schema natively.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
const SCHEMAS: &[&str] = &[
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "claude-opus-4-5",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "qwen.qwen3",
    "deepseek.v3",
    "google.gemma-3",
    "minimax.minimax-m2",
    "mistral.mistral-large-3",
    "mistral.ministral-3",
    "mistral.magistral",
    "moonshot.kimi-k2",
    "moonshotai.kimi-k2",
    "nvidia.nemotron-nano",
    "openai.gpt-oss",
];

impl Model<'_> {
    fn is_any(self, words: &[&str]) -> bool {
        words.iter().any(|w| self.0.contains(w))
    }

    /// One of Anthropic's, whose own fields may be passed through.
    pub(super) fn is_claude(self) -> bool {
        self.is_any(&["anthropic.claude"])
    }

    /// A Claude that can think.
    pub(super) fn thinks(self) -> bool {
        const BEFORE: &[&str] = &[
            "claude-3-5",
            "claude-3-haiku",
            "claude-3-sonnet",
            "claude-3-opus",
            "claude-v2",
            "claude-instant",
        ];
        self.is_claude() && !self.is_any(BEFORE)
    }

    /// A Claude that decides by itself how much to think, given a word.
    pub(super) fn adapts(self) -> bool {
        self.is_any(&["claude-sonnet-4-6", "claude-opus-4-6", "claude-opus-4-7"])
    }

    /// A Claude that takes a number of tokens to think.
    pub(super) fn takes_budget(self) -> bool {
        self.thinks() && !self.is_any(&["claude-opus-4-7"])
    }

    /// Whether prompts can be marked for the cache. A resource name doesn't tell; it is believed.
    pub(super) fn caches(self) -> bool {
        self.is_claude() || self.is_any(&["amazon.nova"]) || self.0.starts_with("arn:")
    }

    /// An id of a call that the model takes: Bedrock lets dots and colons pass, Claudes don't. What is random in
    /// an id stands at its end.
    pub(super) fn tool_id(self, id: &str) -> Cow<'_, str> {
        let claude = self.is_claude();
        let fine = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !claude && matches!(c, '.' | ':')
        };
        if id.len() <= LONGEST_ID && id.chars().all(fine) {
            return Cow::Borrowed(id);
        }
        let replaced: Vec<char> = id.chars().map(|c| if fine(c) { c } else { '_' }).collect();
        let skip = replaced.len().saturating_sub(LONGEST_ID);
        Cow::Owned(replaced.into_iter().skip(skip).collect())
    }

    /// Whether an answer's schema is a native setting, and a tool's may be strict.
    pub(super) fn takes_schema(self) -> bool {
        self.is_any(SCHEMAS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_the_family_whatever_stands_before() {
        let sonnet = Model("us.anthropic.claude-sonnet-4-6");
        assert!(sonnet.thinks() && sonnet.adapts() && sonnet.takes_budget() && sonnet.caches());
        let old = Model("anthropic.claude-3-haiku-20240307-v1:0");
        assert!(old.is_claude() && !old.thinks() && !old.takes_schema());
        assert!(Model("us.amazon.nova-lite-v1:0").caches());
        assert!(Model("qwen.qwen3-32b-v1:0").takes_schema());
        assert!(!Model("meta.llama3").caches());
    }

    #[test]
    fn ids_of_calls_are_such_as_the_model_takes() {
        let id = "functions.f:0";
        assert_eq!(Model("moonshot.kimi-k2").tool_id(id), id);
        let sonnet = Model("us.anthropic.claude-sonnet-4-6");
        assert_eq!(sonnet.tool_id(id), "functions_f_0");
        assert_eq!(
            sonnet.tool_id(&format!("a{}", "x".repeat(64))),
            "x".repeat(64)
        );
    }
}
