//! How long the answer may be and how much the model is to think: the API ties the two together, and each
//! generation of models is asked in another way. <https://platform.claude.com/docs/en/build-with-claude/thinking>

use lintel_types::canon::{Depth, ReasoningAsk, Request, Set};

use super::super::{Notes, depth};
use super::models::{Model, Off, Thinking};
use crate::json::write::Object;

/// The least budget that the API takes.
const LEAST_BUDGET: u64 = 1_024;

/// What is left for the answer beside a budget when the client set no cap.
const ANSWER: u64 = 8_192;

/// What is written of caps and thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Output {
    /// `max_tokens`.
    pub(super) cap: u64,
    thinking: Option<Ask>,
    /// `output_config.effort`.
    pub(super) effort: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Budget { tokens: u64, show: Option<bool> },
    Adaptive { show: Option<bool> },
    Disabled,
    BetweenTools,
}

/// What else of a request bears on thinking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// The model must call a tool.
    pub(super) forced: bool,
    /// See [`super::turns::Turns::thoughtless_loop`].
    pub(super) thoughtless: bool,
}

/// What is written of the caps and the reasoning of `request` for `model`.
pub(super) fn plan(
    request: &Request,
    model: &Model,
    circumstances: Circumstances,
    notes: &mut Notes,
) -> Output {
    let asked = request.settings.max_output.as_ref();
    if let Some(over) = asked.filter(|max| max.value > model.cap) {
        notes.emulate(over.at);
    }
    let mut output = Output {
        cap: asked.map_or(model.default_output(), |max| max.value.min(model.cap)),
        thinking: None,
        effort: None,
    };
    if let Some(reasoning) = &request.settings.reasoning {
        output.think(reasoning, model, notes);
        output.fit(reasoning, asked.is_none(), model, circumstances, notes);
    }
    output
}

impl Output {
    /// Whether the model is told to think, which excludes most sampling parameters.
    pub(super) fn thinks(&self) -> bool {
        matches!(
            self.thinking,
            Some(Ask::Budget { .. } | Ask::Adaptive { .. })
        )
    }

    fn think(&mut self, set: &Set<ReasoningAsk>, model: &Model, notes: &mut Notes) {
        let ask = &set.value;
        let show = ask.show.or(ask.summary.is_some().then_some(true));
        let adaptive = matches!(model.thinking, Thinking::Adaptive | Thinking::Either);
        let wanted = match &ask.depth {
            Some(depth) => depth,
            // To see the reasoning, there must be some.
            None if show == Some(true) => &Depth::Auto,
            None => return,
        };
        if ask.summary.as_deref().is_some_and(|s| s != "auto") {
            notes.emulate(set.at);
        }
        self.thinking = match (wanted, model.thinking) {
            (Depth::Off, _) => self.off(set.at, model, notes),
            (_, Thinking::No) => {
                notes.drop_path(set.at);
                None
            }
            (Depth::Budget(tokens), Thinking::Budget | Thinking::Either) => Some(Ask::Budget {
                tokens: *tokens,
                show,
            }),
            (Depth::Budget(tokens), Thinking::Adaptive) => {
                notes.emulate(set.at);
                self.effort = Some(depth::effort_of(*tokens));
                Some(Ask::Adaptive { show })
            }
            (Depth::Effort(word), _) if adaptive => {
                self.effort = Some(effort(word, set.at, model, notes));
                Some(Ask::Adaptive { show })
            }
            (Depth::Auto, _) if adaptive => Some(Ask::Adaptive { show }),
            (other, _) => {
                notes.emulate(set.at);
                let word = match other {
                    Depth::Effort(word) => word.as_str(),
                    _ => "medium",
                };
                let tokens = depth::budget_of(word);
                Some(Ask::Budget { tokens, show })
            }
        };
    }

    fn off(&mut self, at: &str, model: &Model, notes: &mut Notes) -> Option<Ask> {
        match model.off {
            Off::Absent => None,
            Off::Disabled => Some(Ask::Disabled),
            Off::BetweenTools => {
                notes.emulate(at);
                Some(Ask::BetweenTools)
            }
            Off::Never => {
                notes.emulate(at);
                self.effort = model.efforts.first().copied();
                None
            }
        }
    }

    /// A budget must leave room for the answer. The cap that a client set is a promise on cost, so the budget
    /// gives way to it.
    fn fit(
        &mut self,
        set: &Set<ReasoningAsk>,
        free: bool,
        model: &Model,
        circumstances: Circumstances,
        notes: &mut Notes,
    ) {
        let Some(Ask::Budget { tokens, .. }) = &mut self.thinking else {
            return;
        };
        if free && *tokens >= self.cap {
            self.cap = tokens.saturating_add(ANSWER).min(model.cap);
        }
        let most = (self.cap - self.cap / 4).min(self.cap.saturating_sub(1));
        let fitting = if *tokens < self.cap { *tokens } else { most };
        if circumstances.forced || circumstances.thoughtless || self.cap <= LEAST_BUDGET {
            notes.drop_path(set.at);
            self.thinking = None;
        } else if fitting.max(LEAST_BUDGET) != *tokens {
            notes.emulate(set.at);
            *tokens = fitting.max(LEAST_BUDGET);
        }
    }

    /// Writes `thinking`.
    pub(super) fn write(&self, o: &mut Object<'_>) {
        let Some(ask) = &self.thinking else {
            return;
        };
        o.object("thinking", |o| match ask {
            Ask::Budget { tokens, show } => {
                o.str("type", "enabled").int("budget_tokens", *tokens);
                // A summary comes unasked.
                o.str_if("display", (*show == Some(false)).then_some("omitted"));
            }
            Ask::Adaptive { show } => {
                o.str("type", "adaptive");
                let word = show.map(|s| if s { "summarized" } else { "omitted" });
                o.str_if("display", word);
            }
            Ask::Disabled => {
                o.str("type", "disabled");
            }
            Ask::BetweenTools => {
                o.str("type", "between_tools");
            }
        });
    }
}

/// The word of `model` for an effort.
fn effort(word: &str, at: &str, model: &Model, notes: &mut Notes) -> &'static str {
    let known = |word: &str| model.efforts.iter().copied().find(|e| *e == word);
    known(word).unwrap_or_else(|| {
        notes.emulate(at);
        let near = match word {
            "minimal" => known("low"),
            "xhigh" => known("max").or(known("high")),
            _ => known("medium"),
        };
        near.unwrap_or("high")
    })
}
