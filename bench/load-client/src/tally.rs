//! Counts what happened and makes the one JSON object that a run prints.
//!
//! Latencies are kept whole (four bytes each, in microseconds) rather than in buckets: a run has
//! at most some million calls, and the percentiles are then exact.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// Latencies of one kind.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

/// A summary in milliseconds.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Summary {
    n: usize,
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
    mean: f64,
}

impl Latencies {
    /// Adds one.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Nearest-rank percentiles; zeros when there is nothing.
    pub(crate) fn summary(&mut self) -> Summary {
        self.0.sort_unstable();
        let n = self.0.len();
        let ms = |micros: u32| f64::from(micros) / 1e3;
        let at = |percent: usize| {
            let rank = (n * percent).div_ceil(100).saturating_sub(1);
            self.0.get(rank).copied().map_or(0.0, ms)
        };
        let sum: f64 = self.0.iter().copied().map(ms).sum();
        let mean = if n == 0 {
            0.0
        } else {
            (sum / n as f64 * 1e3).round() / 1e3
        };
        Summary {
            n,
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: at(100),
            mean,
        }
    }
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls answered as expected.
    pub(crate) ok: u64,
    /// Body bytes of those.
    pub(crate) bytes: u64,
    /// `data:` lines of those.
    pub(crate) events: u64,
    /// Connections opened.
    pub(crate) connections: u64,
    /// From the start (or due time) to the first body byte.
    pub(crate) first: Latencies,
    /// From the start (or due time) to the whole answer.
    pub(crate) total: Latencies,
    live: usize,
    peak: usize,
    errors: BTreeMap<String, u64>,
}

/// What a run prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    secs: f64,
    ok: u64,
    errors: u64,
    error_kinds: &'a BTreeMap<String, u64>,
    per_sec: f64,
    bytes: u64,
    events: u64,
    connections: u64,
    peak_live: usize,
    first_ms: Summary,
    total_ms: Summary,
}

impl Tally {
    /// A call begins.
    pub(crate) fn begin(&mut self) {
        self.live += 1;
        self.peak = self.peak.max(self.live);
    }

    /// A call ends, well or not.
    pub(crate) fn end(&mut self) {
        self.live -= 1;
    }

    /// Counts an error under its name.
    pub(crate) fn error(&mut self, name: String) {
        *self.errors.entry(name).or_default() += 1;
    }

    /// The summary of a run that took `elapsed`.
    pub(crate) fn report(&mut self, elapsed: Duration) -> Report<'_> {
        let secs = elapsed.as_secs_f64();
        Report {
            secs,
            ok: self.ok,
            errors: self.errors.values().sum(),
            error_kinds: &self.errors,
            per_sec: self.ok as f64 / secs,
            bytes: self.bytes,
            events: self.events,
            connections: self.connections,
            peak_live: self.peak,
            first_ms: self.first.summary(),
            total_ms: self.total.summary(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact() {
        let mut latencies = Latencies::default();
        (1..=200)
            .rev()
            .for_each(|ms| latencies.add(Duration::from_millis(ms)));
        let want = Summary {
            n: 200,
            p50: 100.0,
            p95: 190.0,
            p99: 198.0,
            max: 200.0,
            mean: 100.5,
        };
        assert_eq!(latencies.summary(), want);
    }

    #[test]
    fn nothing_is_zero() {
        let want = Summary {
            n: 0,
            p50: 0.0,
            p95: 0.0,
            p99: 0.0,
            max: 0.0,
            mean: 0.0,
        };
        assert_eq!(Latencies::default().summary(), want);
    }

    #[test]
    fn the_peak_is_kept() {
        let mut tally = Tally::default();
        tally.begin();
        tally.begin();
        tally.end();
        tally.begin();
        tally.error("timeout".to_owned());
        let report = tally.report(Duration::from_secs(2));
        assert_eq!((report.peak_live, report.errors), (2, 1));
    }
}
