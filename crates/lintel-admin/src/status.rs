//! `GET /api/v1/status`: one look at the process: does it take calls, under which configuration, how far is the ledger.

use std::sync::Arc;

use lintel_config::{ServerTls, Snapshot};
use lintel_store::LaneStatus;
use lintel_telemetry::Listener;
use lintel_types::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Fact;
use crate::operation::Call;
use crate::problem::Problem;
use crate::reload::Refused;

/// One look at the process.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    version: &'static str,
    uptime_seconds: u64,
    /// Whether it takes calls.
    ready: bool,
    /// Whether it lets running calls end and takes no new ones.
    draining: bool,
    /// Why it is not ready.
    reason: Option<String>,
    /// Calls that it holds now.
    in_flight: usize,
    /// The hash of the configuration in force.
    config: Arc<str>,
    /// The last reload, when it was refused: the configuration in force is older than the files.
    reload_refused: Option<Refused>,
    /// Of the listeners that speak TLS.
    certificates: Vec<CertificateStatus>,
    node: u16,
    routes: Vec<Arc<str>>,
    providers: Vec<Arc<str>>,
    journal: JournalStatus,
    /// Null while it stops.
    projection: Option<ProjectionStatus>,
}

/// What a listener shows.
#[derive(Debug, Serialize, JsonSchema)]
struct CertificateStatus {
    /// `data` or `admin`.
    listener: &'static str,
    /// Whose certificate it is.
    subject: String,
    /// Until when it holds, in RFC 3339.
    not_after: String,
    /// What is to be said of its dates.
    warning: Option<String>,
}

/// The journal's health.
#[derive(Debug, Serialize, JsonSchema)]
struct JournalStatus {
    /// Whether it can be written.
    healthy: bool,
    /// Records that wait for the disk.
    pending: usize,
}

/// How far the databases are behind the journal.
#[derive(Debug, Serialize, JsonSchema)]
struct ProjectionStatus {
    ledger: Lane,
    log: Lane,
    /// Records of the journal that were not found.
    missing: u64,
    /// Records of the journal that could not be read.
    unreadable: u64,
}

/// One database's way behind the journal.
#[derive(Debug, Serialize, JsonSchema)]
struct Lane {
    /// Records that are in it.
    applied: u64,
    /// Records that are not in it yet.
    lag: u64,
    /// Writes that failed.
    failures: u64,
    /// Why the last one failed, while it does.
    error: Option<String>,
}

impl From<LaneStatus> for Lane {
    fn from(lane: LaneStatus) -> Self {
        let LaneStatus {
            applied,
            lag,
            failures,
            error,
        } = lane;
        Self {
            applied,
            lag,
            failures,
            error,
        }
    }
}

pub(crate) async fn status(call: Call) -> Result<Fact<Status>, Problem> {
    let admin = call.admin;
    let (plane, snapshot) = (admin.plane.status(), admin.plane.snapshot());
    let mut routes: Vec<Arc<str>> = snapshot.routes.keys().map(Arc::clone).collect();
    routes.sort();
    let projection = admin
        .projection
        .upgrade()
        .map(|projection| projection.status());
    Ok(Fact(Status {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: admin.clock.mono().since(admin.started).as_secs(),
        ready: plane.ready,
        draining: plane.draining,
        reason: plane.reason,
        in_flight: plane.in_flight,
        config: Arc::clone(&snapshot.hash),
        reload_refused: admin.reload.refused(),
        certificates: certificates(&snapshot, admin.clock.wall()),
        node: snapshot.node.0,
        routes,
        providers: snapshot
            .providers
            .iter()
            .map(|provider| Arc::clone(&provider.name))
            .collect(),
        journal: JournalStatus {
            healthy: admin.journal.healthy(),
            pending: admin.journal.pending(),
        },
        projection: projection.map(|p| ProjectionStatus {
            ledger: p.ledger.into(),
            log: p.log.into(),
            missing: p.missing,
            unreadable: p.unreadable,
        }),
    }))
}

fn certificates(snapshot: &Snapshot, now: Timestamp) -> Vec<CertificateStatus> {
    let listeners = [
        (Listener::Data, &snapshot.tls),
        (Listener::Admin, &snapshot.admin_tls),
    ];
    let shown = |(listener, tls): (Listener, &Option<Arc<ServerTls>>)| {
        let facts = tls.as_ref()?.facts();
        Some(CertificateStatus {
            listener: listener.name(),
            subject: facts.subject.clone(),
            not_after: facts.not_after.to_string(),
            warning: facts.expiry(now),
        })
    };
    listeners.into_iter().filter_map(shown).collect()
}
