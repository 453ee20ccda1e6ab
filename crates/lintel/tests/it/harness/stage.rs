//! A provider, a Lintel before it and a key: where most tests begin, and the closing balance where they end.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::books::{Row, Sums};
use crate::harness::client::{Client, Reply, Request};
use crate::harness::config::{Config, UPSTREAM_SECRET};
use crate::harness::dialect::{self, Face};
use crate::harness::metrics::Metrics;
use crate::harness::process::{ADMIN_TOKEN, Key, Lintel};
use crate::harness::provider::{Provider, Seen};
use crate::harness::script::Script;
use crate::harness::wait::{PATIENCE, eventually, until, within};

/// The stage of one test.
pub(crate) struct Stage {
    /// The process under test; stopped before the provider.
    pub(crate) lintel: Lintel,
    /// What stands behind it.
    pub(crate) provider: Provider,
    /// A key that may call anything.
    pub(crate) key: Key,
    next: AtomicU32,
}

impl Stage {
    /// With a provider that answers everything well.
    pub(crate) fn good() -> Stage {
        Stage::new(dialect::answer)
    }

    /// With a provider that follows `choose`.
    pub(crate) fn new(choose: impl Fn(&Seen) -> Script + Send + Sync + 'static) -> Stage {
        Stage::with(choose, |config| config)
    }

    /// With a provider that follows `choose`, and more configuration.
    pub(crate) fn with(
        choose: impl Fn(&Seen) -> Script + Send + Sync + 'static,
        more: impl FnOnce(Config) -> Config,
    ) -> Stage {
        Stage::on(Provider::start(choose), |p| more(Config::of(p)))
    }

    /// With a provider that runs already, and all of the configuration.
    pub(crate) fn on(provider: Provider, config: impl FnOnce(&Provider) -> Config) -> Stage {
        let lintel = Lintel::start(&config(&provider));
        let key = lintel.key(&["--direct"]);
        Stage {
            lintel,
            provider,
            key,
            next: AtomicU32::new(1),
        }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        self.lintel.connect()
    }

    /// A name for one call, by which its log row is found.
    pub(crate) fn session(&self) -> String {
        format!("call-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A request to `model`, a route's name or `provider/model`, with the stage's key.
    pub(crate) fn request(&self, face: Face, model: &str, stream: bool, session: &str) -> Request {
        face.request(&self.key.secret, model, stream)
            .header("x-lintel-session", session)
    }

    /// Calls on a new connection and reads the whole answer: it and the call's name.
    pub(crate) fn call(&self, face: Face, model: &str, stream: bool) -> (Reply, String) {
        let session = self.session();
        let reply = self
            .connect()
            .call(&self.request(face, model, stream, &session));
        (reply, session)
    }

    /// Shows that the process still serves, on both surfaces, streaming and not.
    pub(crate) fn still_serves(&self, good_model: &str) {
        for face in dialect::FACES {
            for stream in [false, true] {
                let (reply, _) = self.call(face, &face.direct(good_model), stream);
                assert_eq!(reply.status, 200, "{face:?} {}", reply.text());
                let whole = if stream {
                    face.client_stream().into_bytes()
                } else {
                    face.answer().to_vec()
                };
                assert_eq!(reply.text(), String::from_utf8_lossy(&whole), "{face:?}");
            }
        }
    }

    /// Waits until nothing is in flight: no exchange, no byte of a body.
    pub(crate) fn idle(&self) {
        until("nothing in flight", || {
            let now = Metrics::of(&self.lintel);
            now.in_flight() == 0.0 && now.in_flight_bytes() == 0.0
        });
    }

    /// The closing balance. `calls` exchanges have one row each, the metrics counted as many, the ledger's
    /// sums are the log's, nothing is in flight, nothing panicked, and no secret was written anywhere.
    pub(crate) fn balance(&self, calls: usize) -> Vec<Row> {
        self.balance_with(calls, 0)
    }

    /// The closing balance, with `unrecorded` calls on top that were refused before anybody was known to
    /// pay for them: counted in metrics, in no row.
    pub(crate) fn balance_with(&self, calls: usize, unrecorded: usize) -> Vec<Row> {
        self.idle();
        let rows = eventually(&format!("{calls} log rows"), || {
            let rows = self.lintel.rows();
            (rows.len() >= calls).then_some(rows)
        });
        let mut ids: Vec<String> = rows.iter().map(Row::exchange).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(
            (rows.len(), ids.len()),
            (calls, calls),
            "one row a call: {rows:#?}"
        );
        let sums = Sums::over(&rows);
        let booked = within(PATIENCE, || (self.lintel.usage() == sums).then_some(()));
        assert!(
            booked.is_some(),
            "the log says {sums:?}, the ledger {:?}",
            self.lintel.usage()
        );
        self.counted(&rows, &sums, unrecorded);
        self.quiet();
        rows
    }

    /// Metrics and log lines say what the rows say: each call, attempt, token and nano-dollar once.
    fn counted(&self, rows: &[Row], sums: &Sums, unrecorded: usize) {
        let now = Metrics::of(&self.lintel);
        let faults = rows.iter().filter(|r| !r.text("code").is_empty()).count();
        let tokens: u64 = sums.meters.values().sum();
        let wanted = [
            ("lintel_requests_total", rows.len() + unrecorded),
            ("lintel_errors_total", faults + unrecorded),
            ("lintel_attempts_total", sums.attempts as usize),
            ("lintel_tokens_total", tokens as usize),
        ];
        for (name, count) in wanted {
            assert_eq!(now.sum(name, &[]), count as f64, "{name}");
        }
        let cost = now.sum("lintel_cost_usd_total", &[]);
        assert_eq!(
            (cost * 1e9).round(),
            sums.cost as f64,
            "lintel_cost_usd_total is {cost}"
        );
        let mut lines = Vec::new();
        let told = within(PATIENCE, || {
            lines = self.lintel.call_lines();
            (lines.len() == rows.len() + unrecorded).then_some(())
        });
        assert!(
            told.is_some(),
            "{} lines of calls for {} rows",
            lines.len(),
            rows.len()
        );
        for row in rows {
            let id = row.exchange();
            let of: Vec<_> = lines
                .iter()
                .filter(|l| l["request_id"] == id.as_str())
                .collect();
            assert!(
                of.len() == 1 && of[0]["outcome"] == row.outcome(),
                "{id} in the log: {of:?}"
            );
        }
    }

    /// Nothing panicked, and neither output holds a secret.
    pub(crate) fn quiet(&self) {
        let said = self.lintel.output();
        assert!(!said.contains("panicked at"), "a panic: {said}");
        for secret in [UPSTREAM_SECRET, ADMIN_TOKEN, &self.key.secret] {
            assert!(!said.contains(secret), "a secret in the process's output");
        }
    }
}
