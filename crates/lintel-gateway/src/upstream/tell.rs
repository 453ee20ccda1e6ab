//! Tells in the log why a provider isn't reached: the first time, when the reason changes, and then at most once
//! in ten seconds, with how many were like it. A provider that is down fails every call, and must not fill a disk.
//!
//! Clients are never told: hosts and addresses stay here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lintel_telemetry::{Level, LogEvent};
use lintel_types::{FailureClass, Mono};
use parking_lot::Mutex;

use crate::shared::Shared;

/// How often one provider's failures are told while they go on alike.
const EVERY: Duration = Duration::from_secs(10);

/// What has been told, by provider. Bounded by the providers of the configurations that were in force.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashMap<(Arc<str>, FailureClass), Last>>);

struct Last {
    at: Option<Mono>,
    untold: u64,
}

impl Told {
    /// Whether a failure at `now` is told, and how many went before it untold.
    fn next(&self, provider: &Arc<str>, class: FailureClass, now: Mono) -> Option<u64> {
        let mut last = self.0.lock();
        let last = last.entry((Arc::clone(provider), class)).or_insert(Last {
            at: None,
            untold: 0,
        });
        if last.at.is_some_and(|at| now.since(at) < EVERY) {
            last.untold += 1;
            return None;
        }
        last.at = Some(now);
        Some(std::mem::take(&mut last.untold))
    }
}

/// No connection to `provider`, because of `why`: counted, and told unless it was told just now.
pub(super) fn unreached(shared: &Shared, provider: &Arc<str>, class: FailureClass, why: &str) {
    shared.metrics.upstream_failed(provider, class.name());
    let Some(untold) = shared.told.next(provider, class, shared.now()) else {
        return;
    };
    let event = LogEvent::new(shared.wall(), Level::Warn, "provider not reached")
        .field("provider", &**provider)
        .field("class", class.name())
        .field("error", why)
        .field("more_before", untold);
    shared.lines.event(&event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_alike_are_told_once_in_a_while_and_counted() {
        let told = Told::default();
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
        let at = |s| Mono(Duration::from_secs(s));
        let (connect, tls) = (FailureClass::Connect, FailureClass::Tls);
        assert_eq!(told.next(&a, connect, at(0)), Some(0));
        assert_eq!(told.next(&b, connect, at(1)), Some(0), "another provider");
        assert_eq!(told.next(&a, connect, at(1)), None);
        assert_eq!(told.next(&a, connect, at(9)), None);
        assert_eq!(told.next(&a, connect, at(10)), Some(2));
        assert_eq!(told.next(&a, tls, at(11)), Some(0), "another reason");
        assert_eq!(told.next(&a, tls, at(12)), None);
        assert_eq!(told.next(&a, connect, at(13)), None, "they take turns");
    }
}
