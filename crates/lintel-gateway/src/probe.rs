//! The steps of the walk by name, and a hook that sees each begin. Tests make a step panic with it.

use std::sync::Arc;

/// A step of the walk, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Permit, concurrency.
    Admit,
    /// The request's body.
    Body,
    /// The facts in it.
    Head,
    /// Which route.
    Route,
    /// The guards on the way in.
    Guard,
    /// Which attempts.
    Plan,
    /// What they can cost.
    Reserve,
    /// The attempts themselves.
    Attempt,
    /// The answer on its way to the client.
    Relay,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Step; 9] = [
        Step::Admit,
        Step::Body,
        Step::Head,
        Step::Route,
        Step::Guard,
        Step::Plan,
        Step::Reserve,
        Step::Attempt,
        Step::Relay,
    ];
}

/// Called at the beginning of each step.
pub(crate) type Probe = Option<Arc<dyn Fn(Step) + Send + Sync>>;
