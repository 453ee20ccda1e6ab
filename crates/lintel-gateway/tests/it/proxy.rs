//! A proxy on loopback that opens tunnels to one place, whatever name is asked for, or refuses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Stops when dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Proxy {
    /// Opens tunnels to `to`.
    pub(crate) fn to(to: SocketAddr) -> Self {
        Self::start("200 Connection established", Some(to))
    }

    /// Answers everything with `status`, and nothing with an empty one.
    pub(crate) fn refusing(status: &'static str) -> Self {
        Self::start(status, None)
    }

    fn start(status: &'static str, to: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            stop: Arc::default(),
        };
        let (asked, stop) = (Arc::clone(&proxy.asked), Arc::clone(&proxy.stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || serve(stream, status, to, &asked));
            }
        });
        proxy
    }

    /// The heads of what it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, status: &str, to: Option<SocketAddr>, asked: &Mutex<Vec<String>>) {
    let mut input = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    asked.lock().unwrap().push(head);
    let mut client = input.into_inner();
    if status.is_empty() {
        return;
    }
    let _ = write!(client, "HTTP/1.1 {status}\r\n\r\n");
    let Some(server) = to.and_then(|to| TcpStream::connect(to).ok()) else {
        return;
    };
    let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let up = std::thread::spawn(move || copy(client, server));
    copy(back.0, back.1);
    let _ = up.join();
}

/// Passes bytes on until one side ends, and tells the other.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
