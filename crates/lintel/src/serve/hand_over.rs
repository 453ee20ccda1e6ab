//! A running gateway that is asked for a successor: the attempt, and the old process's last minutes once it has one.
//!
//! The order of the end here: the control API, idle connections and running calls within `limits.drain`, the last lines
//! of the log. Invariant: however the attempt ends, it is logged, and written down for whoever asked for it.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lintel_gateway::Drain;
use lintel_telemetry::{Level, LineWriter, LogEvent};
use lintel_types::Clock;
use tokio::time::{MissedTickBehavior, interval};

use crate::serve::notify;
use crate::serve::outcome::{self, Outcome};
use crate::serve::stop::{ADMIN_STOP, Parts};
use crate::serve::upgrade::{BOUNDS, Upgrade};
use crate::serve::wait::Signals;

/// How often it is asked whether the successor has changed keys. A key that is revoked there is revoked here after this long.
const FOLLOW: Duration = Duration::from_secs(1);

/// How an attempt ended.
pub(crate) enum Upgraded {
    /// The successor serves.
    HandedOver(Child),
    /// This process goes on.
    Kept,
    /// This process goes on, and was told to stop meanwhile, by this signal.
    Stopped(&'static str),
}

impl Parts {
    /// Tries to hand over.
    pub(crate) async fn upgrade(&self, signals: &mut Signals) -> Upgraded {
        self.log.event(&self.event(Level::Info, "upgrade begun"));
        let off = Arc::new(AtomicBool::new(false));
        let called_off = Arc::clone(&off);
        let (program, sockets) = (Arc::clone(&self.program), Arc::clone(&self.sockets));
        let (fixed, reins) = (self.fixed.clone(), self.books.reins());
        let mut trying = tokio::task::spawn_blocking(move || {
            let upgrade = Upgrade {
                program: &program,
                sockets: &sockets,
                fixed,
                reins,
                bounds: BOUNDS,
            };
            upgrade.run(&|| called_off.load(Ordering::Relaxed))
        });
        let mut stopped = None;
        let tried = tokio::select! {
            tried = &mut trying => tried,
            signal = signals.stop_while_serving() => {
                stopped = Some(signal);
                off.store(true, Ordering::Relaxed);
                trying.await
            }
        };
        let tried = tried.unwrap_or_else(|panicked| Err(panicked.to_string()));
        self.write_down(&tried);
        match (tried, stopped) {
            (Ok(successor), _) => Upgraded::HandedOver(successor),
            (Err(_), Some(signal)) => Upgraded::Stopped(signal),
            (Err(_), None) => Upgraded::Kept,
        }
    }

    fn write_down(&self, tried: &Result<Child, String>) {
        let old = std::process::id();
        let (new, why) = (tried.as_ref().ok().map(Child::id), tried.as_ref().err());
        let event = match (new, why) {
            (Some(new), _) => self
                .event(Level::Info, "handed over")
                .field("successor", u64::from(new)),
            (None, why) => self
                .event(
                    Level::Error,
                    "upgrade failed: this process goes on as before",
                )
                .field("error", why.cloned().unwrap_or_default()),
        };
        self.log.event(&event);
        let outcome = Outcome {
            at: self.clock.wall().as_micros(),
            old,
            new,
            why: why.cloned(),
        };
        if let Err(error) = outcome::write(self.books.dir(), &outcome) {
            let event = self.event(Level::Warn, "can't write down how the upgrade ended");
            self.log.event(&event.field("error", error.to_string()));
        }
        if why.is_some() {
            // A key that a successor made before it died is in force, too.
            let _ = self.keyring.publish();
        }
    }

    /// Ends, while the successor serves.
    pub(crate) async fn leave(self, mut successor: Child, signals: &mut Signals) {
        notify::main_process(successor.id());
        let Self {
            plane,
            admin,
            books,
            rounds,
            reload,
            keyring,
            sockets,
            log,
            clock,
            ..
        } = self;
        // The successor's affair from now on. It is waited for beside the calls.
        let resting = tokio::task::spawn_blocking(move || drop(rounds));
        // Should the successor die, nobody must wait in a queue that nobody takes from.
        drop((reload, sockets));
        let how = Drain {
            delay: Duration::ZERO,
            bound: plane.handle.snapshot().limits.drain,
            handed_over: true,
        };
        let hurry = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&hurry);
        let mut draining = tokio::task::spawn_blocking(move || {
            let closing = std::thread::spawn(move || admin.stop(ADMIN_STOP));
            plane.drain(how, &|| asked.load(Ordering::Relaxed));
            // A panic in it was its own.
            let _ = closing.join();
        });
        let mut follow = interval(FOLLOW);
        follow.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut version, mut alive, mut told) = (None, true, false);
        loop {
            tokio::select! {
                _ = &mut draining => break,
                // The first one says what is done already; a second one ends the waiting.
                _ = signals.stop() => hurry.store(std::mem::replace(&mut told, true), Ordering::Relaxed),
                _ = follow.tick() => {
                    let now = books.control.data_version().ok();
                    if now != version && keyring.publish().is_ok() {
                        version = now;
                    }
                    if alive && !matches!(successor.try_wait(), Ok(None)) {
                        alive = false;
                        tell(&log, &*clock, Level::Error, "the new process has ended while this one drains: nothing takes calls");
                    }
                }
            }
        }
        let _ = resting.await;
        drop(keyring);
        books.leave();
        tell(&log, &*clock, Level::Info, "stopped");
    }
}

fn tell(log: &LineWriter, clock: &dyn Clock, level: Level, text: &'static str) {
    log.event(&LogEvent::new(clock.wall(), level, text));
}
