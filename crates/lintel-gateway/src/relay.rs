//! The relay step: the provider's stream to the client, event by event, as fast as the client takes it.
//!
//! It reads the provider only when the client's connection asks for more, so a slow client slows the
//! provider. It settles before the terminal bytes leave. After the first byte there is no other
//! attempt: what goes wrong ends the stream with the dialect's error event, never with a clean end.

mod drain;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use lintel_guard::Cleared;
use lintel_policy::OnDisconnect;
use lintel_types::{Error, Failure, FailureClass, Kind, Mono, Outcome, Phase, Retry};
use lintel_wire::surface::{ErrorBody, SurfaceSpec};
use tokio::time::Sleep;

use crate::attempt::oddity;
use crate::end::End;
use crate::failed::told;
use crate::flow::{Deaf, Flow, Stuck, Taken};
use crate::guard::blocked;
use crate::opening::Opened;
use crate::settle::Settlement;
use crate::upstream::UpstreamBody;
use crate::write::ClearedStream;

/// How long the last event waits for the end of the provider's body, which usually is in the same
/// packet. Until then the row is open, so that what a provider says after its last event is metered too.
const LAST_BYTES: Duration = Duration::from_millis(5);

/// A stream on its way to the client.
pub(crate) struct Relay {
    /// Taken out when the client hangs up and the route wants the rest of the stream drained.
    core: Option<Box<Core>>,
}

struct Core {
    settlement: Box<Settlement>,
    dialect: &'static dyn SurfaceSpec,
    queue: VecDeque<Cleared<Bytes>>,
    body: Option<UpstreamBody>,
    flow: Flow,
    ended: bool,
    /// The last event is queued: it leaves when the body ends, and at this time at the latest.
    closing: Option<Mono>,
    /// The row's way to the disk: what is queued leaves when it has arrived.
    ticket: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    idle: Duration,
    deadline: Mono,
    last_read: Mono,
    timer: Pin<Box<Sleep>>,
    on_disconnect: OnDisconnect,
}

/// What the relay needs to know of the route.
pub(crate) struct RelayRules {
    pub(crate) idle: Duration,
    pub(crate) deadline: Mono,
    pub(crate) on_disconnect: OnDisconnect,
}

impl Relay {
    /// Begins to relay an opened stream.
    pub(crate) fn new(
        mut settlement: Box<Settlement>,
        dialect: &'static dyn SurfaceSpec,
        opened: Opened,
        rules: &RelayRules,
    ) -> Self {
        let now = settlement.shared.now();
        let wake = settlement
            .shared
            .clock
            .instant(now.plus(rules.idle).min(rules.deadline));
        settlement.first_content();
        let mut core = Core {
            settlement,
            dialect,
            queue: opened.first.into(),
            ended: opened.body.is_none(),
            body: opened.body,
            flow: opened.flow,
            closing: None,
            ticket: None,
            idle: rules.idle,
            deadline: rules.deadline,
            last_read: now,
            timer: Box::pin(tokio::time::sleep_until(wake)),
            on_disconnect: rules.on_disconnect,
        };
        if core.ended {
            core.complete();
        } else if opened.terminal {
            core.close_soon();
        }
        Self {
            core: Some(Box::new(core)),
        }
    }
}

impl ClearedStream for Relay {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Cleared<Bytes>>> {
        match &mut self.core {
            Some(core) => core.poll(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Core {
    /// [`Core::poll_next`], woken when the call is cut, too.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Cleared<Bytes>>> {
        let polled = self.poll_next(cx);
        if polled.is_pending() {
            self.settlement.exchange.cut.park(cx);
        }
        polled
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Cleared<Bytes>>> {
        loop {
            if let Some(ticket) = &mut self.ticket {
                ready!(ticket.as_mut().poll(cx));
                self.ticket = None;
            }
            if self.closing.is_none()
                && let Some(bytes) = self.queue.pop_front()
            {
                self.settlement.response_bytes += bytes.get().len() as u64;
                return Poll::Ready(Some(bytes));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            if self.settlement.shared.is_cut() && !self.settlement.is_settled() {
                self.fail(
                    &Error::gateway(
                        Kind::Overloaded,
                        "shutting_down",
                        "this instance stopped before the answer was whole: try again",
                    )
                    .retry(Retry::SameTarget),
                    None,
                );
                continue;
            }
            if self.settlement.exchange.cut.is_cut() && !self.settlement.is_settled() {
                self.revoked();
                continue;
            }
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            match body.poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.last_read = self.settlement.shared.now();
                    self.take(chunk);
                }
                Poll::Ready(Some(Err(e))) => {
                    self.broken(FailureClass::Truncated, Some(e.to_string()))
                }
                Poll::Ready(None) => self.finish(),
                Poll::Pending => match self.closing {
                    Some(_) => ready!(self.poll_closing(cx)),
                    None => ready!(self.poll_timer(cx)),
                },
            }
        }
    }

    /// The last event has come: the body's end is awaited for a moment.
    fn close_soon(&mut self) {
        let by = self.settlement.shared.now().plus(LAST_BYTES);
        self.closing = Some(by);
        let by = self.settlement.shared.clock.instant(by);
        self.timer.as_mut().reset(by);
    }

    /// Ready when the moment is over; then the row is settled without the body's end.
    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.timer.as_mut().poll(cx));
        self.complete();
        Poll::Ready(())
    }

