//! Every metric's name, kind, unit, labels and meaning, in the order in which they are shown.
//!
//! A name is a contract: dashboards and alerts hang on it. It is never reused for another meaning.
//! The exposition and `docs/metrics.md` are both made from this list, so neither can drift.

use std::borrow::Cow;

/// What kind of series a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only goes up; `_total` is appended.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
    /// A constant 1 whose labels are the information; `_info` is appended.
    Info,
}

impl FamilyKind {
    /// The name on the documentation page.
    pub const fn name(self) -> &'static str {
        match self {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Histogram => "histogram",
            FamilyKind::Info => "info",
        }
    }
}

/// One metric family.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The name without unit and suffix.
    pub name: &'static str,
    /// Its kind.
    pub kind: FamilyKind,
    /// The unit, which ends the name; none for plain counts.
    pub unit: Option<&'static str>,
    /// The labels, in order.
    pub labels: &'static [&'static str],
    /// What it says, as one sentence.
    pub help: &'static str,
}

impl Family {
    /// The name as a query writes it: unit and suffix included (for a histogram, the stem).
    pub fn full_name(&self) -> Cow<'static, str> {
        let suffix = match self.kind {
            FamilyKind::Counter => "_total",
            FamilyKind::Info => "_info",
            FamilyKind::Gauge | FamilyKind::Histogram => "",
        };
        match self.unit {
            None if suffix.is_empty() => Cow::Borrowed(self.name),
            None => Cow::Owned(format!("{}{suffix}", self.name)),
            Some(unit) => Cow::Owned(format!("{}_{unit}{suffix}", self.name)),
        }
    }
}

macro_rules! family {
    ($name:ident, $text:literal, $kind:ident, $unit:expr, [$($label:literal),*], $help:literal) => {
        #[doc = $help]
        pub const $name: Family =
            Family { name: $text, kind: FamilyKind::$kind, unit: $unit, labels: &[$($label),*], help: $help };
    };
}

family!(
    REQUESTS,
    "lintel_requests",
    Counter,
    None,
    ["surface", "route", "outcome", "stream"],
    "Exchanges settled, by how they ended."
);
family!(
    ERRORS,
    "lintel_errors",
    Counter,
    None,
    ["code", "side"],
    "Exchanges that ended in an error, by its stable code and whose fault it was."
);
family!(
    SHED,
    "lintel_shed",
    Counter,
    None,
    ["reason"],
    "Calls and connections refused to protect the process, by what had run out."
);
family!(
    ATTEMPTS,
    "lintel_attempts",
    Counter,
    None,
    ["provider", "model", "result"],
    "Attempts made, by target and by `ok` or the failure's class."
);
family!(
    TOKENS,
    "lintel_tokens",
    Counter,
    None,
    ["meter", "provider", "model", "tenant"],
    "Tokens metered; no token is in two meters."
);
family!(
    UNITS,
    "lintel_units",
    Counter,
    None,
    ["meter", "provider", "model", "tenant"],
    "What is metered but is no token: searches, charged requests."
);
family!(
    COST,
    "lintel_cost",
    Counter,
    Some("usd"),
    ["provider", "model", "tenant"],
    "Cost booked, summed exactly in nano-dollars and shown in dollars; the ledger is the source of truth."
);
family!(
    USAGE_FLAGS,
    "lintel_usage_flags",
    Counter,
    None,
    ["provider", "model", "flag"],
    "Attempts whose usage is estimated, inconsistent or unpriced."
);
family!(
    FIRST_TOKEN,
    "lintel_first_token",
    Histogram,
    Some("seconds"),
    ["provider", "model"],
    "From the start of an attempt to its first content."
);
family!(
    DURATION,
    "lintel_request_duration",
    Histogram,
    Some("seconds"),
    ["surface", "route"],
    "From the first byte in to the last byte out."
);
family!(
    OVERHEAD,
    "lintel_overhead",
    Histogram,
    Some("seconds"),
    [],
    "The gateway's own share of the time to the first answer byte."
);
family!(
    REQUEST_BYTES,
    "lintel_request",
    Counter,
    Some("bytes"),
    [],
    "Bytes of request bodies."
);
family!(
    RESPONSE_BYTES,
    "lintel_response",
    Counter,
    Some("bytes"),
    [],
    "Bytes of answer bodies."
);
family!(
    IN_FLIGHT,
    "lintel_in_flight",
    Gauge,
    None,
    [],
    "Exchanges under way."
);
family!(
    IN_FLIGHT_BYTES,
    "lintel_in_flight",
    Gauge,
    Some("bytes"),
    [],
    "Bytes of request bodies held now."
);
family!(
    CONNECTIONS,
    "lintel_connections",
    Gauge,
    None,
    [],
    "Client connections open now."
);
family!(
    CONNECTIONS_OPENED,
    "lintel_connections_opened",
    Counter,
    None,
    [],
    "Client connections accepted."
);
family!(
    CONNECTIONS_CUT,
    "lintel_connections_cut",
    Counter,
    None,
    ["rule"],
    "Connections, and streams of HTTP/2 ones, that were ended because the client was too slow, silent or hasty."
);
family!(
    HANDSHAKES,
    "lintel_tls_handshakes",
    Counter,
    None,
    ["listener", "result"],
    "TLS handshakes with clients, by how they ended."
);
family!(
    CERTIFICATE,
    "lintel_tls_certificate_not_after",
    Gauge,
    Some("seconds"),
    ["listener"],
    "Until when a listener's certificate holds, in seconds since 1970."
);
family!(
    JOURNAL_PENDING,
    "lintel_journal_pending",
    Gauge,
    None,
    [],
    "Journal slots in use: settled records not yet written, and exchanges that hold one."
);
family!(
    ORPHANED,
    "lintel_orphaned",
    Counter,
    None,
    [],
    "Dispatched exchanges found at start whose process died before settling them."
);
family!(
    CONFIG,
    "lintel_config",
    Info,
    None,
    ["hash"],
    "The configuration in force."
);
family!(
    BUILD,
    "lintel_build",
    Info,
    None,
    ["version"],
    "The version that runs."
);
family!(
    RELOADS,
    "lintel_reloads",
    Counter,
    None,
    ["result"],
    "Configuration reloads, applied or refused; a refused one changes nothing."
);
family!(
    ADMIN_REFUSALS,
    "lintel_admin_refusals",
    Counter,
    None,
    ["reason"],
    "Requests that the control API refused before reading them: no token, a wrong one, one that is over, too many wrong ones before, or a role that may not."
);
family!(
    LINES_DROPPED,
    "lintel_log_lines_dropped",
    Counter,
    None,
    [],
    "Log lines dropped because the writer was behind."
);
family!(
    LINES_SUPPRESSED,
    "lintel_log_lines_suppressed",
    Counter,
    None,
    [],
    "Log lines of refusals that were left out because too many came in one second."
);
family!(
    LINES_UNSAMPLED,
    "lintel_log_lines_unsampled",
    Counter,
    None,
    [],
    "Calls without a log line, because `log.calls` is off or `log.sample` left them out."
);
family!(
    RESIDENT,
    "process_resident_memory",
    Gauge,
    Some("bytes"),
    [],
    "Memory of the process that is resident."
);
family!(
    OPEN_FILES,
    "process_open_fds",
    Gauge,
    None,
    [],
    "Files that the process has open, sockets included."
);
family!(
    MAX_FILES,
    "process_max_fds",
    Gauge,
    None,
    [],
    "Files that the process may have open."
);
family!(
    THREADS,
    "process_threads",
    Gauge,
    None,
    [],
    "Threads of the process."
);
family!(
    STARTED,
    "process_start_time",
    Gauge,
    Some("seconds"),
    [],
    "When the process began, in seconds since 1970."
);
family!(
    CPU,
    "process_cpu",
    Counter,
    Some("seconds"),
    [],
    "Processor time of the process, the kernel's for it included."
);
family!(
    FOLDED,
    "lintel_series_folded",
    Counter,
    None,
    ["group"],
    "Events counted under `other` because their group of families (calls, targets, failures, spend, errors, connections) had no room for a new label set."
);

