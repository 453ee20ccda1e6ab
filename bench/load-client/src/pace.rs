//! Spreads the calls over time: closed loop, fixed rate, or once each.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::call::{Caller, Shared};
use crate::plan::Pace;

/// After a failed call, so that a dead gateway isn't hammered.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Runs the plan to its end.
pub(crate) async fn run(shared: Rc<Shared>) {
    match shared.plan.pace {
        Pace::Closed => closed(shared).await,
        Pace::Once => once(shared).await,
        Pace::Rate(rps) => rate(shared, rps).await,
    }
}

/// When the `index`th connection opens.
fn opening(shared: &Shared, index: usize) -> Instant {
    let share = index as f64 / shared.plan.connections.max(1) as f64;
    shared.began + shared.plan.ramp.mul_f64(share)
}

async fn closed(shared: Rc<Shared>) {
    let left = Rc::new(Cell::new(shared.plan.calls));
    let mut callers = JoinSet::new();
    for index in 0..shared.plan.connections {
        let (shared, left) = (Rc::clone(&shared), Rc::clone(&left));
        callers.spawn_local(async move {
            sleep_until(opening(&shared, index)).await;
            let end = shared.began + shared.plan.length;
            let mut caller = Caller::new(Rc::clone(&shared));
            loop {
                let now = Instant::now();
                if now >= end || left.get() == 0 {
                    break;
                }
                left.set(left.get() - 1);
                if !caller.call(now).await {
                    sleep(BACK_OFF).await;
                }
            }
        });
    }
    while callers.join_next().await.is_some() {}
}

async fn once(shared: Rc<Shared>) {
    let mut callers = JoinSet::new();
    for index in 0..shared.plan.connections {
        let shared = Rc::clone(&shared);
        callers.spawn_local(async move {
            sleep_until(opening(&shared, index)).await;
            Caller::new(shared).call(Instant::now()).await;
        });
    }
    while callers.join_next().await.is_some() {}
}

/// Every call starts when it is due, whether or not the others have been answered, and its latency
/// counts from then: a gateway that stalls can't hide the calls that it kept waiting.
async fn rate(shared: Rc<Shared>, rps: f64) {
    let calls = (rps * shared.plan.length.as_secs_f64()) as u64;
    let mut due_calls = metronome(shared.began, rps, calls);
    let idle = Rc::new(RefCell::new(Vec::<Caller>::new()));
    let mut running = JoinSet::new();
    while let Some(due) = due_calls.recv().await {
        let caller = idle.borrow_mut().pop();
        let mut caller = caller.unwrap_or_else(|| Caller::new(Rc::clone(&shared)));
        let idle = Rc::clone(&idle);
        running.spawn_local(async move {
            caller.call(due).await;
            idle.borrow_mut().push(caller);
        });
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

/// Sends each call's due time when it comes. A thread of its own, because the runtime's timers
/// tick in whole milliseconds: more than a good gateway adds.
fn metronome(began: Instant, rps: f64, calls: u64) -> UnboundedReceiver<Instant> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for index in 0..calls {
            let due = began + due(rps, index);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if sender.send(due).is_err() {
                return;
            }
        }
    });
    receiver
}

/// When the `index`th call is due. The calls are spread over one millisecond by the golden ratio,
/// so that they can't stay in step with the millisecond ticks of the mock's own timers: a run that
/// happened to start just before a tick would look faster than one that started just after it.
fn due(rps: f64, index: u64) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let spread = (index as f64 * GOLDEN).fract() / 1e3;
    Duration::from_secs_f64(index as f64 / rps + spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_keep_the_rate_and_cover_the_millisecond() {
        let phases: Vec<u128> = (0..100)
            .map(|i| due(200.0, i).as_micros() % 1000 / 100)
            .collect();
        for tenth in 0..10 {
            let hits = phases.iter().filter(|phase| **phase == tenth).count();
            assert!((8..=12).contains(&hits), "{hits} calls in tenth {tenth}");
        }
        let last = due(200.0, 2000);
        assert!((10.0..10.001).contains(&last.as_secs_f64()), "{last:?}");
    }
}
