//! Plays the sandbox's script: the waits become timers, the bytes an answer's body.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lintel_config::Provider;
use lintel_wire::sandbox::{Script, Step, answer as script_of};
use tokio::time::Sleep;

use super::body::{BrokeOff, UpstreamBody};
use super::{Answer, Request};
use crate::shared::Shared;
use lintel_types::Entropy as _;

/// Answers a request by script.
pub(super) fn answer(shared: &Shared, provider: &Provider, request: Request<'_>) -> Answer {
    let body = request.body.into_inner().pieces.concat();
    let config = provider.sandbox.clone().unwrap_or_default();
    let seed = seed(&body, shared.entropy.bits());
    let Script {
        status,
        headers,
        steps,
        ..
    } = script_of(request.spoken.surface, &config, request.model, &body, seed);
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            map.insert(name, value);
        }
    }
    Answer {
        status,
        headers: map,
        body: UpstreamBody::sandbox(Player {
            steps: steps.into_iter(),
            wait: None,
        }),
    }
}

/// The seed decides ids and whether a fault strikes: a new one for every attempt, so that a retry can succeed.
fn seed(body: &[u8], random: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish() ^ random
}

/// A script under way.
pub(super) struct Player {
    steps: std::vec::IntoIter<Step>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Player {
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokeOff>>> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(cx));
                self.wait = None;
            }
            match self.steps.next() {
                Some(Step::Wait(time)) => self.wait = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Send(bytes)) if bytes.is_empty() => {}
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Step::End) | None => return Poll::Ready(None),
                Some(Step::Tear) => {
                    return Poll::Ready(Some(Err(BrokeOff(
                        "the sandbox tore the connection".into(),
                    ))));
                }
                // Only a timeout of the caller ends this.
                Some(Step::Stall) => {
                    self.wait = Some(Box::pin(tokio::time::sleep(
                        std::time::Duration::from_secs(86_400),
                    )))
                }
            }
        }
    }
}
