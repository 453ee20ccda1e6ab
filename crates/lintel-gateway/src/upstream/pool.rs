//! Idle connections, per worker thread and per place they lead to. The freshest is used first, so that
//! the others can age out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use lintel_config::BaseUrl;
use lintel_types::Mono;
use parking_lot::Mutex;

use super::line::Line;
use crate::write::ProviderBody;

/// Longest time that a connection waits unused: below the minute after which load balancers tend to hang up.
const IDLE: Duration = Duration::from_secs(50);
/// Most idle connections to one place.
const MOST: usize = 1_024;

/// An open connection to a provider.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<ProviderBody>,
    pub(super) place: Arc<Place>,
    pub(super) line: Line,
    /// It has carried a request before.
    pub(crate) reused: bool,
}

/// Where a connection leads.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) https: bool,
    pub(super) authority: String,
}

struct Idle {
    connection: Connection,
    since: Mono,
}

/// One worker's idle connections. Its lock is never contended: the worker has one thread.
#[derive(Default)]
pub(crate) struct Pool {
    plain: Mutex<HashMap<String, Vec<Idle>>>,
    secure: Mutex<HashMap<String, Vec<Idle>>>,
}

impl Pool {
    fn shelf(&self, https: bool) -> &Mutex<HashMap<String, Vec<Idle>>> {
        if https { &self.secure } else { &self.plain }
    }

    /// An idle connection to `base` that is still open.
    pub(crate) fn idle(&self, base: &BaseUrl, now: Mono) -> Option<Connection> {
        let mut shelf = self.shelf(base.https).lock();
        let waiting = shelf.get_mut(base.authority.as_str())?;
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
        let mut shelf = self.shelf(connection.place.https).lock();
        let waiting = match shelf.get_mut(connection.place.authority.as_str()) {
            Some(waiting) => waiting,
            None => shelf.entry(connection.place.authority.clone()).or_default(),
        };
        if waiting.len() < MOST {
            waiting.push(Idle {
                connection,
                since: now,
            });
        }
    }

    /// Closes what has waited too long.
    pub(crate) fn sweep(&self, now: Mono) {
        for shelf in [&self.plain, &self.secure] {
            shelf.lock().retain(|_, waiting| {
                waiting.retain(|idle| {
                    now.since(idle.since) < IDLE && !idle.connection.sender.is_closed()
                });
                !waiting.is_empty()
            });
        }
    }
}
