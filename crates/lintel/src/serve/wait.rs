//! What a running gateway waits for: signals, and changes of its configuration file.
//!
//! Decides when to reload, when to hand over and when to stop; how is the caller's.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lintel_admin::Reload;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::serve::notify;
use crate::serve::watch::{self, Watches};

/// What a running gateway is asked for that ends its waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To stop, by this signal.
    Stop(&'static str),
    /// To hand over to a successor.
    Upgrade,
}

/// The signals that would end a process which does not listen: from its first moment on, for they may come while it starts.
pub(crate) struct Early {
    hangup: Signal,
    upgrade: Signal,
}

impl Early {
    /// Listens. Inside a runtime.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }
}

/// The signals that are listened to, from the moment this exists.
pub(crate) struct Signals {
    early: Early,
    terminate: Signal,
    interrupt: Signal,
    /// Whether and how often systemd wants to hear that the process is alive.
    watchdog: Option<Duration>,
}

impl Signals {
    /// Listens to all of them. Inside a runtime.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub(crate) fn listen(early: Early) -> io::Result<Self> {
        Ok(Self {
            early,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            watchdog: notify::watchdog(),
        })
    }

    /// Reloads when asked to, until asked for what ends the waiting.
    pub(crate) async fn until_asked(
        &mut self,
        reload: &dyn Reload,
        watches: &mut Watches,
        certificates: &dyn Fn() -> Vec<PathBuf>,
    ) -> Asked {
        let mut looks = interval(watch::INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Twice as often as is wanted at the least.
        let every = self.watchdog.map_or(Duration::MAX, |wanted| wanted / 2);
        let mut alive = Instant::now();
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Asked::Stop("SIGTERM"),
                _ = self.interrupt.recv() => return Asked::Stop("SIGINT"),
                Some(()) = self.early.upgrade.recv() => return Asked::Upgrade,
                Some(()) = self.early.hangup.recv() => again(reload, "signal"),
                _ = looks.tick() => {
                    if alive.elapsed() + watch::INTERVAL > every {
                        notify::alive();
                        alive = Instant::now();
                    }
                    if let Some(what) = watches.changed(certificates()) {
                        again(reload, what);
                    }
                }
            }
        }
    }

    /// As [`Signals::stop`], in a process that serves meanwhile: whoever watches it hears so.
    pub(crate) async fn stop_while_serving(&mut self) -> &'static str {
        let Some(wanted) = self.watchdog else {
            return self.stop().await;
        };
        let mut pings = interval((wanted / 2).max(Duration::from_millis(1)));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                signal = self.stop() => return signal,
                _ = pings.tick() => notify::alive(),
            }
        }
    }

    /// Waits for a signal to stop.
    pub(crate) async fn stop(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// A reload tells its own end to the log; there is nobody else to tell here.
fn again(reload: &dyn Reload, actor: &str) {
    notify::reloading();
    let _ = reload.reload(actor);
    notify::ready();
}
