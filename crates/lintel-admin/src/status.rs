//! `GET /api/v1/status`: one look at the process: does it take calls, under which configuration, how far is the ledger.

use std::sync::Arc;

use lintel_store::LaneStatus;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Fact;
use crate::operation::Call;
use crate::problem::Problem;

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
    node: u16,
    routes: Vec<Arc<str>>,
    providers: Vec<Arc<str>>,
    journal: JournalStatus,
    /// Null while it stops.
    projection: Option<ProjectionStatus>,
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
