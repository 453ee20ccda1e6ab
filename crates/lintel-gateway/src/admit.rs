//! The admit step: is there room for this call, here and in the journal?
//!
//! Refuses early and cheaply, before the body is read. What it takes is given back when the
//! settlement is dropped.

use std::sync::Arc;
use std::time::Duration;

use lintel_policy::Held;
use lintel_store::Permit;
use lintel_telemetry::Shed;
use lintel_types::{Error, Kind, Retry};

use crate::shared::Shared;

/// What an admitted exchange holds until it is settled.
pub(crate) struct Admission {
    /// The right to be recorded.
    pub(crate) permit: Permit,
    /// Its share of the exchanges at once.
    pub(crate) slot: Held,
    /// The gauge of exchanges under way.
    pub(crate) gauge: lintel_telemetry::Held,
}

/// Admits a call, or says why not.
pub(crate) fn admit(shared: &Arc<Shared>) -> Result<Admission, Error> {
    if shared.is_draining() {
        return Err(shed(
            shared,
            Shed::Draining,
            "shutting_down",
            "this instance is about to stop: try again, another will answer",
        ));
    }
    let slot = shared.in_flight.hold(1).map_err(|_| {
        shed(
            shared,
            Shed::InFlight,
            "overloaded",
            "too many calls are under way: try again shortly",
        )
    })?;
    let permit = shared.journal.permit().ok_or_else(|| {
        shed(shared, Shed::Journal, "ledger_unavailable", "the ledger can't take another call: try again shortly; operators: check the store's disk")
    })?;
    Ok(Admission {
        permit,
        slot,
        gauge: shared.metrics.in_flight(),
    })
}

/// A refusal for lack of room: counted, and worth another try.
pub(crate) fn shed(shared: &Shared, reason: Shed, code: &'static str, text: &'static str) -> Error {
    shared.metrics.shed(reason);
    Error::gateway(Kind::Overloaded, code, text).retry(Retry::After(Duration::from_secs(1)))
}
