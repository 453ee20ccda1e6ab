//! Why an attempt was made.

use serde::{Deserialize, Serialize};

/// The kind of an attempt. Cost is attributed and separable by leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The first attempt of an exchange.
    Primary,
    /// A further attempt after a failure, at the same or another target.
    Retry,
    /// A second attempt raced against a slow first.
    Hedge,
    /// Another target carries on a broken stream.
    Continue,
    /// A copy for comparison; its answer reaches no client.
    Shadow,
    /// Made by an evaluation run.
    Eval,
    /// A model judging another's answer.
    Judge,
}

impl Leg {
    /// The name in JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Leg::Primary => "primary",
            Leg::Retry => "retry",
            Leg::Hedge => "hedge",
            Leg::Continue => "continue",
            Leg::Shadow => "shadow",
            Leg::Eval => "eval",
            Leg::Judge => "judge",
        }
    }
}
