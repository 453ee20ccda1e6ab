//! What systemd is told of the process's state, when it is the one that started it (`Type=notify`).
//!
//! Knows nothing but states: <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>. Invariant: nothing
//! here fails the process; without `NOTIFY_SOCKET` nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;

/// Calls are taken.
pub(crate) fn ready() {
    send(&[NotifyState::Ready]);
}

/// The configuration is read anew; [`ready`] says that it is done.
pub(crate) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        send(&[NotifyState::Reloading, now]);
    }
}

/// The process is about to end, and has no successor.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Process `pid` is the service's main process from now on.
pub(crate) fn main_process(pid: u32) {
    send(&[NotifyState::MainPid(pid)]);
}

/// The process is alive: for `WatchdogSec=`.
pub(crate) fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that it is, at the least.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn send(states: &[NotifyState<'_>]) {
    // A manager that can't be told has its own timeouts.
    let _ = sd_notify::notify(states);
}
