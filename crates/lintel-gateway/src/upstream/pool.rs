//! Idle connections, per worker thread and per peer they lead to. The freshest is used first, so that
//! the others can age out.
//!
//! Invariants: a connection serves the peer it was opened for and no other, whatever was reloaded since; none that
//! has come to its age is used again.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use lintel_config::{Peer, PeerId};
use lintel_telemetry::OpenConnection;
use lintel_types::Mono;
use parking_lot::Mutex;

use super::line::Line;
use super::tls::Fault;
use crate::write::ProviderBody;

/// An open connection to a provider.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<ProviderBody>,
    pub(super) peer: Arc<Peer>,
    pub(super) line: Line,
    /// What ended its TLS session, once something has.
    pub(super) ended: Arc<OnceLock<Fault>>,
    /// When it has come to its age.
    pub(super) dies: Mono,
    /// It has been open before the call that uses it.
    pub(crate) reused: bool,
    pub(super) counted: OpenConnection,
}

/// When a connection that is opened now has come to its age: up to a fifth before `max_age`, so that connections
/// that were opened together don't end together.
pub(super) fn dies(now: Mono, max_age: Duration, random: u64) -> Mono {
    let earlier = max_age / 5 / 1_000 * u32::try_from(random % 1_000).unwrap_or(0);
    now.plus(max_age.saturating_sub(earlier))
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
            let Idle { connection, since } = idle;
            if now.since(since) >= peer.pool.idle {
                // It was the freshest: the others are older.
                waiting.clear();
                return None;
            }
            let young = now < connection.dies;
            if young && connection.sender.is_ready() && connection.line.is_silent() {
                connection.counted.reused();
                return Some(connection);
            }
        }
        None
    }

    /// Takes back a connection whose answer has been read to its end, or one that was opened ahead of calls.
    pub(crate) fn give_back(&self, mut connection: Connection, now: Mono) {
        if connection.sender.is_closed() || now >= connection.dies {
            return;
        }
        connection.reused = true;
        let mut shelves = self.shelves.lock();
        let waiting = shelves.entry(connection.peer.id).or_default();
        if waiting.len() < connection.peer.pool.keep {
            waiting.push(Idle {
                connection,
                since: now,
            });
        }
    }

    /// Closes what has waited too long or come to its age, and what leads to a peer that isn't among `peers`
    /// any more.
    pub(crate) fn sweep<'p>(&self, peers: impl Iterator<Item = &'p Arc<Peer>>, now: Mono) {
        let wanted: HashMap<PeerId, &Peer> = peers.map(|p| (p.id, &**p)).collect();
        self.shelves.lock().retain(|id, waiting| {
            let Some(peer) = wanted.get(id) else {
                return false;
            };
            waiting.retain(|Idle { connection, since }| {
                let fresh = now.since(*since) < peer.pool.idle && now < connection.dies;
                fresh && !connection.sender.is_closed()
            });
            // The oldest stand first.
            let over = waiting.len().saturating_sub(peer.pool.keep);
            waiting.drain(..over);
            !waiting.is_empty()
        });
    }

    /// How many connections to `peer` wait unused.
    pub(super) fn waiting(&self, peer: PeerId) -> usize {
        self.shelves.lock().get(&peer).map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use lintel_config::peer::PoolSettings;
    use lintel_config::{BaseUrl, Reach};
    use lintel_telemetry::Metrics;

    fn peer(url: &str) -> Arc<Peer> {
        let pool = PoolSettings {
            keep: 2,
            idle: Duration::from_secs(50),
            ..PoolSettings::default()
        };
        let reach = Reach {
            pool,
            ..Reach::default()
        };
        Arc::new(Peer::new(
            &Arc::from("p"),
            BaseUrl::parse(url).unwrap(),
            reach,
        ))
    }

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    /// An open connection that comes to its age at `dies`, and the other end.
    async fn open(
        peer: &Arc<Peer>,
        metrics: &Metrics,
        dies: u64,
    ) -> (Connection, std::net::TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line = Line::new(tokio::net::TcpStream::connect(address).await.unwrap());
        let stream = TokioIo::new(line.clone());
        let (mut sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        sender.ready().await.unwrap();
        let connection = Connection {
            sender,
            peer: Arc::clone(peer),
            line,
            ended: Arc::default(),
            dies: at(dies),
            reused: false,
            counted: metrics.upstream_opened("p"),
        };
        (connection, listener.accept().unwrap().0)
    }

    #[test]
    fn connections_wait_age_and_lose_their_place() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let (pool, metrics) = (Pool::default(), Metrics::default());
            let (peer, other) = (peer("http://a.lan"), peer("http://b.lan"));
            let mut far = Vec::new();
            for dies in [600, 100, 600] {
                let (connection, end) = open(&peer, &metrics, dies).await;
                far.push(end);
                pool.give_back(connection, at(1));
            }
            assert_eq!(pool.waiting(peer.id), 2, "`keep` bounds them");
            assert!(pool.idle(&other, at(1)).is_none());
            let (second, first) = (pool.idle(&peer, at(40)), pool.idle(&peer, at(40)));
            pool.give_back(first.unwrap(), at(90));
            pool.give_back(second.unwrap(), at(90));
            // The freshest died at 100, and is passed over.
            let used = pool.idle(&peer, at(101)).unwrap();
            assert_eq!(used.dies, at(600));
            assert!(pool.idle(&peer, at(101)).is_none());
            pool.give_back(used, at(600));
            assert_eq!(pool.waiting(peer.id), 0, "too old to be kept");
            for dies in [700, 1_000] {
                let (connection, end) = open(&peer, &metrics, dies).await;
                far.push(end);
                pool.give_back(connection, at(660));
            }
            pool.sweep([&peer].into_iter(), at(699));
            assert_eq!(pool.waiting(peer.id), 2);
            pool.sweep([&peer].into_iter(), at(700));
            assert_eq!(pool.waiting(peer.id), 1, "one has come to its age");
            assert!(
                pool.idle(&peer, at(710)).is_none(),
                "the other has waited for 50 s"
            );
            let (connection, end) = open(&peer, &metrics, 1_000).await;
            far.push(end);
            pool.give_back(connection, at(800));
            pool.sweep([&other].into_iter(), at(800));
            assert_eq!(pool.waiting(peer.id), 0, "its provider is gone");
            let shown = metrics.encode();
            for line in [
                r#"lintel_upstream_connections{provider="p"} 0"#,
                r#"lintel_upstream_connections_opened_total{provider="p"} 6"#,
                r#"lintel_upstream_connections_reused_total{provider="p"} 3"#,
            ] {
                assert!(shown.contains(line), "{line}: {shown}");
            }
        });
    }

    #[test]
    fn ages_differ_and_none_is_over_the_oldest() {
        let (now, max_age) = (Mono(Duration::from_secs(7)), Duration::from_secs(600));
        let age = |random| dies(now, max_age, random).since(now);
        assert_eq!(age(0), max_age);
        let youngest = (0..1_000).map(age).min().unwrap();
        assert!(youngest > max_age / 5 * 4 && youngest < max_age / 5 * 4 + max_age / 500);
        assert!(age(u64::MAX) <= max_age);
    }
}
