//! What a running gateway waits for: signals, and changes of its configuration file.
//!
//! Decides when to reload and when to stop; how is the caller's.

use std::io;

use lintel_admin::Reload;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::serve::watch::{self, Watch};

/// The signals that are listened to, from the moment this exists.
pub(crate) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens. Inside a runtime.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Reloads when asked to, until told to stop: the name of the signal that did.
    pub(crate) async fn until_stop(
        &mut self,
        reload: &dyn Reload,
        mut file: Option<Watch>,
    ) -> &'static str {
        let mut looks = interval(watch::INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                Some(()) = self.hangup.recv() => again(reload, "signal"),
                _ = looks.tick(), if file.is_some() => {
                    if file.as_mut().is_some_and(Watch::changed) {
                        again(reload, "file");
                    }
                }
            }
        }
    }

    /// Waits for one more signal to stop.
    pub(crate) async fn again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A reload tells its own end to the log; there is nobody else to tell here.
fn again(reload: &dyn Reload, actor: &str) {
    let _ = reload.reload(actor);
}
