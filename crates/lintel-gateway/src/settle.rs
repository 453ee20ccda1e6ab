//! The settle step: an exchange that was admitted is settled exactly once.
//!
//! [`Settlement`] owns the permit. Whoever finishes the exchange settles it; if nobody does, because
//! the future was dropped (a hang-up, a panic, shutdown), its `Drop` does, without awaiting.

mod dropped;
mod row;

use std::sync::Arc;
use std::time::Duration;

use lintel_store::Permit;
use lintel_telemetry::{Level, LogEvent, Shed};
use lintel_types::record::Attribution;
use lintel_types::{
    AttemptRecord, Dispatched, Error, Failure, FailureClass, Kind, Money, Mono, Outcome, Principal,
    Priority, Settled, Surface,
};
use lintel_wire::dialect::Notes;

use crate::admit::{Admission, shed};
use crate::commit::{Settling, Turn};
use crate::end::{End, drained};
use crate::exchange::Exchange;
use crate::live::Live;
use crate::reserve::PricedAttempt;
use crate::shared::Shared;

/// An exchange on its way to its settled row.
pub(crate) struct Settlement {
    pub(crate) shared: Arc<Shared>,
    pub(crate) exchange: Exchange,
    pub(crate) who: Attribution,
    pub(crate) route: Option<Arc<str>>,
    pub(crate) stream: bool,
    /// What it was admitted with, where that isn't normal.
    pub(crate) priority: Option<Priority>,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) degraded: Option<Arc<str>>,
    /// What of the call the answering target could not be told, or said otherwise.
    pub(crate) notes: Notes,
    /// The caller may see the names of targets.
    pub(crate) expose_targets: bool,
    /// Status of the answer whose head has gone out; 0 before.
    pub(crate) status: u16,
    /// Time that wasn't Lintel's: waiting for the client's body and for providers.
    waited: Duration,
    overhead: Option<Duration>,
    first_token: Option<Mono>,
    attempts: Vec<AttemptRecord>,
    /// Why the model stopped, as the last attempt that ended said.
    finish_reason: Option<Arc<str>>,
    live: Option<Live>,
    holds: Option<Holds>,
    gone: bool,
    settled: bool,
}

struct Holds {
    permit: Permit,
    _slot: lintel_policy::Held,
    _share: Option<lintel_policy::Held>,
    _gauge: lintel_telemetry::Held,
}

impl Settlement {
    /// An exchange that isn't admitted yet. Settled as it is, it is logged and counted but not journalled:
    /// nobody is known to pay for it.
    pub(crate) fn new(shared: Arc<Shared>, exchange: Exchange) -> Self {
        Self {
            shared,
            exchange,
            who: Attribution::default(),
            route: None,
            stream: false,
            priority: None,
            request_bytes: 0,
            response_bytes: 0,
            degraded: None,
            notes: Notes::default(),
            expose_targets: false,
            status: 0,
            waited: Duration::ZERO,
            overhead: None,
            first_token: None,
            attempts: Vec::new(),
            finish_reason: None,
            live: None,
            holds: None,
            gone: false,
            settled: false,
        }
    }

    /// Who calls.
    pub(crate) fn known(&mut self, principal: &Principal) {
        self.expose_targets = principal.expose_targets;
        self.who.tenant = Arc::clone(&principal.tenant);
        self.who.project = Arc::clone(&principal.project);
        self.who.key = Arc::clone(&principal.key);
    }

    /// What the caller says the call is for.
    pub(crate) fn attributed(&mut self, said: Attribution) {
        let Attribution {
            feature,
            user,
            session,
            tags,
            ..
        } = said;
        self.who = Attribution {
            feature,
            user,
            session,
            tags,
            ..std::mem::take(&mut self.who)
        };
    }

