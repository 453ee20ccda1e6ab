//! The admin listener: a thread of its own, so that a slow control call never delays a data call.
//!
//! Bounded in connections, in the time of a header and in the threads that wait for files. Stopping
//! closes the listener, lets running requests end within a bound, then drops the rest.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections held at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 256;
const HEADER_TIME: Duration = Duration::from_secs(10);
const HEADER_BYTES: usize = 64 * 1024;
/// Threads that may wait for files at once.
const WORKERS: usize = 4;
/// After a failed accept (no file descriptors left) the listener rests this long.
const REST: Duration = Duration::from_millis(50);

/// The running admin listener.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// How long running requests may take, once it is time to stop.
    stop: watch::Sender<Option<Duration>>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets running requests end within `bound`, and joins the thread.
    pub fn stop(self, bound: Duration) {
        // A thread that is already gone has nothing to stop, and its panic was its own.
        let _ = self.stop.send(Some(bound));
        let _ = self.thread.join();
    }
}

/// Serves `router` on `listener`, on a thread of its own.
///
/// # Errors
/// When the listener can't be made non-blocking or the thread can't be started.
pub fn start(listener: TcpListener, router: Router) -> io::Result<Running> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WORKERS)
        .thread_name("lintel-admin-io")
        .build()?;
    let (stop, stopping) = watch::channel(None);
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let thread = std::thread::Builder::new()
        .name("lintel-admin".into())
        .spawn(move || {
            runtime.block_on(accept(listener, router, stopping));
            // A worker that still waits for a file must not hold up the process's end.
            runtime.shutdown_background();
        })?;
    Ok(Running {
        address,
        stop,
        thread,
    })
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    mut stopping: watch::Receiver<Option<Duration>>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        tokio::select! {
            _ = stopping.changed() => break,
            Some(_) = connections.join_next() => {}
            (accepted, slot) = next => match accepted {
                Ok((stream, peer)) => {
                    let (router, stopping) = (router.clone(), stopping.clone());
                    connections.spawn(async move {
                        connection(stream, peer, router, stopping).await;
                        drop(slot);
                    });
                }
                Err(_) => tokio::time::sleep(REST).await,
            },
        }
    }
    drop(listener);
    let bound = stopping.borrow().unwrap_or_default();
    let _ = tokio::time::timeout(bound, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

/// One connection's life. Its errors are the peer's affair: a hang-up is no event here.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stopping: watch::Receiver<Option<Duration>>,
) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES);
    let mut served = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopping.changed() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use axum::routing::get;

    use super::*;

    fn started(router: Router) -> Running {
        start(TcpListener::bind("127.0.0.1:0").unwrap(), router).unwrap()
    }

    fn ask(running: &Running, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(running.address()).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        stream
    }

    fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_handler_sees_its_peer_and_stopping_ends_the_listener() {
        let peer =
            |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        let running = started(Router::new().route("/", get(peer)));
        assert!(answer(ask(&running, "/")).ends_with("127.0.0.1"));
        let address = running.address();
        running.stop(Duration::from_secs(5));
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn stopping_waits_for_a_running_request_and_not_for_an_idle_connection() {
        let (entered, enters) = std::sync::mpsc::sync_channel(1);
        let gate = Arc::new(tokio::sync::Notify::new());
        let opened = Arc::clone(&gate);
        let slow = move || {
            let (entered, gate) = (entered.clone(), Arc::clone(&gate));
            async move {
                entered.send(()).unwrap();
                gate.notified().await;
                "done"
            }
        };
        let running = started(Router::new().route("/", get(slow)));
        let _idle = TcpStream::connect(running.address()).unwrap();
        let busy = ask(&running, "/");
        enters.recv().unwrap();
        let stopper = std::thread::spawn(move || running.stop(Duration::from_secs(60)));
        opened.notify_one();
        assert!(answer(busy).ends_with("done"));
        stopper.join().unwrap();
    }
}
