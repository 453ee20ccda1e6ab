//! A model provider in one thread: OpenAI chat completions and Anthropic messages, plain and
//! streamed, whose answers' shape is in the model name (`mock-d60-n20-i10-b1024`).
//!
//! It knows no keys and no prices and keeps no state but rendered answers: what it costs must not
//! depend on what stands before it.

mod answer;
mod ask;
mod dialect;
mod serve;
mod shape;

use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Ten thousand streams may be opened faster than one thread accepts them.
const BACKLOG: u32 = 16_384;

fn main() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .map_err(|_| format!("`{text}` is not an address such as 127.0.0.1:9100"))?,
        None => SocketAddr::from(([127, 0, 0, 1], 9100)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, listen(address))
}

async fn listen(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let rendered = Rc::new(serve::Rendered::default());
    loop {
        tokio::task::spawn_local(connection(accept(&listener).await, Rc::clone(&rendered)));
    }
}

/// The next connection. When none can be taken (no file left) it tries again a little later.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Serves one connection to its end. A peer that goes away is not an error here: the load counts.
async fn connection(stream: TcpStream, rendered: Rc<serve::Rendered>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| serve::answer(Rc::clone(&rendered), request));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