    /// From now on the exchange is journalled.
    pub(crate) fn admitted(&mut self, admission: Admission) {
        let Admission {
            permit,
            slot,
            share,
            gauge,
        } = admission;
        self.holds = Some(Holds {
            permit,
            _slot: slot,
            _share: share,
            _gauge: gauge,
        });
    }

    /// Whether it is settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    /// The client has hung up, and the rest of the answer is drained for its usage: whatever comes, the
    /// exchange was cancelled.
    pub(crate) fn client_is_gone(&mut self) {
        self.gone = true;
    }

    /// Begins an attempt.
    pub(crate) fn begin_attempt(&mut self, priced: &PricedAttempt, estimated_input: u64) {
        let ordinal = u8::try_from(self.attempts.len() + 1).unwrap_or(u8::MAX);
        let now = self.shared.now();
        self.notes = Notes::default();
        self.live = Some(Live::new(
            ordinal,
            priced,
            estimated_input,
            self.exchange.started,
            now,
        ));
    }

    /// Journals that the attempt under way is about to be sent. Nothing may be sent before this has
    /// returned, and nothing when it fails.
    pub(crate) async fn dispatch(&mut self) -> Result<(), Error> {
        let turn = self.put_off_dispatch()?;
        let committer = Arc::clone(&self.exchange.committer);
        if !committer.over(turn).await {
            return Err(self.ledger_unavailable());
        }
        if let Some(live) = &mut self.live {
            live.sent = true;
        }
        Ok(())
    }

    fn ledger_unavailable(&self) -> Error {
        let text =
            "the ledger can't be written: try again shortly; operators: check the store's disk";
        shed(&self.shared, Shed::Journal, "ledger_unavailable", text)
    }

    fn put_off_dispatch(&mut self) -> Result<Turn, Error> {
        let (Some(live), Some(holds), Some(surface)) =
            (&mut self.live, &mut self.holds, self.exchange.surface)
        else {
            return Err(Error::gateway(
                Kind::Internal,
                "internal",
                "an attempt was sent before it began",
            ));
        };
        let (provider, model) = live.target();
        let (price, estimated_cost) = live.estimated_cost();
        let record = Dispatched {
            exchange: self.exchange.id,
            attempt: live.ordinal(),
            at: self
                .exchange
                .wall
                .plus(self.shared.now().since(self.exchange.started)),
            node: self.shared.ids.node(),
            leg: live.leg(),
            surface: Arc::from(surface.name()),
            route: self.route.clone().unwrap_or_default(),
            provider,
            model,
            who: self.who.clone(),
            estimated_input: live.estimated_input(),
            price,
            estimated_cost,
            config: Arc::clone(&self.exchange.snapshot.hash),
        };
        let put_off = holds.permit.dispatched_later(&record);
        put_off.map_err(|e| self.ledger_unavailable().because(e))?;
        Ok(self.exchange.committer.ask())
    }

    /// The attempt under way is translated, to a target's `surface`.
    pub(crate) fn translated(&mut self, surface: Surface, notes: Notes) {
        self.notes = notes;
        if let Some(live) = &mut self.live {
            live.spoken = Some(surface);
        }
    }

    /// Further notes of the attempt under way.
    pub(crate) fn note(&mut self, more: Notes) {
        self.notes.dropped.extend(more.dropped);
        self.notes.emulated.extend(more.emulated);
    }

    /// The attempt under way.
    pub(crate) fn live(&mut self) -> Option<&mut Live> {
        self.live.as_mut()
    }

    /// Ends the attempt under way.
    pub(crate) fn end_attempt(&mut self, failure: Option<Failure>) {
        if let Some(live) = self.live.take() {
            self.keep_objects(&live);
            let reason = live.said().and_then(|f| f.finish_reason.as_deref());
            self.finish_reason = reason.map(Arc::from);
            let now = self.shared.now();
            let ended = live.close(failure, now, &self.notes);
            if self.shared.lines.logs(Level::Debug) {
                self.tell_attempt(&ended);
            }
            self.attempts.push(ended);
        }
    }

