//! What becomes of settings that only some models behind Bedrock have: thinking, and the shape of the answer.

use lintel_types::canon::{Depth, Format, JsonSchema, Request, Settings};

use super::model::Model;
use crate::dialect::Notes;
use crate::dialect::depth::budget_of;

/// The least and, for a word that isn't said, the usual number of tokens to think.
const LEAST: u64 = 1_024;

/// How an answer's schema is asked for.
pub(super) enum Shape<'r> {
    /// There is none.
    None,
    /// By a setting.
    Native(&'r JsonSchema),
    /// By a tool that must be called.
    Tool(&'r JsonSchema),
}

impl<'r> Shape<'r> {
    /// Decides it.
    pub(super) fn of(request: &'r Request, model: Model<'_>, notes: &mut Notes) -> Self {
        let Some(set) = &request.settings.format else {
            return Shape::None;
        };
        match &set.value {
            Format::Text => Shape::None,
            Format::JsonObject => {
                notes.drop_path(set.at);
                Shape::None
            }
            Format::JsonSchema(schema) if model.takes_schema() => Shape::Native(schema),
            Format::JsonSchema(schema) => {
                notes.emulate(set.at);
                Shape::Tool(schema)
            }
        }
    }
}

/// What is told a Claude of thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Thinking<'r> {
    /// Nothing.
    Unsaid,
    /// Not to.
    Off,
    /// At most this many tokens.
    Budget(u64),
    /// As it sees fit, with a word on how much; and whether to show it, where the client said so.
    Adaptive(Option<&'r str>, Option<bool>),
}

impl<'r> Thinking<'r> {
    /// Decides it. A model that must call a tool may not think.
    pub(super) fn of(
        request: &'r Request,
        model: Model<'_>,
        forced: bool,
        notes: &mut Notes,
    ) -> Self {
        let settings = &request.settings;
        let Some(set) = &settings.reasoning else {
            return Thinking::Unsaid;
        };
        let ask = &set.value;
        if ask.depth.is_none() && ask.show.is_none() && ask.summary.is_none() {
            return Thinking::Unsaid;
        }
        if !model.thinks() || forced && ask.depth != Some(Depth::Off) {
            notes.drop_path(set.at);
            return Thinking::Unsaid;
        }
        let depth = ask.depth.as_ref().unwrap_or(&Depth::Auto);
        let adaptive = model.adapts();
        if ask.summary.is_some() || !adaptive && ask.show == Some(false) {
            notes.emulate(set.at);
        }
        match depth {
            Depth::Off => Thinking::Off,
            Depth::Auto if adaptive => Thinking::Adaptive(None, ask.show),
            Depth::Effort(word) if adaptive => {
                let known = match word.as_str() {
                    "minimal" => "low",
                    "xhigh" => "high",
                    word => word,
                };
                if known != word {
                    notes.emulate(set.at);
                }
                Thinking::Adaptive(Some(known), ask.show)
            }
            Depth::Budget(_) if !model.takes_budget() => {
                notes.emulate(set.at);
                Thinking::Adaptive(None, ask.show)
            }
            Depth::Budget(budget) => fit(*budget, settings, set.at, notes),
            Depth::Auto => {
                notes.emulate(set.at);
                fit(budget_of("medium"), settings, set.at, notes)
            }
            Depth::Effort(word) => {
                notes.emulate(set.at);
                fit(budget_of(word), settings, set.at, notes)
            }
        }
    }

    /// Whether it thinks: then the sampler is its own.
    pub(super) fn is_on(&self) -> bool {
        matches!(self, Thinking::Budget(_) | Thinking::Adaptive(..))
    }
}

/// A budget within what is allowed: at least the least, and less than the whole output.
fn fit<'r>(budget: u64, settings: &Settings, at: &str, notes: &mut Notes) -> Thinking<'r> {
    let most = settings.max_output.as_ref().map(|m| m.value);
    let wanted = budget.max(LEAST);
    let fitting = most.map_or(wanted, |most| wanted.min(most.saturating_sub(1)));
    if fitting < LEAST {
        notes.drop_path(at);
        return Thinking::Unsaid;
    }
    if fitting != budget {
        notes.emulate(at);
    }
    Thinking::Budget(fitting)
}
