//! Idle connections, per worker thread and per peer they lead to. The freshest is used first, so that
//! the others can age out.
//!
//! Invariant: a connection serves the peer it was opened for and no other, whatever was reloaded since.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use lintel_config::{Peer, PeerId};
use lintel_types::Mono;
use parking_lot::Mutex;

use super::line::Line;
use super::tls::Fault;
use crate::write::ProviderBody;

/// Longest time that a connection waits unused: below the minute after which load balancers tend to hang up.
const IDLE: Duration = Duration::from_secs(50);
/// Most idle connections to one place.
const MOST: usize = 1_024;

/// An open connection to a provider.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<ProviderBody>,
    pub(super) peer: PeerId,
    pub(super) line: Line,
    /// What ended its TLS session, once something has.
    pub(super) ended: Arc<OnceLock<Fault>>,
    /// It has carried a request before.
    pub(crate) reused: bool,
}

struct Idle {
    connection: Connection,
    since: Mono,
}

/// One worker's idle connections. Its lock is never contended: the worker has one thread.
#[derive(Default)]
pub(crate) struct Pool {
    shelves: Mutex<HashMap<PeerId, Vec<Idle>>>,
}

impl Pool {
    /// An idle connection to `peer` that is still open.
    pub(crate) fn idle(&self, peer: &Peer, now: Mono) -> Option<Connection> {
        let mut shelves = self.shelves.lock();
        let waiting = shelves.get_mut(&peer.id)?;
        while let Some(idle) = waiting.pop() {
            let fresh = now.since(idle.since) < IDLE;
            if fresh && idle.connection.sender.is_ready() && idle.connection.line.is_silent() {
                return Some(idle.connection);
            }
            if !fresh {
                // It was the freshest: the others are older.
                waiting.clear();
            }
        }
        None
    }

    /// Takes back a connection whose answer has been read to its end.
    pub(crate) fn give_back(&self, mut connection: Connection, now: Mono) {
        if connection.sender.is_closed() {
            return;
        }
        connection.reused = true;
        let mut shelves = self.shelves.lock();
        let waiting = shelves.entry(connection.peer).or_default();
        if waiting.len() < MOST {
            waiting.push(Idle {
                connection,
                since: now,
            });
        }
    }

    /// Closes what has waited too long, and what leads to a peer that isn't among `peers` any more.
    pub(crate) fn sweep(&self, peers: &[PeerId], now: Mono) {
        self.shelves.lock().retain(|peer, waiting| {
            let wanted = peers.contains(peer);
            waiting.retain(|idle| {
                wanted && now.since(idle.since) < IDLE && !idle.connection.sender.is_closed()
            });
            !waiting.is_empty()
        });
    }
}
