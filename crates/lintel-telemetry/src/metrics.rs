//! The metrics of one process: typed events in, text out.
//!
//! Everything that is known once an exchange ends is taken from its [`Settled`](lintel_types::Settled)
//! record, so metrics, log and ledger can't tell three stories. Live here only what no record holds:
//! what is under way, what has run out, and which configuration is in force.

use std::sync::Arc;

use lintel_types::{Meter, Orphaned};
use parking_lot::Mutex;

use crate::cell::{Counter, Gauge, Histogram};
use crate::lines::{LineReader, LineWriter};
use crate::series::Series;
use crate::settings::Settings;
use crate::shed::Shed;
use crate::transport::{Cut, Handshake, Listener};
use crate::upstream::UpstreamSeries;

/// Label sets a family holds unless told otherwise.
const DEFAULT_LIMIT: usize = 1_000;

/// Upper bounds of the gateway's own share, in microseconds: 10 µs to 1 s.
const OVERHEAD_US: &[u64] = &[
    10, 25, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000,
    1_000_000,
];
/// Upper bounds of the time to the first content: 1 ms to 60 s.
const FIRST_TOKEN_US: &[u64] = &[
    1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000, 60_000_000,
];
/// Upper bounds of an exchange's duration: 5 ms to 10 min.
const DURATION_US: &[u64] = &[
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
    600_000_000,
];

/// Outcomes, in the order of [`CallCells::requests`].
pub(crate) const OUTCOMES: usize = 8;

/// What one (surface, route) is counted in.
#[derive(Debug)]
pub(crate) struct CallCells {
    /// By outcome, then not streamed and streamed.
    pub(crate) requests: [[Counter; 2]; OUTCOMES],
    pub(crate) duration: Histogram,
}

impl CallCells {
    fn new() -> Self {
        Self {
            requests: Default::default(),
            duration: Histogram::new(DURATION_US),
        }
    }
}

/// What one (provider, model) is counted in.
#[derive(Debug)]
pub(crate) struct TargetCells {
    pub(crate) ok: Counter,
    pub(crate) first_token: Histogram,
    pub(crate) estimated: Counter,
    pub(crate) inconsistent: Counter,
    pub(crate) unpriced: Counter,
}

impl TargetCells {
    fn new() -> Self {
        Self {
            ok: Counter::default(),
            first_token: Histogram::new(FIRST_TOKEN_US),
            estimated: Counter::default(),
            inconsistent: Counter::default(),
            unpriced: Counter::default(),
        }
    }
}

/// What one (provider, model, tenant) is counted in.
#[derive(Debug, Default)]
pub(crate) struct SpendCells {
    /// In the order of [`Meter::ALL`].
    pub(crate) meters: [Counter; Meter::ALL.len()],
    pub(crate) cost_nanos: Counter,
}

/// How a reload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The new configuration is in force.
    Applied,
    /// The new configuration has errors; the last good one stays.
    Refused,
}

impl Reload {
    /// Both ends.
    pub const ALL: [Reload; 2] = [Reload::Applied, Reload::Refused];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            Reload::Applied => "applied",
            Reload::Refused => "refused",
        }
    }
}

/// What the process has taken of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Process {
    /// Bytes of memory that are resident.
    pub resident_bytes: u64,
    /// Files, sockets included, that are open.
    pub open_files: u64,
    /// Files that may be open.
    pub max_files: u64,
    /// Threads.
    pub threads: u64,
    /// Seconds of processor time, its own and the kernel's for it.
    pub cpu_seconds: f64,
    /// When it began, in seconds since the epoch.
    pub started_seconds: f64,
}

type ProcessWatch = Box<dyn Fn() -> Option<Process> + Send + Sync>;

/// Why the control API refused a request before it read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminRefusal {
    /// No token was shown.
    Missing,
    /// A token that nobody has.
    Wrong,
    /// A token that is revoked, or whose time is over.
    Over,
    /// Not looked at: too many wrong ones came before.
    Throttled,
    /// The role may not do what was asked.
    Forbidden,
}

impl AdminRefusal {
    /// Every reason.
    pub const ALL: [AdminRefusal; 5] = [
        AdminRefusal::Missing,
        AdminRefusal::Wrong,
        AdminRefusal::Over,
        AdminRefusal::Throttled,
        AdminRefusal::Forbidden,
    ];

    /// The label.
    pub const fn name(self) -> &'static str {
        match self {
            AdminRefusal::Missing => "missing",
            AdminRefusal::Wrong => "wrong",
            AdminRefusal::Over => "over",
            AdminRefusal::Throttled => "throttled",
            AdminRefusal::Forbidden => "forbidden",
        }
    }
}

