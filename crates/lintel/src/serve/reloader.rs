//! Reloading: the configuration is read anew and put in force whole, or nothing changes.
//!
//! One at a time, whoever asks: a signal, a change of the file, the control API. What is declared is
//! made first, then the audit entry is written, then the data plane and the keys follow. What was
//! fixed at the start (addresses, store) can't be reloaded, and a reload that changes it is refused
//! rather than half obeyed.

use std::sync::Arc;

use lintel_admin::{Fault, Kept, Keyring, Refused, Reload, Reloaded};
use lintel_config::{Loaded, Snapshot};
use lintel_gateway::ControlHandle;
use lintel_store::{Control, Upkeep};
use lintel_telemetry::{Level, LineWriter, LogEvent, Metrics, Reload as Counted};
use lintel_types::{AuditEntry, AuditSink, Clock};
use parking_lot::Mutex;

use crate::serve::calls::Dial;
use crate::serve::declare::declare;
use crate::serve::keepers::retention;
use crate::source::Source;

/// Reads the configuration anew for a running gateway.
pub(crate) struct Reloader {
    /// Where it is read from.
    pub(crate) source: Source,
    /// The configuration that the process started with: what can't change is held against it.
    pub(crate) first: Arc<Snapshot>,
    /// What it is put in force on.
    pub(crate) plane: ControlHandle,
    /// Keys depend on the routes of their projects.
    pub(crate) keyring: Arc<Keyring>,
    /// Holds what is declared, and the audit.
    pub(crate) control: Control,
    /// What deletes by retention.
    pub(crate) upkeep: Arc<Upkeep>,
    /// Follows `log`.
    pub(crate) dial: Dial,
    /// Where it is told.
    pub(crate) log: LineWriter,
    /// Where it is counted.
    pub(crate) metrics: Metrics,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Held while a reload runs.
    pub(crate) alone: Mutex<()>,
    /// Why the last one changed nothing.
    pub(crate) refused: Mutex<Option<Refused>>,
}

impl Reload for Reloader {
    fn reload(&self, actor: &str) -> Result<Reloaded, Kept> {
        let _alone = self.alone.lock();
        let outcome = match self.source.load() {
            Ok(loaded) => self.put_in_force(loaded, actor),
            Err(problems) => Err(Kept::Faulty(problems.0.iter().map(Fault::from).collect())),
        };
        self.tell(actor, &outcome);
        *self.refused.lock() = outcome.as_ref().err().map(|kept| Refused {
            at: self.clock.wall().to_string(),
            problems: match kept {
                Kept::Faulty(faults) => faults.iter().map(sentence).collect(),
                Kept::Failed(why) => vec![why.clone()],
            },
        });
        outcome
    }

    fn refused(&self) -> Option<Refused> {
        self.refused.lock().clone()
    }
}

/// A fault with its place.
fn sentence(fault: &Fault) -> String {
    match fault.path.as_str() {
        "" => fault.message.clone(),
        path => format!("{path}: {}", fault.message),
    }
}

impl Reloader {
    fn put_in_force(&self, loaded: Loaded, actor: &str) -> Result<Reloaded, Kept> {
        let Loaded { snapshot, warnings } = loaded;
        let fixed = fixed(&self.first, &snapshot, &self.source.name());
        if !fixed.is_empty() {
            return Err(Kept::Faulty(fixed));
        }
        let before = self.plane.snapshot();
        let failed = |what: &str, error: &dyn std::error::Error| {
            Kept::Failed(format!(
                "{what}: {error}; the last good configuration stays in force"
            ))
        };
        declare(&self.control, &snapshot.tenants)
            .map_err(|error| failed("can't make the declared tenants", &error))?;
        let entry = AuditEntry {
            at: self.clock.wall(),
            actor: Arc::from(actor),
            action: Arc::from("config.reload"),
            object: Arc::from(self.source.name()),
            tenant: None,
            before: Some(as_json(&before)),
            after: Some(as_json(&snapshot)),
        };
        self.control
            .append(&entry)
            .map_err(|error| failed("can't write the audit entry", &error))?;
        let snapshot = Arc::new(snapshot);
        self.plane.apply(Arc::clone(&snapshot));
        if let Err(error) = self.keyring.publish() {
            // A key may now name a route that its project may no longer: back to what was consistent.
            self.plane.apply(before);
            return Err(failed("can't read the keys", &error));
        }
        self.dial.set(snapshot.log);
        self.upkeep.set(retention(&snapshot.upkeep));
        let changed = before.hash != snapshot.hash;
        Ok(Reloaded {
            config: Arc::clone(&snapshot.hash),
            changed,
            warnings: warnings.iter().map(Fault::from).collect(),
        })
    }

