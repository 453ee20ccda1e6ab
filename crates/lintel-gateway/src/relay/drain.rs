//! A stream whose client is gone, on a route that drains: the rest is read, so that its usage is known.
//!
//! Not when the process stops or the key is not good any more: then nobody is to pay for the rest.

use std::task::Poll;
use std::time::Duration;

use lintel_policy::OnDisconnect;

use super::{Core, Relay};

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(core) = self.core.take() else { return };
        let OnDisconnect::Drain(most) = core.on_disconnect else {
            return;
        };
        let goes_on = core.body.is_some()
            && !core.settlement.is_settled()
            && !core.settlement.shared.is_cut()
            && !core.settlement.exchange.cut.is_cut();
        if goes_on && !std::thread::panicking() {
            tokio::spawn(drain(core, most));
        }
    }
}

/// Reads the rest of a stream that nobody waits for, so that its usage is known.
async fn drain(mut core: Box<Core>, most: Duration) {
    core.nobody_reads();
    let reading = std::future::poll_fn(|cx| {
        loop {
            match core.poll(cx) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    // When it takes too long, dropping the settlement books what has been seen, estimated.
    let _ = tokio::time::timeout(most, reading).await;
}
