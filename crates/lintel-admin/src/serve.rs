//! The admin listener: a thread of its own, so that a slow control call never delays a data call.
//!
//! At an address, plain or by TLS, or at a socket file. Bounded in connections, in the time of a handshake and a header and in
//! the threads that wait for files. Stopping closes the listener, lets running requests end within a bound, then drops the rest.

use std::io;
use std::net::SocketAddr;
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
use lintel_config::{AdminAddress, ServerTls};
use lintel_gateway::tls;
use lintel_telemetry::{Listener, Metrics};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::port::{Port, SocketFile};

/// Connections held at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 256;
const HEADER_TIME: Duration = Duration::from_secs(10);
const HEADER_BYTES: usize = 64 * 1024;
/// Threads that may wait for files at once.
const WORKERS: usize = 4;
/// After a failed accept (no file descriptors left) the listener rests this long.
const REST: Duration = Duration::from_millis(50);

/// Gives the certificate that is in force now; none: connections are plain.
pub type Certificate = Arc<dyn Fn() -> Option<Arc<ServerTls>> + Send + Sync>;

/// The running admin listener.
#[derive(Debug)]
pub struct Running {
    address: AdminAddress,
    /// How long running requests may take, once it is time to stop.
    stop: watch::Sender<Option<Duration>>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> &AdminAddress {
        &self.address
    }

    /// Takes no more connections, lets running requests end within `bound`, and joins the thread.
    pub fn stop(self, bound: Duration) {
        // A thread that is already gone has nothing to stop, and its panic was its own.
        let _ = self.stop.send(Some(bound));
        let _ = self.thread.join();
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    router: Router,
    certificate: Certificate,
    metrics: Metrics,
    stopping: watch::Receiver<Option<Duration>>,
}

/// Serves `router` on `port`, on a thread of its own. Handshakes are counted in `metrics`.
///
/// # Errors
/// When the listener can't be made non-blocking or the thread can't be started.
pub fn start(
    port: Port,
    router: Router,
    certificate: Certificate,
    metrics: Metrics,
) -> io::Result<Running> {
    let address = port.address()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WORKERS)
        .thread_name("lintel-admin-io")
        .build()?;
    let (stop, stopping) = watch::channel(None);
    let door = {
        let _inside = runtime.enter();
        Door::open(port)?
    };
    let serving = Serving {
        router,
        certificate,
        metrics,
        stopping,
    };
    let thread = std::thread::Builder::new()
        .name("lintel-admin".into())
        .spawn(move || {
            runtime.block_on(accept(door, serving));
            // A worker that still waits for a file must not hold up the process's end.
            runtime.shutdown_background();
        })?;
    Ok(Running {
        address,
        stop,
        thread,
    })
}

/// A listener inside the runtime.
enum Door {
    Tcp(tokio::net::TcpListener),
    Unix(
        tokio::net::UnixListener,
        #[expect(dead_code, reason = "removed from the disk when dropped")] SocketFile,
    ),
}

/// A connection that has been accepted.
enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Door {
    fn open(port: Port) -> io::Result<Self> {
        match port {
            Port::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener).map(Self::Tcp)
            }
            Port::Unix(listener, file) => {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::UnixListener::from_std(listener)?;
                Ok(Self::Unix(listener, file))
            }
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Accepted::Tcp(stream, peer))
            }
            Self::Unix(listener, _) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

async fn accept(door: Door, serving: Serving) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stopping = serving.stopping.clone();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (door.accept().await, slot)
        };
        tokio::select! {
            _ = stopping.changed() => break,
            Some(_) = connections.join_next() => {}
            (accepted, slot) = next => match accepted {
                Ok(accepted) => {
                    let serving = serving.clone();
                    connections.spawn(async move {
                        greet(accepted, serving).await;
                        drop(slot);
                    });
                }
                Err(_) => tokio::time::sleep(REST).await,
            },
        }
    }
    drop(door);
    let bound = stopping.borrow().unwrap_or_default();
    let _ = tokio::time::timeout(bound, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

/// Shakes hands where that is due, and serves. Errors of a connection are the peer's affair: a hang-up is no event here.
async fn greet(accepted: Accepted, serving: Serving) {
    let (stream, peer) = match accepted {
        // Who comes by the file has no address, and is of this machine.
        Accepted::Unix(stream) => return connection(stream, None, serving).await,
        Accepted::Tcp(stream, peer) => (stream, Some(peer)),
    };
    let _ = stream.set_nodelay(true);
    let Some(certificate) = (serving.certificate)() else {
        return connection(stream, peer, serving).await;
    };
    let metrics = &serving.metrics;
    let shaken = tls::handshake(&certificate, stream, HEADER_TIME, Listener::Admin, metrics).await;
    if let Ok(stream) = shaken {
        connection(stream, peer, serving).await;
    }
}

/// One connection's life.
async fn connection<S>(stream: S, peer: Option<SocketAddr>, serving: Serving)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Serving {
        router,
        mut stopping,
        ..
    } = serving;
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
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
    use std::net::{TcpListener, TcpStream};

    use axum::routing::get;

    use super::*;

    fn started(router: Router) -> Running {
        let port = Port::Tcp(TcpListener::bind("127.0.0.1:0").unwrap());
        start(port, router, Arc::new(|| None), Metrics::default()).unwrap()
    }

    fn address(running: &Running) -> SocketAddr {
        match running.address() {
            AdminAddress::Tcp(address) => *address,
            AdminAddress::Unix(path) => panic!("{}", path.display()),
        }
    }

    fn ask(running: &Running, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address(running)).unwrap();
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
        let address = address(&running);
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
        let _idle = TcpStream::connect(address(&running)).unwrap();
        let busy = ask(&running, "/");
        enters.recv().unwrap();
        let stopper = std::thread::spawn(move || running.stop(Duration::from_secs(60)));
        opened.notify_one();
        assert!(answer(busy).ends_with("done"));
        stopper.join().unwrap();
    }

    #[test]
    fn a_socket_file_serves_and_is_gone_after_the_stop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        let port = Port::bind(&AdminAddress::Unix(path.clone())).unwrap();
        let peer = |info: Option<axum::Extension<ConnectInfo<SocketAddr>>>| async move {
            info.is_some().to_string()
        };
        let router = Router::new().route("/", get(peer));
        let running = start(port, router, Arc::new(|| None), Metrics::default()).unwrap();
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.ends_with("false"), "{text}");
        running.stop(Duration::from_secs(5));
        assert!(!path.exists());
    }
}
