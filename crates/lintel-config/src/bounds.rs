//! The bounds on what is held and awaited, and where the listeners stand: each alone and all together.

use lintel_policy::{Period, Size};

use crate::address::AdminAddress;
use crate::path::Path;
use crate::problem::Report;
use crate::raw::{LimitsConfig, RawConfig};
use crate::snapshot::Limits;

/// The variable without which the admin listener stays on loopback.
const ADMIN_TOKEN: &str = "LINTEL_ADMIN_TOKEN";

/// Refuses two listeners at one address, and an admin listener off loopback without a token of the operator's own.
pub(crate) fn check_listeners(
    raw: &RawConfig,
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report<'_>,
) {
    let at = Path::of(&["admin", "listen"]);
    let data = raw.listen.0;
    let admin = match &raw.admin.listen {
        AdminAddress::Tcp(admin) => *admin,
        AdminAddress::Unix(_) if raw.admin.tls.is_some() => {
            let tls = Path::of(&["admin", "tls"]);
            return report.problem_at_key(
                &tls,
                "nothing is encrypted within this machine: remove this, or listen at an address",
            );
        }
        AdminAddress::Unix(_) => return,
    };
    let overlap =
        data.ip() == admin.ip() || data.ip().is_unspecified() || admin.ip().is_unspecified();
    if data.port() != 0 && data.port() == admin.port() && overlap {
        report.problem(
            &at,
            format!(
                "{admin} overlaps with `listen: {data}`: the two listeners need ports of their own"
            ),
        );
    }
    if admin.ip().is_loopback() {
        return;
    }
    let token = env(ADMIN_TOKEN).is_some_and(|token| !token.trim().is_empty());
    if !token {
        report.problem(&at, format!("{admin} is off loopback: set the environment variable {ADMIN_TOKEN}, or listen at 127.0.0.1"));
    }
    if raw.admin.tls.is_none() {
        report.warn(&at, format!("{admin} is off loopback without TLS: the admin token crosses the network in clear text; set `admin.tls`"));
    }
}

/// Compiles the limits.
pub(crate) fn limits(raw: &LimitsConfig, report: &mut Report<'_>) -> Limits {
    let root = Path::of(&["limits"]);
    let sizes = [
        ("body", raw.body, 1),
        ("response", raw.response, 1),
        ("event", raw.event, 1),
        ("headers", raw.headers, 1 << 10),
    ];
    for (key, size, least) in sizes {
        if size.0 < least {
            report.problem(
                &root.key(key),
                format!("{size} is too little: at least {} is needed", Size(least)),
            );
        }
    }
    for (key, period) in [
        ("header_timeout", raw.header_timeout),
        ("idle_timeout", raw.idle_timeout),
        ("body_timeout", raw.body_timeout),
        ("write_timeout", raw.write_timeout),
    ] {
        if period == Period(std::time::Duration::ZERO) {
            report.problem(
                &root.key(key),
                "must be longer than nothing, else every call fails",
            );
        }
    }
    if raw.in_flight_bytes < raw.body {
        let message = format!(
            "{} is less than `body` ({}): a body of that size could never be held",
            raw.in_flight_bytes, raw.body
        );
        report.problem(&root.key("in_flight_bytes"), message);
    }
    Limits {
        body_bytes: raw.body.0,
        in_flight_bytes: raw.in_flight_bytes.0,
        in_flight: raw.in_flight as usize,
        response_bytes: raw.response.0,
        event_bytes: raw.event.0,
        header_bytes: raw.headers.0,
        connections: raw.connections as usize,
        connections_per_address: raw.connections_per_address,
        h2_streams: raw.h2_streams,
        header_timeout: raw.header_timeout.0,
        idle_timeout: raw.idle_timeout.0,
        body_timeout: raw.body_timeout.0,
        write_timeout: raw.write_timeout.0,
        drain: raw.drain.0,
        drain_delay: raw.drain_delay.0,
    }
}
