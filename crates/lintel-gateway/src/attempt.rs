//! The attempt step: the only retry loop.
//!
//! One attempt after the other, in the plan's order, until one answers, the table says to tell the
//! client, or the deadline leaves no time. Nothing of a failed attempt reaches the client.

mod once;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use lintel_guard::Cleared;
use lintel_policy::{Route, decide, place_after};
use lintel_types::canon::Request;
use lintel_types::{Failure, FailureClass, Mono, Phase};
use lintel_wire::provider::ReplyFacts;

use crate::body::Share;
use crate::failed::{AttemptFailed, Failed};
use crate::guard::Guarded;
use crate::head::Parsed;
use crate::opening::Opened;
use crate::reserve::PricedAttempt;
use crate::settle::Settlement;
use crate::start::Worker;
use crate::usage::estimate;

/// A call that is ready to be attempted.
pub(crate) struct Ready {
    pub(crate) parsed: Parsed,
    pub(crate) route: Arc<Route>,
    pub(crate) guarded: Guarded,
    pub(crate) plan: Vec<PricedAttempt>,
    /// The client's headers; only the allow-list goes on.
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Mono,
    /// The request in canonical form, once an attempt has needed it.
    pub(crate) canonical: OnceLock<Arc<Request>>,
}

/// A 2xx answer of a provider.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) reply: Reply,
}

/// The answer's body.
pub(crate) enum Reply {
    /// All of it, cleared. `odd`: an error, or not what the protocol promises.
    Whole {
        bytes: Cleared<Bytes>,
        odd: Option<FailureClass>,
        /// A large answer's share of the bytes in flight.
        share: Option<Share>,
    },
    /// A stream whose first content is here.
    Stream(Box<Opened>),
}

impl Answered {
    /// What makes this 2xx answer no success, known before anything of it has gone to the client.
    fn odd(&self) -> Option<FailureClass> {
        match &self.reply {
            Reply::Whole { odd, .. } => *odd,
            Reply::Stream(opened) => opened.odd,
        }
    }
}

/// Makes attempts until the call is answered or has failed.
pub(crate) async fn run(
    worker: &Arc<Worker>,
    settlement: &mut Settlement,
    ready: &Ready,
) -> Result<Answered, Failed> {
    let input = estimate(ready.parsed.body.bytes().len() as u64);
    let mut walk = Walk {
        ready,
        at: 0,
        made: 0,
    };
    loop {
        let Some(priced) = ready.plan.get(walk.at) else {
            return Err(Failed::Ours(crate::failed::told(FailureClass::ServerError)));
        };
        settlement.begin_attempt(priced, input);
        let (failure, wait) = match once::attempt(worker, settlement, ready, priced).await {
            Ok(answered) => {
                // An answer that is none gives way to another target; without one it is passed on as it is.
                let Some(class) = answered.odd() else {
                    return Ok(answered);
                };
                let failure = Failure {
                    class,
                    phase: Phase::BeforeFirstByte,
                };
                match walk.next(settlement, failure, None) {
                    Some(wait) if walk.elsewhere(priced) => (failure, wait),
                    _ => return Ok(answered),
                }
            }
            Err(failed) => {
                let AttemptFailed { failure, tells } = failed?;
                match walk.next(settlement, failure, retry_after(&tells)) {
                    Some(wait) => (failure, wait),
                    None => {
                        settlement.end_attempt(Some(failure));
                        return Err(tells);
                    }
                }
            }
        };
        settlement.end_attempt(Some(failure));
        if !wait.is_zero() {
            let since = settlement.shared.now();
            tokio::time::sleep(wait).await;
            settlement.waited_since(since);
        }
    }
}

/// Where the exchange stands in its plan.
struct Walk<'a> {
    ready: &'a Ready,
    at: usize,
    made: u8,
}

impl Walk<'_> {
    /// Moves on after a failure and says how long to wait first; none when the client is to be told.
    fn next(
        &mut self,
        settlement: &Settlement,
        failure: Failure,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        self.made = self.made.saturating_add(1);
        let shared = &settlement.shared;
        let left = self.ready.deadline.since(shared.now());
        let route = &self.ready.route;
        let decision = decide(failure, self.made, asked, left, shared.random(), route);
        let tier = |i: usize| self.ready.plan.get(i).map(|p| p.candidate.planned.tier);
        self.at = place_after(tier, self.at, decision.action)?;
        Some(decision.wait)
    }

    /// Whether the attempt to come goes to another target than `this` one.
    fn elsewhere(&self, this: &PricedAttempt) -> bool {
        let target = |p: &PricedAttempt| Arc::clone(&p.candidate.planned.target);
        let next = self.ready.plan.get(self.at).map(target);
        next.is_some_and(|next| !Arc::ptr_eq(&next, &target(this)))
    }
}

fn retry_after(tells: &Failed) -> Option<Duration> {
    match tells {
        Failed::Provider(answer) => answer
            .retry_after
            .as_ref()?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs),
        Failed::Ours(_) => None,
    }
}

/// What makes a 2xx answer no success.
pub(crate) fn oddity(facts: &ReplyFacts) -> Option<FailureClass> {
    facts
        .error
        .or(facts.malformed.then_some(FailureClass::Malformed))
}

/// A failure after the request was sent and before any content.
pub(crate) fn timed_out(class: FailureClass) -> AttemptFailed {
    AttemptFailed::new(class, Phase::BeforeFirstByte)
}
