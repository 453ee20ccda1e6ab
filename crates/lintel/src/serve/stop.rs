//! A gateway that runs, until it has stopped.
//!
//! The order of the end: no new calls, running ones within their bound, the control API, what was
//! written into ledger and log. A second signal cuts the waiting short, never the writing down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lintel_admin::serve::Running as Admin;
use lintel_admin::{Keyring, Reload};
use lintel_gateway::{Drain, Running as Plane};
use lintel_telemetry::{Level, LineWriter, LogEvent};
use lintel_types::Clock;

use crate::exit::Failure;
use crate::output;
use crate::serve::books::Books;
use crate::serve::hand_over::Upgraded;
use crate::serve::notify;
use crate::serve::predecessor::Predecessor;
use crate::serve::rounds::Rounds;
use crate::serve::talk::Fixed;
use crate::serve::upgrade::{Program, Sockets};
use crate::serve::wait::{Asked, Early, Signals};
use crate::serve::watch::Watches;
use crate::source::Source;

/// How long control requests may run on after the data plane has drained.
pub(super) const ADMIN_STOP: Duration = Duration::from_secs(2);

/// Everything that runs.
pub(crate) struct Parts {
    /// The data plane.
    pub(crate) plane: Plane,
    /// The control API.
    pub(crate) admin: Admin,
    /// The stores.
    pub(crate) books: Books,
    /// What is done beside the calls.
    pub(crate) rounds: Rounds,
    /// What a signal or a changed file asks for.
    pub(crate) reload: Arc<dyn Reload>,
    /// The keys in force.
    pub(crate) keyring: Arc<Keyring>,
    /// How a successor is started.
    pub(crate) program: Arc<Program>,
    /// What it listens on.
    pub(crate) sockets: Arc<Sockets>,
    /// What it must keep.
    pub(crate) fixed: Fixed,
    /// The log.
    pub(crate) log: LineWriter,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Prints `greeting`, waits until it is told to stop or has a successor, and stops everything in order.
///
/// # Errors
/// When signals can't be waited for.
pub(crate) async fn until_stopped(
    parts: Parts,
    source: &Source,
    greeting: &str,
    early: Early,
    predecessor: &mut Option<Predecessor>,
) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("can't wait for signals: {error}"));
    let mut signals = Signals::listen(early).map_err(failed)?;
    let mut watches = Watches::new(source.file());
    let certificates = || parts.plane.handle.snapshot().certificate_files();
    // Whoever started this with a closed standard output does not want to be greeted.
    let _ = output::print(greeting);
    parts.tell(Level::Info, "listening");
    notify::ready();
    if let Some(mut predecessor) = predecessor.take() {
        predecessor.serving();
    }
    let signal = loop {
        let asked = signals
            .until_asked(&*parts.reload, &mut watches, &certificates)
            .await;
        match asked {
            Asked::Stop(signal) => break signal,
            Asked::Upgrade => match parts.upgrade(&mut signals).await {
                Upgraded::HandedOver(successor) => {
                    parts.leave(successor, &mut signals).await;
                    return Ok(());
                }
                Upgraded::Kept => {}
                Upgraded::Stopped(signal) => break signal,
            },
        }
    };
    notify::stopping();
    parts.log.event(
        &parts
            .event(Level::Info, "stopping")
            .field("signal", signal)
            .field("in_flight", parts.plane.handle.status().in_flight),
    );
    parts.stop(&mut signals).await;
    Ok(())
}

impl Parts {
    async fn stop(self, signals: &mut Signals) {
        let Self {
            plane,
            admin,
            books,
            rounds,
            reload,
            log,
            clock,
            ..
        } = self;
        // It may be writing a database anew: that is waited for beside the calls.
        let resting = tokio::task::spawn_blocking(move || drop(rounds));
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
            _ = signals.stop() => {
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
        let _ = resting.await;
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

    pub(super) fn event(&self, level: Level, text: &'static str) -> LogEvent<'static> {
        LogEvent::new(self.clock.wall(), level, text)
    }
}
