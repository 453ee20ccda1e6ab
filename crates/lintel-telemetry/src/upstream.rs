//! Connections to providers, counted. A provider's cells are found once a connection and held by it, so that using
//! it again costs one addition.

use std::sync::Arc;

use crate::cell::{Counter, Gauge};
use crate::metrics::Metrics;
use crate::series::Series;

/// What connections to providers are counted in.
#[derive(Debug)]
pub(crate) struct UpstreamSeries {
    pub(crate) connections: Series<1, UpstreamCells>,
    /// By provider and the failure's class.
    pub(crate) failed: Series<2, Counter>,
}

impl UpstreamSeries {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            connections: Series::new(limit, UpstreamCells::default),
            failed: Series::new(limit, Counter::default),
        }
    }

    /// Events that found no room.
    pub(crate) fn folded(&self) -> u64 {
        self.connections.folded() + self.failed.folded()
    }
}

/// What one provider's connections are counted in.
#[derive(Debug, Default)]
pub(crate) struct UpstreamCells {
    pub(crate) open: Gauge,
    pub(crate) opened: Counter,
    pub(crate) reused: Counter,
}

/// A connection to a provider: open until this is dropped.
#[derive(Debug)]
#[must_use = "the connection counts as closed when this is dropped"]
pub struct OpenConnection(Arc<UpstreamCells>);

impl OpenConnection {
    /// It is used again.
    pub fn reused(&self) {
        self.0.reused.add(1);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.add(-1);
    }
}

impl Metrics {
    /// A connection to `provider` is open until the value is dropped.
    pub fn upstream_opened(&self, provider: &str) -> OpenConnection {
        let cells = self.cells.upstream.connections.cells([provider]);
        cells.opened.add(1);
        cells.open.add(1);
        OpenConnection(cells)
    }

    /// No connection to `provider`, for a reason of this class.
    pub fn upstream_failed(&self, provider: &str, class: &str) {
        let failed = &self.cells.upstream.failed;
        failed.with([provider, class], |counter| counter.add(1));
    }
}
