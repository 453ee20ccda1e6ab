//! `lintel upgrade`: asks the running process for a successor, and tells how that ended.
//!
//! Needs no control API: it finds the process by the store's lock, on this machine and as its user.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::exit::{Failure, Why};
use crate::output::{self, Form};
use crate::serve::outcome::{self, Outcome};
use crate::serve::upgrade::BOUNDS;

/// How often it is looked for the outcome.
const LOOK: Duration = Duration::from_millis(50);
/// What the old process may take to take everything back.
const SLACK: Duration = Duration::from_secs(30);

/// Replace the running process by a new one, of the version that its file holds now, without a refused connection.
///
/// The running process starts its own program again, hands its listening sockets down, serves until the new one
/// does, and ends when its last calls have, within limits.drain. When the new one does not come to serve, the
/// running one goes on as before, and this fails with the reason. The same as SIGUSR2, and waits.
#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// The store directory of the running process.
    #[arg(
        long,
        env = "LINTEL_STORE",
        default_value = ".lintel",
        value_name = "DIR"
    )]
    store: PathBuf,
}

impl Upgrade {
    /// Asks, and waits.
    ///
    /// # Errors
    /// When nothing runs on the store, or the running process goes on: its reason.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let shown = self.store.display();
        let nobody = || {
            Failure::new(
                Why::Unreachable,
                format!(
                    "no process runs on the store {shown}: name its directory with --store, or start one"
                ),
            )
        };
        let held = lintel_store::holder(&self.store).ok_or_else(nobody)?;
        let pid = i32::try_from(held)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(nobody)?;
        let before = outcome::read(&self.store);
        kill_process(pid, Signal::USR2).map_err(|error| {
            Failure::failed(format!(
                "can't ask process {held} on the store {shown}: {error}; run this as its user, on its machine"
            ))
        })?;
        let bound = BOUNDS.prepare + BOUNDS.take_over + SLACK;
        let until = Instant::now() + bound;
        while Instant::now() < until {
            let now = outcome::read(&self.store);
            if now != before
                && let Some(outcome) = now.filter(|outcome| outcome.old == held)
            {
                return told(outcome, form);
            }
            if test_kill_process(pid).is_err() {
                return Err(Failure::failed(format!(
                    "process {held} ended without a successor: see its log"
                )));
            }
            std::thread::sleep(LOOK);
        }
        Err(Failure::failed(format!(
            "process {held} did not say within {bound:?} how its upgrade ended: see its log"
        )))
    }
}

fn told(outcome: Outcome, form: Form) -> Result<(), Failure> {
    let Some(new) = outcome.new else {
        let why = outcome.why.unwrap_or_default();
        return Err(Failure::failed(format!(
            "process {} goes on as before: {why}",
            outcome.old
        )));
    };
    let old = outcome.old;
    let done = serde_json::json!({ "old": old, "new": new });
    output::answer(form, &done, |_| {
        format!("process {new} serves; process {old} ends when its last calls have\n")
    })?;
    Ok(())
}
