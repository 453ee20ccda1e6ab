//! What looks after the store while it serves: retention, compaction, backups, each with its log lines.
//!
//! Knows no call and no table.

use std::sync::Arc;

use lintel_config::{Kept, Snapshot, Upkeep as Configured};
use lintel_store::{
    BackupDeps, BackupState, Backups, Control, Keep, Projection, Retention, StoreError, Swept,
    Upkeep, UpkeepStatus,
};
use lintel_telemetry::{Level, LineWriter, LogEvent};
use lintel_types::Clock;

/// Both, running.
pub(crate) struct Keepers {
    /// Makes backups when asked.
    pub(crate) backups: Arc<Backups>,
    /// Deletes what is too old or too much.
    pub(crate) upkeep: Arc<Upkeep>,
}

impl Keepers {
    /// Starts them on the store in `dir`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        dir: &std::path::Path,
        snapshot: &Snapshot,
        control: &Control,
        projection: &Arc<Projection>,
        clock: &Arc<dyn Clock>,
        log: &LineWriter,
    ) -> Result<Self, StoreError> {
        let (lines, time) = (log.clone(), Arc::clone(clock));
        let backups = Backups::new(BackupDeps {
            store: dir.to_owned(),
            directory: snapshot.upkeep.backups.clone(),
            node: snapshot.node,
            lintel: env!("CARGO_PKG_VERSION").to_owned(),
            projection: Arc::downgrade(projection),
            control: control.clone(),
            clock: Arc::clone(clock),
            ended: Box::new(move |state| tell_backup(&lines, &*time, state)),
        });
        let (lines, time) = (log.clone(), Arc::clone(clock));
        let told = Box::new(move |swept: &Swept, status: &UpkeepStatus| {
            tell_round(&lines, &*time, swept, status)
        });
        let upkeep = Upkeep::start(
            dir,
            retention(&snapshot.upkeep),
            control.clone(),
            Arc::clone(clock),
            told,
        )?;
        Ok(Self {
            backups: Arc::new(backups),
            upkeep: Arc::new(upkeep),
        })
    }

    /// Ends both, where they are.
    pub(crate) fn stop(&self) {
        self.backups.stop();
        self.upkeep.stop();
    }
}

/// The configuration's words as the store's.
pub(crate) fn retention(configured: &Configured) -> Retention {
    let keep = |kept: Kept| Keep {
        age: kept.age,
        bytes: kept.bytes,
    };
    Retention {
        log: keep(configured.log),
        ledger: keep(configured.ledger),
        audit: keep(configured.audit),
    }
}

fn tell_backup(log: &LineWriter, clock: &dyn Clock, state: &BackupState) {
    let event = |level, text| LogEvent::new(clock.wall(), level, text);
    match state {
        BackupState::Done {
            began,
            ended,
            path,
            manifest,
        } => log.event(
            &event(Level::Info, "backup made")
                .field("path", path.display().to_string())
                .field("bytes", manifest.bytes())
                .field("ledger_rows", manifest.counts.ledger)
                .field(
                    "milliseconds",
                    (ended.as_millis() - began.as_millis()).unsigned_abs(),
                ),
        ),
        BackupState::Failed { why, .. } => {
            log.event(&event(Level::Error, "backup failed").field("error", why.clone()))
        }
        BackupState::None | BackupState::Running { .. } => {}
    }
}

fn tell_round(log: &LineWriter, clock: &dyn Clock, swept: &Swept, status: &UpkeepStatus) {
    let event = |level, text| LogEvent::new(clock.wall(), level, text);
    if *swept != Swept::default() {
        let event = event(Level::Info, "retention deleted rows");
        log.event(
            &event
                .field("log", swept.log)
                .field("ledger", swept.ledger)
                .field("audit", swept.audit),
        );
    }
    if let Some(error) = &status.error {
        log.event(&event(Level::Warn, "retention did not finish").field("error", error.clone()));
    }
}
