//! The admit step: is there room for this call, here and in the journal?
//!
//! Refuses early and cheaply, before the body is read. What it takes is given back when the
//! settlement is dropped.

use std::sync::Arc;
use std::time::Duration;

use lintel_policy::{Held, priority};
use lintel_store::Permit;
use lintel_telemetry::Shed;
use lintel_types::{Error, Kind, Priority, Retry};

use crate::control::KnownKey;
use crate::shared::Shared;

/// What an admitted exchange holds until it is settled.
pub(crate) struct Admission {
    /// The right to be recorded.
    pub(crate) permit: Permit,
    /// Its share of the exchanges at once.
    pub(crate) slot: Held,
    /// Its share of those of its key, where they are capped.
    pub(crate) share: Option<Held>,
    /// The gauge of exchanges under way.
    pub(crate) gauge: lintel_telemetry::Held,
}

/// Admits a call of `priority` with this key, or says why not.
pub(crate) fn admit(
    shared: &Arc<Shared>,
    key: &KnownKey,
    priority: Priority,
) -> Result<Admission, Error> {
    if shared.is_draining() {
        return Err(shed(
            shared,
            Shed::Draining,
            "shutting_down",
            "this instance is about to stop: try again, another will answer",
        ));
    }
    let reach = priority::reach(priority, shared.in_flight.capacity());
    let slot = shared.in_flight.hold_within(1, reach).map_err(|_| {
        let text = match priority {
            Priority::Batch => {
                "too many calls are under way for one of batch priority: try again shortly"
            }
            Priority::Normal | Priority::Critical => {
                "too many calls are under way: try again shortly"
            }
        };
        shed(shared, Shed::InFlight, "overloaded", text)
    })?;
    let share = key.in_flight.as_ref().map(|own| own.hold(1)).transpose();
    let share = share.map_err(|_| key_full(shared, key))?;
    let permit = shared.journal.permit().ok_or_else(|| {
        shed(shared, Shed::Journal, "ledger_unavailable", "the ledger can't take another call: try again shortly; operators: check the store's disk")
    })?;
    Ok(Admission {
        permit,
        slot,
        share,
        gauge: shared.metrics.in_flight(),
    })
}

fn key_full(shared: &Shared, key: &KnownKey) -> Error {
    shared.metrics.shed(Shed::Key);
    let most = key.principal.caps.max_in_flight.unwrap_or_default();
    let text = format!(
        "this key may have {most} calls under way at once (its `max_in_flight`): wait for one to end"
    );
    Error::client(Kind::RateLimited, "too_many_in_flight", text)
        .retry(Retry::After(Duration::from_secs(1)))
}

/// A refusal for lack of room: counted, and worth another try.
pub(crate) fn shed(shared: &Shared, reason: Shed, code: &'static str, text: &'static str) -> Error {
    shared.metrics.shed(reason);
    Error::gateway(Kind::Overloaded, code, text).retry(Retry::After(Duration::from_secs(1)))
}