type Watch = Box<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct Cells {
    pub(crate) calls: Series<2, CallCells>,
    pub(crate) targets: Series<2, TargetCells>,
    pub(crate) failures: Series<3, Counter>,
    pub(crate) spend: Series<3, SpendCells>,
    pub(crate) errors: Series<2, Counter>,
    pub(crate) shed: [Counter; Shed::ALL.len()],
    pub(crate) reloads: [Counter; Reload::ALL.len()],
    pub(crate) admin_refusals: [Counter; AdminRefusal::ALL.len()],
    pub(crate) overhead: Histogram,
    pub(crate) request_bytes: Counter,
    pub(crate) response_bytes: Counter,
    pub(crate) in_flight: Gauge,
    pub(crate) in_flight_bytes: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) connections_opened: Counter,
    pub(crate) upstream: UpstreamSeries,
    /// By listener, then by end.
    pub(crate) handshakes: [[Counter; Handshake::ALL.len()]; Listener::ALL.len()],
    pub(crate) cuts: [Counter; Cut::ALL.len()],
    /// By listener: until when its certificate holds, in seconds since 1970.
    pub(crate) certificates: Mutex<[Option<i64>; Listener::ALL.len()]>,
    pub(crate) orphaned: Counter,
    pub(crate) lines_dropped: Counter,
    pub(crate) lines_suppressed: Counter,
    pub(crate) lines_unsampled: Counter,
    pub(crate) config: Mutex<Arc<str>>,
    pub(crate) journal_pending: Mutex<Option<Watch>>,
    pub(crate) process: Mutex<Option<ProcessWatch>>,
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cells").finish_non_exhaustive()
    }
}

/// The metrics of one process. Clones share their cells.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) cells: Arc<Cells>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

impl Metrics {
    /// Metrics whose families hold at most `limit` label sets each.
    pub fn new(limit: usize) -> Self {
        let cells = Cells {
            calls: Series::new(limit, CallCells::new),
            targets: Series::new(limit, TargetCells::new),
            failures: Series::new(limit, Counter::default),
            spend: Series::new(limit, SpendCells::default),
            errors: Series::new(limit, Counter::default),
            shed: Default::default(),
            reloads: Default::default(),
            admin_refusals: Default::default(),
            overhead: Histogram::new(OVERHEAD_US),
            request_bytes: Counter::default(),
            response_bytes: Counter::default(),
            in_flight: Gauge::default(),
            in_flight_bytes: Gauge::default(),
            connections: Gauge::default(),
            connections_opened: Counter::default(),
            upstream: UpstreamSeries::new(limit),
            handshakes: Default::default(),
            cuts: Default::default(),
            certificates: Mutex::default(),
            orphaned: Counter::default(),
            lines_dropped: Counter::default(),
            lines_suppressed: Counter::default(),
            lines_unsampled: Counter::default(),
            config: Mutex::new(Arc::from("")),
            journal_pending: Mutex::new(None),
            process: Mutex::new(None),
        };
        Self {
            cells: Arc::new(cells),
        }
    }

    /// An exchange is under way until the value is dropped.
    pub fn in_flight(&self) -> Held {
        Held::new(&self.cells, |c| &c.in_flight, 1)
    }

    /// `bytes` of a request's body are held until the value is dropped.
    pub fn in_flight_bytes(&self, bytes: u64) -> Held {
        Held::new(&self.cells, |c| &c.in_flight_bytes, bytes)
    }

    /// A client's connection is open until the value is dropped.
    pub fn connection(&self) -> Held {
        self.cells.connections_opened.add(1);
        Held::new(&self.cells, |c| &c.connections, 1)
    }

    /// A call or connection was refused because something had run out.
    pub fn shed(&self, reason: Shed) {
        if let Some(counter) = self.cells.shed.get(reason as usize) {
            counter.add(1);
        }
    }

    /// An exchange of a process that died was found.
    pub fn orphaned(&self, _orphan: &Orphaned) {
        self.cells.orphaned.add(1);
    }

    /// The control API refused a request before it read it.
    pub fn admin_refused(&self, why: AdminRefusal) {
        if let Some(counter) = self.cells.admin_refusals.get(why as usize) {
            counter.add(1);
        }
    }

    /// A reload ended.
    pub fn reloaded(&self, how: Reload) {
        if let Some(counter) = self.cells.reloads.get(how as usize) {
            counter.add(1);
        }
    }

    /// The configuration with this hash is in force.
    pub fn config_applied(&self, hash: &Arc<str>) {
        *self.cells.config.lock() = Arc::clone(hash);
    }

    /// Where the journal's pending count is read at each scrape; the last one given wins.
    pub fn watch_journal(&self, pending: impl Fn() -> u64 + Send + Sync + 'static) {
        *self.cells.journal_pending.lock() = Some(Box::new(pending));
    }

    /// Where the process's own figures are read at each scrape; the last one given wins.
    pub fn watch_process(&self, read: impl Fn() -> Option<Process> + Send + Sync + 'static) {
        *self.cells.process.lock() = Some(Box::new(read));
    }

    /// A queue of at most `capacity` log lines by `settings`; lines that find no room are
    /// counted here. The reader belongs to the thread that writes.
    pub fn lines(
        &self,
        capacity: usize,
        settings: impl Into<Settings>,
    ) -> (LineWriter, LineReader) {
        LineWriter::new(capacity, settings.into(), Arc::clone(&self.cells))
    }
}

/// A share of a gauge, given back when dropped.
#[derive(Debug)]
#[must_use = "the gauge goes down again when this is dropped"]
pub struct Held {
    cells: Arc<Cells>,
    gauge: fn(&Cells) -> &Gauge,
    amount: i64,
}

impl Held {
    fn new(cells: &Arc<Cells>, gauge: fn(&Cells) -> &Gauge, amount: u64) -> Self {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        gauge(cells).add(amount);
        Self {
            cells: Arc::clone(cells),
            gauge,
            amount,
        }
    }

    /// Holds `more` as well.
    pub fn grow(&mut self, more: u64) {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        (self.gauge)(&self.cells).add(more);
        self.amount = self.amount.saturating_add(more);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        (self.gauge)(&self.cells).add(self.amount.saturating_neg());
    }
}
