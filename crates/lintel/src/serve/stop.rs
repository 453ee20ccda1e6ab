//! A gateway that runs, until it has stopped.
//!
//! The order of the end: no new calls, running ones within their bound, the control API, what was
//! written into ledger and log. A second signal cuts the waiting short, never the writing down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lintel_admin::Reload;
use lintel_admin::serve::Running as Admin;
use lintel_gateway::{Drain, Running as Plane};
use lintel_telemetry::{Level, LineWriter, LogEvent};
use lintel_types::Clock;

use crate::exit::Failure;
use crate::output;
use crate::serve::books::Books;
use crate::serve::wait::Signals;
use crate::serve::watch::Watch;
use crate::source::Source;

/// How long control requests may run on after the data plane has drained.
const ADMIN_STOP: Duration = Duration::from_secs(2);

/// Everything that runs.
pub(crate) struct Parts {
    /// The data plane.
    pub(crate) plane: Plane,
    /// The control API.
    pub(crate) admin: Admin,
    /// The stores.
    pub(crate) books: Books,
    /// What a signal or a changed file asks for.
    pub(crate) reload: Arc<dyn Reload>,
    /// The log.
    pub(crate) log: LineWriter,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Prints `greeting`, waits for the signal to stop, and stops everything in order.
///
/// # Errors
/// When signals can't be waited for.
pub(crate) fn until_stopped(parts: Parts, source: &Source, greeting: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("can't wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(failed)?;
        let watch = source.file().map(|path| Watch::new(path.to_owned()));
        // Whoever started this with a closed standard output does not want to be greeted.
        let _ = output::print(greeting);
        parts.tell(Level::Info, "listening");
        let signal = signals.until_stop(&*parts.reload, watch).await;
        parts.log.event(
            &parts
                .event(Level::Info, "stopping")
                .field("signal", signal)
                .field("in_flight", parts.plane.handle.status().in_flight),
        );
        parts.stop(&mut signals).await;
        Ok(())
    })
}

impl Parts {
    async fn stop(self, signals: &mut Signals) {
        let Self {
            plane,
            admin,
            books,
            reload,
            log,
            clock,
        } = self;
        let limits = plane.handle.snapshot().limits;
        let how = Drain {
            delay: limits.drain_delay,
            bound: limits.drain,
            handed_over: false,
        };
        let hurry = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&hurry);
        let mut draining = tokio::task::spawn_blocking(move || {
            plane.drain(how, &|| asked.load(Ordering::Relaxed))
        });
        tokio::select! {
            _ = &mut draining => {}
            () = signals.again() => {
                hurry.store(true, Ordering::Relaxed);
                // The cut calls still settle.
                let _ = draining.await;
            }
        }
        admin.stop(if hurry.load(Ordering::Relaxed) {
            Duration::ZERO
        } else {
            ADMIN_STOP
        });
        drop(reload);
        if let Some(left) = books.close() {
            log.event(
                &LogEvent::new(
                    clock.wall(),
                    Level::Error,
                    "not everything was carried into the ledger",
                )
                .field("error", left),
            );
        }
        log.event(&LogEvent::new(clock.wall(), Level::Info, "stopped"));
    }

    fn tell(&self, level: Level, text: &'static str) {
        let event = self
            .event(level, text)
            .field("listen", self.plane.local_addr.to_string())
            .field("admin", self.admin.address().to_string());
        self.log.event(
            &event
                .field("store", self.books.dir().display().to_string())
                .field("config", self.plane.handle.snapshot().hash.to_string()),
        );
    }

    fn event(&self, level: Level, text: &'static str) -> LogEvent<'static> {
        LogEvent::new(self.clock.wall(), level, text)
    }
}
