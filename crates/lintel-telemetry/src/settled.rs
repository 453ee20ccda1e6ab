//! What one settled exchange adds to the metrics: everything is read from its record.
//!
//! Corrections (sequence above 1) re-rate what was already counted and are left to the ledger:
//! counters only go up.

use lintel_types::{AttemptRecord, Meter, Outcome, Settled};

use crate::metrics::{Metrics, OUTCOMES, SpendCells, TargetCells};

/// The label of a route or surface that there was none of.
const NONE: &str = "none";

/// Outcomes in the order of their slots.
pub(crate) const OUTCOME_ORDER: [Outcome; OUTCOMES] = [
    Outcome::Success,
    Outcome::ClientError,
    Outcome::GatewayError,
    Outcome::ProviderError,
    Outcome::Cancelled,
    Outcome::Shutdown,
    Outcome::Panicked,
    Outcome::Revoked,
];

/// An outcome's slot. A new outcome does not compile until it has one.
const fn slot(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Success => 0,
        Outcome::ClientError => 1,
        Outcome::GatewayError => 2,
        Outcome::ProviderError => 3,
        Outcome::Cancelled => 4,
        Outcome::Shutdown => 5,
        Outcome::Panicked => 6,
        Outcome::Revoked => 7,
    }
}

impl Metrics {
    /// Counts one exchange that has ended. Costs two or three read locks and a handful of atomic
    /// additions a call; allocates only when a label set is seen for the first time.
    pub fn settled(&self, record: &Settled) {
        if record.sequence > 1 {
            return;
        }
        let surface = record.surface.as_deref().unwrap_or(NONE);
        let route = record.route.as_deref().unwrap_or(NONE);
        self.cells.calls.with([surface, route], |cells| {
            let counter = cells
                .requests
                .get(slot(record.outcome))
                .and_then(|c| c.get(usize::from(record.stream)));
            if let Some(counter) = counter {
                counter.add(1);
            }
            cells.duration.observe_us(record.duration_us);
        });
        if let (Some(code), Some(side)) = (&record.code, record.side) {
            self.cells
                .errors
                .with([code, side.name()], |counter| counter.add(1));
        }
        self.cells.overhead.observe_us(record.overhead_us);
        self.cells.request_bytes.add(record.request_bytes);
        self.cells.response_bytes.add(record.response_bytes);
        for attempt in &record.attempts {
            self.attempt(attempt, &record.who.tenant);
        }
    }

    fn attempt(&self, attempt: &AttemptRecord, tenant: &str) {
        let (provider, model) = (&*attempt.provider, &*attempt.model);
        self.cells
            .targets
            .with([provider, model], |cells| target(cells, attempt));
        if let Some(class) = attempt.class {
            self.cells
                .failures
                .with([provider, model, class.name()], |counter| counter.add(1));
        }
        if !attempt.lines.is_empty() {
            self.cells
                .spend
                .with([provider, model, tenant], |cells| spend(cells, attempt));
        }
    }
}

fn target(cells: &TargetCells, attempt: &AttemptRecord) {
    if attempt.class.is_none() {
        cells.ok.add(1);
    }
    if let Some(us) = attempt.first_token_us {
        cells.first_token.observe_us(us);
    }
    let flags = [
        (attempt.estimated, &cells.estimated),
        (attempt.inconsistent, &cells.inconsistent),
        (attempt.unpriced, &cells.unpriced),
    ];
    flags
        .into_iter()
        .filter(|(set, _)| *set)
        .for_each(|(_, counter)| counter.add(1));
}

fn spend(cells: &SpendCells, attempt: &AttemptRecord) {
    for line in &attempt.lines {
        let at = Meter::ALL.iter().position(|m| *m == line.meter);
        if let Some(counter) = at.and_then(|at| cells.meters.get(at)) {
            counter.add(line.quantity);
        }
    }
    // A first settlement books charges, never credits; a negative sum would wrap the counter.
    cells
        .cost_nanos
        .add(u64::try_from(attempt.cost.nanos()).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_order_agree() {
        for (at, outcome) in OUTCOME_ORDER.into_iter().enumerate() {
            assert_eq!(slot(outcome), at, "{}", outcome.name());
        }
    }
}
