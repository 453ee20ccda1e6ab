//! How the data plane stops: in phases, so that nobody who was let in is turned away without need.
//!
//! Decides what is still taken in each phase and when the next one comes. Knows no signal and no successor. Invariant: a
//! phase only ever follows the one before it; whatever is under way at the end is cut with its dialect's error and settled.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::start::{Running, Worker};

/// How long calls that were cut may take to say so.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long idle connections are left open once no new ones are taken: a request that crossed that moment is answered.
const LINGER: Duration = Duration::from_millis(250);
/// How long the last bytes of answers that are settled may take to reach their clients.
const LAST_BYTES: Duration = Duration::from_secs(1);
/// How often it is looked whether everything has ended.
const LOOK: Duration = Duration::from_millis(10);

/// What the process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nothing is taken yet; whoever connects waits.
    Starting,
    /// Everything is taken.
    Serving,
    /// Everything is taken, but the process says that it isn't ready, and answers ask clients to connect anew.
    Leaving,
    /// No new connections; calls on those that are open are taken.
    Lingering,
    /// No new calls; idle connections are closed, calls in flight go on.
    Draining,
    /// Calls in flight end with an error.
    Cut,
}

impl Phase {
    /// Whether new connections are taken.
    pub(crate) fn accepts(self) -> bool {
        self < Phase::Lingering && self > Phase::Starting
    }

    /// Whether a connection with no call on it is closed.
    pub(crate) fn closes_idle(self) -> bool {
        self >= Phase::Draining
    }
}

/// How to stop.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// How long new connections are taken while the process already says that it isn't ready.
    pub delay: Duration,
    /// How long calls may take after that.
    pub bound: Duration,
    /// Another process takes new connections: idle ones stay open until they end by themselves or the bound is over,
    /// so that no request meets a close that would not have been there.
    pub handed_over: bool,
}

impl Running {
    /// Begins to take connections.
    pub fn serve(&self) {
        self.phase.send_if_modified(|now| {
            let first = *now == Phase::Starting;
            if first {
                *now = Phase::Serving;
            }
            first
        });
    }

    /// Begins to stop: not ready any more, and clients are asked to connect anew. Everything is still taken.
    pub fn begin_to_leave(&self) {
        self.enter(Phase::Leaving);
    }

    /// Stops as `how` says, sooner once `hurry` says so, and joins the threads.
    pub fn drain(mut self, how: Drain, hurry: &dyn Fn() -> bool) {
        let wait = |most: Duration, over: &dyn Fn() -> bool| {
            let until = Instant::now() + most;
            while Instant::now() < until && !over() && !hurry() {
                std::thread::sleep(LOOK);
            }
        };
        let shared = Arc::clone(&self.handle.shared);
        let no_connection = || shared.connections.taken() == 0;
        let no_call = || shared.in_flight.taken() == 0;
        self.begin_to_leave();
        wait(how.delay, &|| false);
        let bound = Instant::now() + how.bound;
        let left = || bound.saturating_duration_since(Instant::now());
        self.enter(Phase::Lingering);
        let linger = if how.handed_over { left() } else { LINGER };
        wait(linger.min(left()), &no_connection);
        self.enter(Phase::Draining);
        wait(left(), &no_call);
        wait(left().min(LAST_BYTES), &no_connection);
        self.enter(Phase::Cut);
        for thread in self.threads.drain(..) {
            // A thread that panicked has stopped, too.
            let _ = thread.join();
        }
    }

    fn enter(&self, phase: Phase) {
        let shared = &self.handle.shared;
        shared.leaving.store(true, Ordering::Release);
        if phase >= Phase::Draining {
            shared.draining.store(true, Ordering::Release);
        }
        if phase == Phase::Cut {
            shared.cut.store(true, Ordering::Release);
        }
        self.phase.send_if_modified(|now| {
            let later = phase > *now;
            if later {
                *now = phase;
            }
            later
        });
    }
}

/// A worker's end: once no exchange is under way after the last phase has come, or calls that were cut have had their last words.
pub(crate) async fn idle_or_cut(worker: &Arc<Worker>, phase: &mut watch::Receiver<Phase>) {
    let _ = phase.wait_for(|p| *p == Phase::Cut).await;
    let shared = &worker.shared;
    let idle = async {
        while shared.in_flight.taken() > 0 || shared.connections.taken() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, idle).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_gets_less_with_each_phase() {
        let check = |phase: Phase, accepts, closes_idle| {
            assert_eq!(
                (phase.accepts(), phase.closes_idle()),
                (accepts, closes_idle),
                "{phase:?}"
            );
        };
        check(Phase::Starting, false, false);
        check(Phase::Serving, true, false);
        check(Phase::Leaving, true, false);
        check(Phase::Lingering, false, false);
        check(Phase::Draining, false, true);
        check(Phase::Cut, false, true);
    }
}
