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
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Ten thousand streams may be opened faster than one thread accepts them.
const BACKLOG: u32 = 16_384;

/// `mock-upstream [ADDRESS [TLS-ADDRESS DIRECTORY]]`: the same answers on both, the second with the
/// certificate in the directory.
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (plain, secure) = match arguments.as_slice() {
        [] => (SocketAddr::from(([127, 0, 0, 1], 9100)), None),
        [plain] => (address(plain)?, None),
        [plain, secure, directory] => {
            let config = certificates::server(Path::new(directory))?;
            let acceptor = TlsAcceptor::from(Arc::new(config));
            (address(plain)?, Some((address(secure)?, acceptor)))
        }
        _ => return Err("usage: mock-upstream [ADDRESS [TLS-ADDRESS DIRECTORY]]".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let rendered = Rc::new(serve::Rendered::default());
        if let Some((address, acceptor)) = secure {
            let listener = bind(address)?;
            let rendered = Rc::clone(&rendered);
            tokio::task::spawn_local(listen(listener, Some(acceptor), rendered));
        }
        listen(bind(plain)?, None, rendered).await;
        Ok(())
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not an address such as 127.0.0.1:9100"))
}

fn bind(address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket.listen(BACKLOG)?)
}

async fn listen(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    rendered: Rc<serve::Rendered>,
) {
    loop {
        let (stream, rendered) = (accept(&listener).await, Rc::clone(&rendered));
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        match acceptor.clone() {
            None => drop(tokio::task::spawn_local(connection(stream, rendered))),
            Some(acceptor) => drop(tokio::task::spawn_local(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    connection(stream, rendered).await;
                }
            })),
        }
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
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    rendered: Rc<serve::Rendered>,
) {
    let service = service_fn(move |request| serve::answer(Rc::clone(&rendered), request));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