    /// Logs and counts how it ended: every fault is a line of its own.
    fn tell(&self, actor: &str, outcome: &Result<Reloaded, Kept>) {
        let (now, from) = (self.clock.wall(), self.source.name());
        let event = |level, text| {
            LogEvent::new(now, level, text)
                .field("source", from.as_str())
                .field("actor", actor.to_owned())
        };
        self.metrics.reloaded(if outcome.is_ok() {
            Counted::Applied
        } else {
            Counted::Refused
        });
        match outcome {
            Ok(done) => {
                for warning in &done.warnings {
                    self.log
                        .event(&at(event(Level::Warn, "configuration warning"), warning));
                }
                self.log.event(
                    &event(Level::Info, "configuration reloaded")
                        .field("config", done.config.to_string())
                        .field("changed", done.changed),
                );
            }
            Err(Kept::Faulty(faults)) => {
                for fault in faults {
                    self.log
                        .event(&at(event(Level::Error, "configuration problem"), fault));
                }
                self.log.event(
                    &event(Level::Error, "configuration not reloaded")
                        .field("problems", faults.len())
                        .field("config", self.plane.snapshot().hash.to_string()),
                );
            }
            Err(Kept::Failed(why)) => self.log.event(
                &event(Level::Error, "configuration not reloaded").field("error", why.clone()),
            ),
        }
    }
}

fn at<'a>(event: LogEvent<'a>, fault: &Fault) -> LogEvent<'a> {
    let event = event
        .field("path", fault.path.clone())
        .field("error", fault.message.clone());
    match (fault.line, fault.column) {
        (Some(line), Some(column)) => event.field("line", line).field("column", column),
        _ => event,
    }
}

fn as_json(snapshot: &Snapshot) -> String {
    serde_json::json!({ "config": snapshot.hash }).to_string()
}

/// What `next` wants otherwise than `first`, and can't have while the process runs.
fn fixed(first: &Snapshot, next: &Snapshot, origin: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut keep = |path: &str, same: bool, was: String| {
        if !same {
            let message = format!(
                "was {was} at the start and is fixed while the process runs: put it back, or restart"
            );
            faults.push(Fault {
                path: path.to_owned(),
                origin: origin.to_owned(),
                line: None,
                column: None,
                message,
                nearest: None,
            });
        }
    };
    keep(
        "listen",
        first.listen == next.listen,
        first.listen.to_string(),
    );
    keep(
        "admin.listen",
        first.admin == next.admin,
        first.admin.to_string(),
    );
    keep(
        "store",
        first.store == next.store,
        first.store.display().to_string(),
    );
    keep(
        "durability",
        first.durability == next.durability,
        format!("{:?}", first.durability).to_lowercase(),
    );
    keep("node", first.node == next.node, first.node.0.to_string());
    keep(
        "backup.directory",
        first.upkeep.backups == next.upkeep.backups,
        first.upkeep.backups.display().to_string(),
    );
    // The journal's queue was made for this many.
    keep(
        "limits.in_flight",
        next.limits.in_flight <= first.limits.in_flight,
        format!("{} (lower is possible)", first.limits.in_flight),
    );
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_is_named_with_its_value() {
        let first = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let mut next = first.clone();
        assert!(fixed(&first, &next, "lintel.yaml").is_empty());
        next.listen = "127.0.0.1:9".parse().unwrap();
        next.limits.in_flight += 1;
        let faults = fixed(&first, &next, "lintel.yaml");
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["listen", "limits.in_flight"]);
        assert!(faults[0].message.contains("127.0.0.1:8080"), "{faults:?}");
    }

    #[test]
    fn a_lower_limit_may_be_reloaded() {
        let first = lintel_config::defaults(&|_| None).unwrap().snapshot;
        let mut next = first.clone();
        next.limits.in_flight = 1;
        assert!(fixed(&first, &next, "lintel.yaml").is_empty());
    }
}
