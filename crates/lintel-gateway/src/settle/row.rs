//! The settled exchange's row: everything that is known of it when it ends.

use std::sync::Arc;
use std::time::Duration;

use lintel_types::{ExchangeKind, Settled};

use super::Settlement;
use crate::end::End;
use crate::live::micros;

impl Settlement {
    pub(super) fn record(&mut self, end: &End<'_>, overhead: Duration) -> Settled {
        let now = self.shared.now();
        let started = self.exchange.started;
        let cost = self.cost();
        Settled {
            exchange: self.exchange.id,
            exchange_kind: ExchangeKind::Call,
            sequence: 1,
            started: self.exchange.wall,
            node: self.shared.ids.node(),
            who: std::mem::take(&mut self.who),
            surface: self.exchange.surface.map(|s| Arc::from(s.name())),
            route: self.route.take(),
            stream: self.stream,
            priority: self.priority,
            outcome: end.outcome,
            status: end.status,
            code: end.code.map(Arc::from),
            side: end.side,
            reason: end.reason.as_deref().map(Arc::from),
            attempts: std::mem::take(&mut self.attempts),
            cost,
            duration_us: micros(now.since(started)),
            first_token_us: self.first_token.map(|at| micros(at.since(started))),
            overhead_us: micros(overhead),
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            client_request_id: self.exchange.client_request_id.take(),
            trace_id: self.exchange.trace.take().map(|t| t.trace_id),
            client_subject: self.exchange.client_subject.take(),
            degraded: self.degraded.take(),
            finish_reason: self.finish_reason.take(),
            config: Arc::clone(&self.exchange.snapshot.hash),
        }
    }
}
