//! A server on loopback that answers whole requests as a test says, one connection a thread.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// What a provider of OpenAI's protocol answers.
pub(crate) const ANSWER: &str = r#"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }
}

type Answer = dyn Fn(usize, &Seen) -> (u16, String) + Send + Sync;

/// Stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<AtomicUsize>,
    hangs_up: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Answers the `n`th request (from 1) with a status and a JSON body.
    pub(crate) fn start(
        answer: impl Fn(usize, &Seen) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        Self::with(None, answer)
    }

    /// The same, over TLS.
    pub(crate) fn with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(usize, &Seen) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let server = Self {
            address,
            seen: Arc::clone(&seen),
            accepted: Arc::default(),
            hangs_up: Arc::default(),
            stop: Arc::clone(&stop),
        };
        let (accepted, hangs_up) = (Arc::clone(&server.accepted), Arc::clone(&server.hangs_up));
        let answer: Arc<Answer> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                accepted.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                let (tls, once) = (tls.clone(), Arc::clone(&hangs_up));
                std::thread::spawn(move || match tls {
                    None => serve(stream, &seen, &*answer, &once),
                    Some(config) => {
                        let session = ServerConnection::new(config).unwrap();
                        let mut stream = StreamOwned::new(session, stream);
                        serve(&mut stream, &seen, &*answer, &once);
                        // Closing on unread bytes would reset the connection, and the alert would be lost.
                        let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
                    }
                });
            }
        });
        server
    }

    /// Over TLS, one request a connection, each answered with [`ANSWER`]; `told` gets how its session began.
    pub(crate) fn closing(
        tls: Arc<ServerConfig>,
        told: impl Fn(HandshakeKind) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            accepted: Arc::default(),
            hangs_up: Arc::default(),
            stop: Arc::default(),
        };
        let (accepted, stop) = (Arc::clone(&server.accepted), Arc::clone(&server.stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                accepted.fetch_add(1, Ordering::SeqCst);
                let session = ServerConnection::new(Arc::clone(&tls)).unwrap();
                let mut input = BufReader::new(StreamOwned::new(session, stream));
                if read(&mut input).is_none() {
                    continue;
                }
                told(input.get_ref().conn.handshake_kind().unwrap());
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{ANSWER}",
                    ANSWER.len()
                );
                let out = input.get_mut();
                out.write_all(head.as_bytes()).unwrap();
                out.conn.send_close_notify();
                let _ = out.flush();
            }
        });
        server
    }

    /// Reads something, writes `bytes`, and closes.
    pub(crate) fn raw(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            accepted: Arc::default(),
            hangs_up: Arc::default(),
            stop: Arc::default(),
        };
        let stop = Arc::clone(&server.stop);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(bytes);
            }
        });
        server
    }

    /// From now on each connection is closed after its answer.
    pub(crate) fn hangs_up(self) -> Self {
        self.hangs_up.store(true, Ordering::SeqCst);
        self
    }

    /// Connections taken so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: impl Read + Write, seen: &Mutex<Vec<Seen>>, answer: &Answer, once: &AtomicBool) {
    let mut input = BufReader::new(stream);
    while let Some(request) = read(&mut input) {
        let n = {
            let mut list = seen.lock().unwrap();
            list.push(request.clone());
            list.len()
        };
        let (status, body) = answer(n, &request);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let out = input.get_mut();
        if out.write_all(head.as_bytes()).is_err()
            || out.flush().is_err()
            || once.load(Ordering::SeqCst)
        {
            return;
        }
    }
}

fn read(input: &mut BufReader<impl Read>) -> Option<Seen> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut field = String::new();
        input.read_line(&mut field).ok()?;
        let Some((name, value)) = field.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut seen = Seen {
        line: line.trim_end().to_owned(),
        headers,
        body: String::new(),
    };
    let length = seen.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Some(seen)
}
