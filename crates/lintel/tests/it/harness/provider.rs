//! A provider that follows a script: raw TCP, one thread a connection, every request recorded.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::harness::http::{Framing, Head, Wire};
use crate::harness::script::{Act, Script};
use crate::harness::wait::{PATIENCE, eventually};

/// One request as the provider saw it, and what became of its connection.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Which connection, counted from 1.
    pub(crate) connection: usize,
    /// Its head.
    pub(crate) head: Head,
    /// Its body, without framing.
    pub(crate) body: Vec<u8>,
    sent: AtomicU64,
    hung_up: AtomicBool,
    done: AtomicBool,
}

impl Seen {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body's `model`.
    pub(crate) fn model(&self) -> String {
        self.json()["model"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether the body asks for a stream.
    pub(crate) fn stream(&self) -> bool {
        self.json()["stream"] == true
    }

    /// Bytes that the socket took so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Whether the peer hung up while the script was still running.
    pub(crate) fn hung_up(&self) -> bool {
        self.hung_up.load(Ordering::SeqCst)
    }

    /// Whether the script ran to its end.
    pub(crate) fn done(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }
}

type Chooser = dyn Fn(&Seen) -> Script + Send + Sync;

struct Shared {
    choose: Box<Chooser>,
    seen: Mutex<Vec<Arc<Seen>>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    stop: AtomicBool,
}

/// The running provider. Stops when dropped.
pub(crate) struct Provider {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Provider {
    /// Answers every request with what `choose` says.
    pub(crate) fn start(choose: impl Fn(&Seen) -> Script + Send + Sync + 'static) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            choose: Box::new(choose),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let held = shared.clone();
        std::thread::spawn(move || accept(&listener, &held));
        Provider { addr, shared }
    }

    /// Every request so far, in order of arrival.
    pub(crate) fn seen(&self) -> Vec<Arc<Seen>> {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets go of the requests so far: a long run would hold them all.
    pub(crate) fn forget(&self) {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The requests for `model` so far.
    pub(crate) fn for_model(&self, model: &str) -> Vec<Arc<Seen>> {
        self.seen()
            .into_iter()
            .filter(|s| s.model() == model)
            .collect()
    }

    /// Waits for the `n`th request for `model` (from 1).
    pub(crate) fn wait_for(&self, model: &str, n: usize) -> Arc<Seen> {
        eventually(&format!("request {n} for {model} at the provider"), || {
            self.for_model(model).get(n - 1).cloned()
        })
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// A loopback port where nobody listens.
    pub(crate) fn dead_port() -> u16 {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = shared.clone();
        std::thread::spawn(move || {
            shared.open.fetch_add(1, Ordering::SeqCst);
            let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
            serve(stream, number, &shared);
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn serve(stream: TcpStream, connection: usize, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut wire = Wire::new(stream);
    loop {
        // An idle kept-alive connection stays as long as its peer likes; a request comes whole or not at all.
        wire.patience = Duration::from_secs(600);
        let Ok(Some(head)) = wire.head() else { return };
        wire.patience = PATIENCE;
        let (body, whole) = wire.body(Framing::of(&head, Framing::Length(0)));
        if whole.is_err() {
            return;
        }
        let (sent, hung_up, done) = Default::default();
        let seen = Arc::new(Seen {
            connection,
            head,
            body,
            sent,
            hung_up,
            done,
        });
        shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen.clone());
        let script = (shared.choose)(&seen);
        if !play(&wire, &script, &seen, shared) {
            return;
        }
    }
}

/// Plays `script`; whether the connection is to be kept.
fn play(wire: &Wire, script: &Script, seen: &Seen, shared: &Shared) -> bool {
    for act in &script.0 {
        let alive = match act {
            Act::Send(bytes) => write(wire, bytes, seen, shared),
            Act::Repeat(bytes, times) => (0..*times).all(|_| write(wire, bytes, seen, shared)),
            Act::Wait(time) => watch(wire, seen, shared, *time, || false),
            Act::Gate(gate) => watch(wire, seen, shared, PATIENCE * 3, || gate.is_open()),
            Act::Hold => watch(wire, seen, shared, PATIENCE * 3, || false),
            Act::Close => {
                seen.done.store(true, Ordering::SeqCst);
                return false;
            }
            Act::Reset => {
                seen.done.store(true, Ordering::SeqCst);
                let _ = socket2::SockRef::from(&wire.stream).set_linger(Some(Duration::ZERO));
                return false;
            }
        };
        if !alive {
            return false;
        }
    }
    seen.done.store(true, Ordering::SeqCst);
    true
}

/// Waits until `time` has passed or `enough`; false when the peer hung up or the test is over.
fn watch(
    wire: &Wire,
    seen: &Seen,
    shared: &Shared,
    time: Duration,
    enough: impl Fn() -> bool,
) -> bool {
    let end = Instant::now() + time;
    while !enough() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        if wire.hung_up(left.min(Duration::from_millis(10))) {
            seen.hung_up.store(true, Ordering::SeqCst);
            return false;
        }
        if shared.stop.load(Ordering::SeqCst) {
            return false;
        }
    }
    true
}

/// Writes all of `bytes`, counting what the socket takes; false when the peer hung up or the test is over.
fn write(wire: &Wire, mut bytes: &[u8], seen: &Seen, shared: &Shared) -> bool {
    let mut stream = &wire.stream;
    let _ = stream.set_write_timeout(Some(Duration::from_millis(50)));
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(n) => {
                seen.sent.fetch_add(n as u64, Ordering::SeqCst);
                bytes = &bytes[n..];
            }
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                if shared.stop.load(Ordering::SeqCst) {
                    return false;
                }
            }
            Err(_) => {
                seen.hung_up.store(true, Ordering::SeqCst);
                return false;
            }
        }
    }
    true
}