    /// A line of its own, for whoever can't wait for the call's.
    fn tell_attempt(&self, ended: &AttemptRecord) {
        let event = LogEvent::new(self.shared.wall(), Level::Debug, "attempt")
            .field("request_id", &*self.exchange.id_text);
        let event = match &self.exchange.trace {
            Some(trace) => event.field("trace_id", &*trace.trace_id),
            None => event,
        };
        let event = event
            .field("attempt", u64::from(ended.ordinal))
            .field("provider", &*ended.provider)
            .field("model", &*ended.model)
            .field("chosen", &*ended.reason);
        let event = match (ended.class, ended.phase) {
            (Some(class), Some(phase)) => event
                .field("class", class.name())
                .field("phase", phase.name()),
            _ => event,
        };
        self.shared.lines.event(&event);
    }

    /// What the attempt made is its tenant's from now on.
    fn keep_objects(&self, live: &Live) {
        for made in live.said().map_or(&[][..], |f| &f.made) {
            let tenant = &self.who.tenant;
            self.shared.objects.made(tenant, live.target(), made);
        }
    }

    /// Attempts made, the one under way included.
    pub(crate) fn attempts_made(&self) -> usize {
        self.attempts.len() + usize::from(self.live.is_some())
    }

    /// The first attempt that failed, as `cause=` shows it.
    pub(crate) fn first_cause(&self) -> Option<FailureClass> {
        self.attempts.iter().find_map(|a| a.class)
    }

    /// What the attempts that have ended cost.
    pub(crate) fn cost(&self) -> Money {
        self.attempts.iter().map(|a| a.cost).sum()
    }

    /// `since` until now wasn't Lintel's time.
    pub(crate) fn waited_since(&mut self, since: Mono) {
        self.waited += self.shared.now().since(since);
    }

    /// Content goes to the client now, for the first time.
    pub(crate) fn first_content(&mut self) {
        if self.first_token.is_none() {
            self.first_token = Some(self.shared.now());
        }
    }

    /// Lintel's own share of the time until now; fixed by the first call, when the answer's head is made.
    pub(crate) fn overhead(&mut self) -> Duration {
        let (now, started, waited) = (self.shared.now(), self.exchange.started, self.waited);
        *self
            .overhead
            .get_or_insert_with(|| now.since(started).saturating_sub(waited))
    }

    /// Settles, at once and without awaiting: for exchanges whose client gets nothing more.
    pub(crate) fn settle(&mut self, end: End<'_>) {
        if let Some((permit, record)) = self.close(end) {
            // Nobody waits for the ticket: the row is in the journal, or in its memory until the disk takes it.
            let _ = permit.settle(record);
        }
    }

    /// Settles; the row is written with others at the end of the turn. What is given tells when the
    /// terminal bytes may leave; none when they may at once.
    pub(crate) fn settle_later(&mut self, end: End<'_>) -> Option<Settling> {
        let (permit, record) = self.close(end)?;
        let committer = Arc::clone(&self.exchange.committer);
        Some(Settling::new(permit.settle_later(record), committer))
    }

    /// Closes the exchange, once: counts and logs it, and gives what is to be journalled.
    fn close(&mut self, end: End<'_>) -> Option<(Permit, Settled)> {
        if std::mem::replace(&mut self.settled, true) {
            return None;
        }
        let end = if self.gone { drained(end) } else { end };
        self.end_attempt(end.failure);
        let overhead = self.overhead();
        let record = self.record(&end, overhead);
        self.shared.metrics.settled(&record);
        match self.holds.take() {
            Some(holds) => Some((holds.permit, record)),
            // Good calls that cost nothing hold no permit either.
            None => {
                match record.outcome {
                    Outcome::Success => self.shared.lines.call(&record),
                    _ => self.shared.lines.refused(&record, self.shared.now()),
                }
                None
            }
        }
    }
}
