//! A connection's socket, shared between the task that serves it and the pool that looks at it.
//!
//! A provider that sends more than its answer leaves bytes on the socket, and the next call on it would
//! take them for its own answer. So the pool looks, by system call, whether anything waits to be read:
//! an idle connection on which something waits is not used again.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One end of a shared socket. The lock is never contended: a worker has one thread. It is there for the
/// runtime's own reads, which want the socket alone and know that a short read has emptied it: reads
/// through a shared reference end with one system call more, each answer, only to be told so.
#[derive(Clone)]
pub(super) struct Line(Arc<Mutex<TcpStream>>);

impl Line {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// Whether nothing waits to be read, and the other side hasn't hung up.
    pub(super) fn is_silent(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = SockRef::from(&*self.0.lock()).peek(&mut byte);
        matches!(peeked, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket that is gone already is shut down too.
        let _ = SockRef::from(&*self.0.lock()).shutdown(std::net::Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[tokio::test]
    async fn bytes_that_wait_and_a_hang_up_are_no_silence() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let line = Line::new(stream);
        assert!(line.is_silent());
        peer.write_all(b"x").unwrap();
        assert!(!line.is_silent(), "a byte waits");
        let mut read = [0; 8];
        let mut buf = ReadBuf::new(&mut read);
        let mut reader = line.clone();
        std::future::poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buf))
            .await
            .unwrap();
        assert_eq!(buf.filled(), b"x");
        assert!(line.is_silent());
        drop(peer);
        assert!(!line.is_silent(), "the peer hung up");
    }
}