mod upstream;

pub use upstream::{UPSTREAM, UPSTREAM_FAILED, UPSTREAM_OPENED, UPSTREAM_REUSED};

/// Every family, in the order in which they are shown.
pub const ALL: &[&Family] = &[
    &REQUESTS,
    &ERRORS,
    &SHED,
    &ATTEMPTS,
    &TOKENS,
    &UNITS,
    &COST,
    &USAGE_FLAGS,
    &FIRST_TOKEN,
    &DURATION,
    &OVERHEAD,
    &REQUEST_BYTES,
    &RESPONSE_BYTES,
    &IN_FLIGHT,
    &IN_FLIGHT_BYTES,
    &CONNECTIONS,
    &CONNECTIONS_OPENED,
    &UPSTREAM,
    &UPSTREAM_OPENED,
    &UPSTREAM_REUSED,
    &UPSTREAM_FAILED,
    &CONNECTIONS_CUT,
    &HANDSHAKES,
    &CERTIFICATE,
    &JOURNAL_PENDING,
    &ORPHANED,
    &CONFIG,
    &BUILD,
    &RELOADS,
    &ADMIN_REFUSALS,
    &LINES_DROPPED,
    &LINES_SUPPRESSED,
    &LINES_UNSAMPLED,
    &FOLDED,
    &RESIDENT,
    &OPEN_FILES,
    &MAX_FILES,
    &THREADS,
    &STARTED,
    &CPU,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_follow_the_conventions() {
        let mut seen = std::collections::HashSet::new();
        for family in ALL {
            let name = family.full_name();
            assert!(seen.insert(name.clone()), "{name} twice");
            // Every client library gives a process's own figures the same names.
            assert!(
                name.starts_with("lintel_") || name.starts_with("process_"),
                "{name}"
            );
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert!(
                !family.name.ends_with("_total") && !family.name.ends_with("_info"),
                "{name} carries its suffix twice"
            );
            assert!(
                family.help.ends_with('.') && !family.help.contains('\n'),
                "{name}: {}",
                family.help
            );
        }
    }

    #[test]
    fn full_names_carry_unit_and_suffix() {
        assert_eq!(COST.full_name(), "lintel_cost_usd_total");
        assert_eq!(OVERHEAD.full_name(), "lintel_overhead_seconds");
        assert_eq!(CONFIG.full_name(), "lintel_config_info");
        assert_eq!(IN_FLIGHT.full_name(), "lintel_in_flight");
    }
}
