//! Keeps a worker's pool in order: closes what has waited too long, come to its age or lost its provider, and opens
//! what is to be warm. At start, at every reload, and every ten seconds.
//!
//! Nobody waits for it. A provider that can't be reached is told of like one that a call can't reach, and tried
//! again at the next round.

use std::sync::Arc;
use std::time::Duration;

use lintel_config::Peer;

use super::dialled;
use crate::start::Worker;

/// How often the pool is looked through.
const ROUND: Duration = Duration::from_secs(10);
/// How long a connection may take to open when no call waits for it.
const LONGEST: Duration = Duration::from_secs(10);

/// Keeps the pool until the worker ends.
pub(crate) async fn keep(worker: Arc<Worker>) {
    let mut applied = worker.shared.applied.subscribe();
    // One task a peer at most: a round that finds it still opening leaves it alone.
    let mut opening = tokio::task::JoinSet::new();
    loop {
        let snapshot = worker.shared.snapshot.load_full();
        worker.pool.sweep(snapshot.peers(), worker.shared.now());
        while opening.try_join_next().is_some() {}
        if opening.is_empty() && !worker.shared.is_draining() {
            for peer in snapshot.peers().filter(|p| p.pool.warm > 0) {
                opening.spawn(open(Arc::clone(&worker), Arc::clone(peer)));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            // The sender lives as long as the worker.
            _ = applied.changed() => opening.shutdown().await,
        }
    }
}

/// Opens what is missing, one after the other.
async fn open(worker: Arc<Worker>, peer: Arc<Peer>) {
    // Counted beforehand: a connection that doesn't stay, because the provider hangs up at once, is missed at the next
    // round and not again and again in this one.
    for _ in worker.pool.waiting(peer.id)..peer.pool.warm {
        let by = worker.shared.now().plus(LONGEST);
        let Ok(connection) = dialled(&worker, &peer, by).await else {
            return;
        };
        worker.pool.give_back(connection, worker.shared.now());
    }
}
