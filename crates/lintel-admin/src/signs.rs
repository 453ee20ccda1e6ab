//! Signs of life, for machines and without a token: `/healthz`, `/readyz`, `/metrics`.
//!
//! They answer from memory: a probe never waits for a disk. Nothing here names a tenant's content.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::state::Admin;

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#protocol-negotiation>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// The data plane takes calls, or why it does not.
pub(crate) async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    let status = admin.plane.status();
    if status.ready {
        return "ready\n".into_response();
    }
    let reason = status.reason.unwrap_or_else(|| {
        if status.draining {
            "draining".into()
        } else {
            "not ready".into()
        }
    });
    (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
}

/// Everything that is counted.
pub(crate) async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    (
        [(header::CONTENT_TYPE, OPEN_METRICS)],
        admin.metrics.encode(),
    )
        .into_response()
}