    /// Waits for the idle timeout or the deadline; ready when one of them has ended the stream.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = self.settlement.shared.now();
            let due = self.last_read.plus(self.idle).min(self.deadline);
            if now >= due {
                let class = if now >= self.deadline {
                    FailureClass::TimeoutTotal
                } else {
                    FailureClass::TimeoutIdle
                };
                self.broken(class, None);
                return Poll::Ready(());
            }
            // Bytes have come since the timer was set: it is moved only when it fires, not at every chunk.
            let due = self.settlement.shared.clock.instant(due);
            self.timer.as_mut().reset(due);
        }
    }

    fn take(&mut self, chunk: Bytes) {
        let now = self.settlement.shared.now();
        let Some(live) = self.settlement.live() else {
            // Settled at the terminal event: what comes after it is passed on, and metered no more.
            return self.pass_after_end(chunk);
        };
        let Some(meter) = live.meter.as_deref_mut() else {
            return;
        };
        match self.flow.take(chunk, meter) {
            Ok(taken) => {
                if taken.content && live.first_token.is_none() {
                    live.first_token = Some(now);
                }
                self.enqueue(taken);
            }
            Err(stuck) => self.stuck(stuck),
        }
    }

    fn enqueue(&mut self, taken: Taken) {
        // More than one last event: several answers in one body. The last one closes.
        self.closing = None;
        self.queue.push_back(taken.bytes);
        if taken.terminal {
            self.close_soon();
        }
    }

    fn pass_after_end(&mut self, chunk: Bytes) {
        match self.flow.take(chunk, &mut Deaf::default()) {
            Ok(taken) => self.queue.push_back(taken.bytes),
            Err(_) => self.close(),
        }
    }

    /// The provider's stream has ended cleanly.
    fn finish(&mut self) {
        self.body = None;
        if self.settlement.is_settled() {
            if let Ok(taken) = self.flow.finish(&mut Deaf::default()) {
                self.queue.push_back(taken.bytes);
            }
            self.ended = true;
            return;
        }
        let Some(meter) = self.settlement.live().and_then(|l| l.meter.as_deref_mut()) else {
            return self.close();
        };
        match self.flow.finish(meter) {
            Ok(taken) => {
                let facts = meter.facts();
                let whole =
                    taken.terminal || facts.finish_reason.is_some() || facts.error.is_some();
                self.queue.push_back(taken.bytes);
                if whole {
                    self.ended = true;
                    self.complete();
                } else {
                    self.broken(
                        FailureClass::Truncated,
                        Some("the stream ended without its last event".to_owned()),
                    );
                }
            }
            Err(stuck) => self.stuck(stuck),
        }
    }

    /// The answer is whole: settles, and holds what is queued until the row is written.
    fn complete(&mut self) {
        self.closing = None;
        self.settlement.response_bytes +=
            self.queue.iter().map(|b| b.get().len() as u64).sum::<u64>();
        let odd = self
            .settlement
            .live()
            .and_then(|l| l.said())
            .and_then(oddity);
        let status = self.settlement.status;
        let end = match odd {
            None => End::success(status),
            Some(class) => End {
                outcome: Outcome::ProviderError,
                failure: Some(Failure {
                    class,
                    phase: Phase::MidStream,
                }),
                ..End::error(&told(class), status)
            },
        };
        self.settle(end);
    }

    fn settle(&mut self, end: End<'_>) {
        if let Some(settling) = self.settlement.settle_later(end) {
            self.ticket = Some(Box::pin(settling.written()));
        }
    }

    fn stuck(&mut self, stuck: Stuck) {
        match stuck {
            Stuck::TooLong => self.broken(
                FailureClass::Malformed,
                Some("an event is longer than limits.event".to_owned()),
            ),
            Stuck::Malformed(why) => self.broken(FailureClass::Malformed, Some(why.to_owned())),
            Stuck::Blocked(verdict) => self.fail(&blocked(&verdict), None),
        }
    }

    fn broken(&mut self, class: FailureClass, cause: Option<String>) {
        if self.closing.is_some() {
            // The last event is here; how the connection ends after it is nobody's concern.
            self.complete();
        }
        if self.settlement.is_settled() {
            return self.close();
        }
        let error = match cause {
            Some(cause) => told(class).because(cause),
            None => told(class),
        };
        self.fail(&error, Some(class));
    }

    /// The key is not good any more.
    fn revoked(&mut self) {
        // What is whole may still be said.
        if self.closing.is_some() {
            return self.complete();
        }
        if let Some(error) = self.settlement.exchange.cut.error() {
            self.fail(&error, None);
        }
    }

    /// Ends the stream with the dialect's error event.
    fn fail(&mut self, error: &Error, class: Option<FailureClass>) {
        let id = self.settlement.exchange.id_text.clone();
        let body = ErrorBody::ours(error, Some(&id));
        let event = self.flow.error(self.dialect, &body);
        self.queue.push_back(Cleared::error_text(event));
        let failure = Failure {
            class: class.unwrap_or(FailureClass::Cancelled),
            phase: Phase::MidStream,
        };
        let end = End::error(error, self.settlement.status);
        let outcome = match error.code() {
            "shutting_down" => Outcome::Shutdown,
            "key_revoked" => Outcome::Revoked,
            _ => end.outcome,
        };
        self.settle(End {
            outcome,
            failure: Some(failure),
            ..end
        });
        self.close();
    }

    /// Nothing more is read. Dropping the provider's body closes its connection.
    fn close(&mut self) {
        self.body = None;
        self.ended = true;
    }

    /// Nobody reads what is queued: the client is gone.
    fn nobody_reads(&mut self) {
        self.queue.clear();
        self.settlement.client_is_gone();
    }
}
