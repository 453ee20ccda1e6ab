//! `GET /api/v1/status`: one look at the process: does it take calls, under which configuration, how far is the ledger.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lintel_store::LaneStatus;
use serde::Serialize;

use crate::extract::{NoParams, Params};
use crate::problem::Problem;
use crate::state::Admin;

#[derive(Debug, Serialize)]
pub(crate) struct Status {
    version: &'static str,
    uptime_seconds: u64,
    ready: bool,
    draining: bool,
    reason: Option<String>,
    in_flight: usize,
    config: Arc<str>,
    node: u16,
    routes: Vec<Arc<str>>,
    providers: Vec<Arc<str>>,
    journal: JournalStatus,
    projection: Option<ProjectionView>,
}

#[derive(Debug, Serialize)]
struct JournalStatus {
    healthy: bool,
    pending: usize,
}

#[derive(Debug, Serialize)]
struct ProjectionView {
    ledger: Lane,
    log: Lane,
    missing: u64,
    unreadable: u64,
}

#[derive(Debug, Serialize)]
struct Lane {
    applied: u64,
    lag: u64,
    failures: u64,
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

pub(crate) async fn status(
    State(admin): State<Arc<Admin>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Status>, Problem> {
    let (plane, snapshot) = (admin.plane.status(), admin.plane.snapshot());
    let mut routes: Vec<Arc<str>> = snapshot.routes.keys().map(Arc::clone).collect();
    routes.sort();
    let projection = admin
        .projection
        .upgrade()
        .map(|projection| projection.status());
    Ok(Json(Status {
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
        projection: projection.map(|p| ProjectionView {
            ledger: p.ledger.into(),
            log: p.log.into(),
            missing: p.missing,
            unreadable: p.unreadable,
        }),
    }))
}
