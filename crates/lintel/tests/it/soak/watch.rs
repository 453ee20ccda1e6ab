//! What is looked at while the soak runs, minute by minute, and the verdict over it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::wait::{PATIENCE, within};
use crate::harness::{Lintel, Metrics, Stage};

/// One look.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    resident: u64,
    files: u64,
    threads: u64,
    in_flight: u64,
    connections: u64,
    calls: u64,
}

/// All looks.
#[derive(Debug, Default)]
pub(crate) struct Watch(Vec<Look>);

/// The minute against which the end is held: by then pools, caches and tables have their size.
const SETTLED: u64 = 5;

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch::default()
    }

    /// Looks.
    pub(crate) fn look(&mut self, stage: &Stage, at: Duration) {
        let now = Metrics::of(&stage.lintel);
        self.0.push(Look {
            at,
            resident: stage.lintel.resident(),
            files: stage.lintel.files() as u64,
            threads: stage.lintel.threads(),
            in_flight: now.in_flight() as u64,
            connections: now.sum("lintel_connections", &[]) as u64,
            calls: now.calls(&[]) as u64,
        });
        if self.0.len().is_multiple_of(20) {
            // What has been said and seen was looked at; it is not kept for the whole time.
            stage.quiet();
            stage.lintel.forget_output();
            stage.provider.forget();
        }
    }

    /// The median of `what` in minute `minute` (from 1), if it was looked at then.
    fn median(&self, minute: u64, what: fn(&Look) -> u64) -> Option<u64> {
        let within = |l: &&Look| l.at.as_secs() / 60 + 1 == minute;
        let mut values: Vec<u64> = self.0.iter().filter(within).map(what).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    }

    fn minutes(&self) -> u64 {
        self.0.last().map_or(0, |l| l.at.as_secs() / 60 + 1)
    }

    /// The table, a row a minute.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from(
            "| minute | resident, MB | files | threads | in flight | connections | calls so far |\n|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for minute in 1..=self.minutes() {
            let of = |what| self.median(minute, what).unwrap_or_default();
            let _ = writeln!(
                out,
                "| {minute} | {:.1} | {} | {} | {} | {} | {} |",
                of(|l| l.resident) as f64 / f64::from(1 << 20),
                of(|l| l.files),
                of(|l| l.threads),
                of(|l| l.in_flight),
                of(|l| l.connections),
                of(|l| l.calls)
            );
        }
        out
    }

    /// Fails when something grew.
    pub(crate) fn verdict(&self, stage: &Stage) {
        // The last minute that was whole.
        let last = self.minutes().saturating_sub(1);
        if last > SETTLED {
            let of = |minute, what| self.median(minute, what).unwrap();
            let (then, now) = (of(SETTLED, |l| l.resident), of(last, |l| l.resident));
            println!(
                "resident memory: {then} bytes in minute {SETTLED}, {now} in minute {last}: {:+.2} %",
                (now as f64 / then as f64 - 1.0) * 100.0
            );
            assert!(
                now as f64 <= then as f64 * 1.05,
                "memory grew from {then} to {now} bytes"
            );
            for (name, what) in [
                ("threads", (|l| l.threads) as fn(&Look) -> u64),
                ("connections", |l| l.connections),
                ("files", |l| l.files),
            ] {
                let (then, now) = (of(SETTLED, what), of(last, what));
                // A handful of connections come and go at every moment.
                assert!(now <= then + 8, "{name} grew from {then} to {now}");
            }
        }
        let first = self.0.first().unwrap();
        let quiet = within(PATIENCE, || {
            let now = Metrics::of(&stage.lintel);
            (now.in_flight() == 0.0
                && now.in_flight_bytes() == 0.0
                && now.sum("lintel_connections", &[]) == 0.0
                && now.sum("lintel_journal_pending", &[]) == 0.0)
                .then_some(())
        });
        assert!(quiet.is_some(), "gauges of an idle process are not 0");
        let threads = stage.lintel.threads();
        assert!(
            threads <= first.threads + 1,
            "{} threads, then {threads}",
            first.threads
        );
    }
}

/// What the ledger says of one feature.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Booked {
    pub(crate) requests: u64,
    pub(crate) tokens: u64,
}

impl Booked {
    pub(crate) fn of(lintel: &Lintel, feature: &str) -> Booked {
        let text = lintel.cli(&["usage", "--by", "feature", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows = json["data"].as_array().unwrap();
        let mut booked = Booked::default();
        for row in rows.iter().filter(|r| r["feature"] == feature) {
            booked.requests += row["requests"].as_u64().unwrap();
            booked.tokens += row["meters"]
                .as_object()
                .unwrap()
                .values()
                .map(|v| v.as_u64().unwrap())
                .sum::<u64>();
        }
        booked
    }

    pub(crate) fn fits(&self, wanted: &(u64, Option<u64>)) -> bool {
        self.requests == wanted.0 && wanted.1.is_none_or(|t| t == self.tokens)
    }
}
