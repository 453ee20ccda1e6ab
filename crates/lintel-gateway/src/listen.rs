//! The data listener: accepts connections within their caps, and hands each to the protocol that it speaks.
//!
//! Every worker accepts from the same socket. A connection stays on the thread that accepted it.

mod addresses;
mod call;
mod connection;
mod http2;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use lintel_telemetry::{Level, LogEvent, Shed};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) use self::addresses::Addresses;
use crate::drain::Phase;
use crate::shared::Shared;
use crate::start::Worker;

/// Connections that may have waited in the kernel's queue when no more are taken.
const LAST_ACCEPTED: usize = 1024;

/// Accepts until the process drains.
pub(crate) async fn accept(
    worker: Arc<Worker>,
    listener: TcpListener,
    mut phase: watch::Receiver<Phase>,
) {
    let _ = phase.wait_for(|p| *p != Phase::Starting).await;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|p| !p.accepts()) => break,
        };
        match accepted {
            Ok((stream, peer)) => admit(&worker, stream, peer, phase.clone()),
            Err(e) => {
                // Out of files, most likely: connections that end make room.
                let event = LogEvent::new(
                    worker.shared.wall(),
                    Level::Warn,
                    "accepting a connection failed",
                );
                worker
                    .shared
                    .lines
                    .event(&event.field("error", e.to_string()));
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
    tokio::task::unconstrained(last_ones(&worker, &listener, &phase)).await;
}

/// Whoever had connected by now is let in. Bounded: another process may take from the same queue, and it never ends. To be
/// run unconstrained, or the runtime's budget for one task ends it sooner.
async fn last_ones(worker: &Arc<Worker>, listener: &TcpListener, phase: &watch::Receiver<Phase>) {
    for _ in 0..LAST_ACCEPTED {
        let waiting = std::future::poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await;
        match waiting {
            Poll::Ready(Ok((stream, peer))) => admit(worker, stream, peer, phase.clone()),
            // One that went away while it waited says nothing of the next.
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return,
        }
    }
}

fn admit(worker: &Arc<Worker>, stream: TcpStream, peer: SocketAddr, phase: watch::Receiver<Phase>) {
    let shared = &worker.shared;
    let Ok(slot) = shared.connections.hold(1) else {
        return turn_away(shared, Shed::Connections, "limits.connections", peer);
    };
    let most = shared.snapshot.load().limits.connections_per_address;
    let Ok(share) = Addresses::hold(&shared.addresses, peer.ip(), most) else {
        let limit = "limits.connections_per_address";
        return turn_away(shared, Shed::ConnectionsPerAddress, limit, peer);
    };
    let gauge = shared.metrics.connection();
    let worker = Arc::clone(worker);
    tokio::spawn(async move {
        connection::serve(worker, stream, phase).await;
        drop((slot, share, gauge));
    });
}

/// Closed at once, for a connection over a cap costs as little as can be.
fn turn_away(shared: &Shared, reason: Shed, limit: &'static str, peer: SocketAddr) {
    shared.metrics.shed(reason);
    let event = LogEvent::new(shared.wall(), Level::Warn, "connection turned away");
    let event = event.field("limit", limit);
    let event = event.field("peer", peer.ip().to_string());
    shared.lines.strangers(event, shared.now());
}
