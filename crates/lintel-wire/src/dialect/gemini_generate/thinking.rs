//! `thinkingConfig`, both ways. Models up to Gemini 2.5 count tokens, later ones have words.
//! <https://ai.google.dev/gemini-api/docs/thinking>

use lintel_types::canon::{Depth, ReasoningAsk, Set};

use crate::dialect::{Notes, depth};
use crate::json::Node;
use crate::json::write::Object;
use crate::surface::gemini_generate::get;

/// Reads `thinkingConfig`.
pub(super) fn read(config: Node<'_>) -> Set<ReasoningAsk> {
    let budget = get(config, "thinkingBudget").and_then(|b| b.raw().parse::<i64>().ok());
    let level = get(config, "thinkingLevel").and_then(|l| l.text());
    let word = level.map(|l| l.to_ascii_lowercase());
    let word = word.filter(|w| w != "thinking_level_unspecified");
    let depth = match (budget, word) {
        (Some(0), _) => Some(Depth::Off),
        (Some(budget), _) => Some(u64::try_from(budget).map_or(Depth::Auto, Depth::Budget)),
        (None, word) => word.map(Depth::Effort),
    };
    let ask = ReasoningAsk {
        depth,
        show: get(config, "includeThoughts").and_then(|i| i.bool()),
        summary: None,
    };
    Set::new(ask, "$.generationConfig.thinkingConfig")
}

/// Writes `thinkingConfig` for `model`.
pub(super) fn write(ask: &Set<ReasoningAsk>, model: &str, g: &mut Object<'_>, notes: &mut Notes) {
    let ReasoningAsk {
        depth,
        show,
        summary,
    } = &ask.value;
    let show = show.or(summary.as_ref().map(|_| true));
    // Google has one kind of summary.
    if summary.as_deref().is_some_and(|s| s != "auto") {
        notes.emulate(ask.at);
    }
    if depth.is_none() && show.is_none() {
        return;
    }
    g.object("thinkingConfig", |c| {
        match depth {
            None => {}
            Some(Depth::Off) => {
                c.int("thinkingBudget", 0);
            }
            Some(Depth::Auto) => {
                c.signed("thinkingBudget", -1);
            }
            Some(Depth::Budget(tokens)) => {
                c.int("thinkingBudget", *tokens);
            }
            Some(Depth::Effort(word)) if counts_tokens(model) => {
                notes.emulate(ask.at);
                c.int("thinkingBudget", depth::budget_of(word));
            }
            Some(Depth::Effort(word)) => {
                let level = match word.as_str() {
                    "minimal" => "MINIMAL",
                    "low" => "LOW",
                    "medium" => "MEDIUM",
                    "high" => "HIGH",
                    other => {
                        notes.emulate(ask.at);
                        if depth::budget_of(other) > depth::budget_of("medium") {
                            "HIGH"
                        } else {
                            "MEDIUM"
                        }
                    }
                };
                c.str("thinkingLevel", level);
            }
        }
        if let Some(show) = show {
            c.bool("includeThoughts", show);
        }
    });
}

/// Whether `model` is of the generations that know budgets alone.
fn counts_tokens(model: &str) -> bool {
    ["gemini-1", "gemini-2"].iter().any(|g| model.contains(g))
}

/// Whether `model` refuses a history whose calls lack their thought signature: Gemini 3 and later.
pub(super) fn demands_signatures(model: &str) -> bool {
    model.contains("gemini") && !counts_tokens(model)
}
