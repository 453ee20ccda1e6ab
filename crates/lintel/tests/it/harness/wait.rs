//! Waiting for what must become true, with a bound: the only place where a test polls.

use std::time::{Duration, Instant};

/// How long anything may take before the test says that it never came. Generous: machines are shared.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const STEP: Duration = Duration::from_millis(10);

/// The first `Some` of `probe`, or a panic that names `what`.
pub(crate) fn eventually<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, probe).unwrap_or_else(|| panic!("never came within {PATIENCE:?}: {what}"))
}

/// Polls until `probe` holds, or panics naming `what`.
pub(crate) fn until(what: &str, mut probe: impl FnMut() -> bool) {
    eventually(what, || probe().then_some(()));
}

/// The first `Some` of `probe` within `bound`.
pub(crate) fn within<T>(bound: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + bound;
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(STEP);
    }
}
