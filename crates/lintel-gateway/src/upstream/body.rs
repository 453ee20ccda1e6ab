//! A provider's answer as it arrives. When it has been read to its end its connection goes back to the
//! pool; when it is dropped before, the connection is closed, which cancels the provider's work.

use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;

use super::pool::Connection;
use super::sandbox::Player;
use crate::start::Worker;

/// The body of an answer.
pub(crate) struct UpstreamBody {
    source: Source,
}

enum Source {
    Http {
        incoming: Incoming,
        connection: Option<Connection>,
        worker: Weak<Worker>,
    },
    Sandbox(Box<Player>),
}

/// The answer broke off.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer broke off: {0}")]
pub(crate) struct BrokeOff(pub(crate) String);

impl UpstreamBody {
    pub(super) fn http(incoming: Incoming, connection: Connection, worker: Weak<Worker>) -> Self {
        Self {
            source: Source::Http {
                incoming,
                connection: Some(connection),
                worker,
            },
        }
    }

    pub(super) fn sandbox(player: Player) -> Self {
        Self {
            source: Source::Sandbox(Box::new(player)),
        }
    }

    /// The next bytes; `None` at the proper end.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokeOff>>> {
        let (incoming, connection, worker) = match &mut self.source {
            Source::Sandbox(player) => return player.poll_next(cx),
            Source::Http {
                incoming,
                connection,
                worker,
            } => (incoming, connection, worker),
        };
        loop {
            match Pin::new(&mut *incoming).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => return Poll::Ready(Some(Ok(bytes))),
                    Err(_trailers) => {}
                },
                Poll::Ready(Some(Err(e))) => {
                    *connection = None;
                    return Poll::Ready(Some(Err(BrokeOff(e.to_string()))));
                }
                Poll::Ready(None) => {
                    if let (Some(connection), Some(worker)) = (connection.take(), worker.upgrade())
                    {
                        worker.pool.give_back(connection, worker.shared.now());
                    }
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// The next bytes; `None` at the proper end.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, BrokeOff>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }
}
