//! The attempt that is under way: what will be its row when it ends, however it ends.

use std::sync::Arc;
use std::time::Duration;

use lintel_policy::ModelPrices;
use lintel_types::{AttemptRecord, Failure, Leg, MeterLine, Money, Mono, Surface, Usage};
use lintel_wire::dialect::Notes;
use lintel_wire::provider::{ReplyFacts, StreamMeter};
use lintel_wire::surface;

use crate::reserve::PricedAttempt;
use crate::usage::{Seen, booked};

/// An attempt under way.
pub(crate) struct Live {
    ordinal: u8,
    leg: Leg,
    tier: u8,
    provider: Arc<str>,
    model: Arc<str>,
    reason: Arc<str>,
    prices: Option<Arc<ModelPrices>>,
    estimated_input: u64,
    /// The operation costs nothing, whatever comes of it.
    free: bool,
    exchange_started: Mono,
    started: Mono,
    /// The request went out.
    pub(crate) sent: bool,
    /// The provider's status.
    pub(crate) status: Option<u16>,
    /// The provider's own request id.
    pub(crate) provider_request_id: Option<Arc<str>>,
    /// When its first content came.
    pub(crate) first_token: Option<Mono>,
    /// Watches the answer, if it is a stream.
    pub(crate) meter: Option<Box<dyn StreamMeter>>,
    /// The surface that the target was called by, when the attempt was translated.
    pub(crate) spoken: Option<Surface>,
    /// What a whole answer said.
    pub(crate) facts: Option<ReplyFacts>,
}

impl Live {
    pub(crate) fn new(
        ordinal: u8,
        priced: &PricedAttempt,
        estimated_input: u64,
        exchange_started: Mono,
        now: Mono,
    ) -> Self {
        let planned = &priced.candidate.planned;
        let free = surface::spec(priced.candidate.spoken.surface).is_free();
        Self {
            ordinal,
            leg: if ordinal == 1 {
                Leg::Primary
            } else {
                Leg::Retry
            },
            tier: planned.tier,
            provider: Arc::clone(&planned.target.provider),
            model: Arc::clone(&planned.target.model),
            reason: Arc::clone(&planned.reason),
            prices: priced.prices.clone(),
            estimated_input: if free { 0 } else { estimated_input },
            free,
            exchange_started,
            started: now,
            sent: false,
            status: None,
            provider_request_id: None,
            first_token: None,
            meter: None,
            spoken: None,
            facts: None,
        }
    }

    pub(crate) fn leg(&self) -> Leg {
        self.leg
    }

    pub(crate) fn tier(&self) -> u8 {
        self.tier
    }

    /// Provider and model.
    pub(crate) fn target(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.provider), Arc::clone(&self.model))
    }

    pub(crate) fn ordinal(&self) -> u8 {
        self.ordinal
    }

    pub(crate) fn estimated_input(&self) -> u64 {
        self.estimated_input
    }

    /// What the answer has said so far.
    pub(crate) fn said(&self) -> Option<&ReplyFacts> {
        self.meter
            .as_ref()
            .map(|m| m.facts())
            .or(self.facts.as_ref())
    }

    /// Price and cost of input that is only estimated: what an orphan is booked with.
    pub(crate) fn estimated_cost(&self) -> (Option<Arc<str>>, Money) {
        let mut usage = Usage::new();
        usage.add(lintel_types::Meter::Input, self.estimated_input);
        let (lines, cost) = self.rate(&usage);
        (lines.into_iter().find_map(|l| l.price), cost)
    }

    fn rate(&self, usage: &Usage) -> (Vec<MeterLine>, Money) {
        match &self.prices {
            Some(prices) => prices.rate(usage),
            None => {
                let line = |(meter, quantity): &(lintel_types::Meter, u64)| MeterLine {
                    meter: *meter,
                    quantity: *quantity,
                    price: None,
                    cost: Money::ZERO,
                };
                (usage.lines().iter().map(line).collect(), Money::ZERO)
            }
        }
    }

    /// The attempt's row.
    pub(crate) fn close(self, failure: Option<Failure>, now: Mono, notes: &Notes) -> AttemptRecord {
        let seen = Seen {
            sent: self.sent,
            free: self.free,
            status: self.status,
            class: failure.map(|f| f.class),
            facts: self.said(),
            estimated_input: self.estimated_input,
        };
        let usage = booked(&seen);
        let made = self.said().map(|f| f.made.clone()).unwrap_or_default();
        let (lines, cost) = self.rate(&usage);
        let raw_usage = if usage.inconsistent {
            self.said().and_then(|f| f.raw_usage.clone())
        } else {
            None
        };
        AttemptRecord {
            ordinal: self.ordinal,
            leg: self.leg,
            tier: self.tier,
            status: self.status,
            class: failure.map(|f| f.class),
            phase: failure.map(|f| f.phase),
            start_us: micros(self.started.since(self.exchange_started)),
            first_token_us: self.first_token.map(|at| micros(at.since(self.started))),
            duration_us: micros(now.since(self.started)),
            unpriced: self.prices.is_none() && !lines.is_empty(),
            lines,
            cost,
            estimated: usage.estimated,
            inconsistent: usage.inconsistent,
            raw_usage,
            provider: self.provider,
            model: self.model,
            reason: self.reason,
            provider_request_id: self.provider_request_id,
            made,
            spoken: self.spoken.map(|s| Arc::from(s.name())),
            dropped: shared(&notes.dropped),
            emulated: shared(&notes.emulated),
        }
    }
}

fn shared(paths: &[String]) -> Vec<Arc<str>> {
    paths.iter().map(|p| Arc::from(p.as_str())).collect()
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
