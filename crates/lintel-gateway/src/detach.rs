//! Attempts that outlive their client: on a route that drains, the attempts run in a task of their own,
//! so that a hang-up doesn't cancel them, and their usage becomes known.

use std::sync::Arc;
use std::time::Duration;

use lintel_types::Error;
use lintel_types::Kind;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::attempt::{Answered, Ready, Reply, run};
use crate::cut::Cut;
use crate::end::End;
use crate::failed::Failed;
use crate::pipeline::relay_of;
use crate::settle::Settlement;
use crate::start::Worker;

/// What the attempts came to, with the exchange they belong to.
pub(crate) type Attempted = (Box<Settlement>, Result<Answered, Failed>, Box<Ready>);

/// Runs the attempts so that they go on for `most` after the client has hung up.
/// An error means that the task panicked; then its settlement is settled already.
pub(crate) async fn attempts(
    worker: &Arc<Worker>,
    mut settlement: Box<Settlement>,
    ready: Box<Ready>,
    most: Duration,
) -> Result<Attempted, Error> {
    let (tell, told) = oneshot::channel::<Attempted>();
    let worker = Arc::clone(worker);
    let cut = Arc::clone(&settlement.exchange.cut);
    let task = tokio::spawn(async move {
        let result = run(&worker, &mut settlement, &ready).await;
        if let Err((settlement, result, ready)) = tell.send((settlement, result, ready)) {
            nobody_waits(settlement, result, ready);
        }
    });
    let mut leash = Leash {
        cut,
        task: task.abort_handle(),
        most,
        done: false,
    };
    let attempted = told.await;
    leash.done = true;
    attempted.map_err(|_| {
        Error::gateway(
            Kind::Internal,
            "internal",
            "the gateway failed on this call: try again",
        )
    })
}

/// The client is gone: books what the answer used.
fn nobody_waits(
    mut settlement: Box<Settlement>,
    result: Result<Answered, Failed>,
    ready: Box<Ready>,
) {
    settlement.client_is_gone();
    match result {
        // Dropping the relay drains it, under the route's own bound.
        Ok(Answered {
            status,
            reply: Reply::Stream(opened),
            ..
        }) => {
            settlement.status = status;
            drop(relay_of(settlement, *opened, &ready));
        }
        Ok(Answered {
            status,
            reply: Reply::Whole { .. },
            ..
        }) => {
            settlement.settle(End::success(status));
        }
        Err(_) => {
            settlement.settle(End::success(0));
        }
    }
}

/// Ends the task a while after the client has hung up, and at once when the call is cut.
struct Leash {
    cut: Arc<Cut>,
    task: AbortHandle,
    most: Duration,
    done: bool,
}

impl Drop for Leash {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if self.cut.is_cut() {
            return self.task.abort();
        }
        let (task, most, cut) = (self.task.clone(), self.most, Arc::clone(&self.cut));
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(most) => {}
                () = cut.happens() => {}
            }
            task.abort();
        });
    }
}
