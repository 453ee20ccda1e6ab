//! What is kept of what happened, for how long, and where backups go.
//!
//! Knows no file. Invariant: what is not bounded here is kept.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use lintel_policy::{Period, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::problem::Report;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long and how much is kept of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// The request log: one record an exchange. `{ age: 30d, size: 10GB }` when absent; written out, what it doesn't bound is kept, so `{}` keeps everything.
    pub log: KeepConfig,
    /// The ledger: one row an attempt. Whole hours go, never of the last day; the sums by hour, which usage is read from, stay.
    pub ledger: KeepConfig,
    /// The audit of administrative changes.
    pub audit: KeepByAgeConfig,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            log: KeepConfig {
                age: Some(Period(30 * DAY)),
                size: Some(Size(10 << 30)),
            },
            ledger: KeepConfig::default(),
            audit: KeepByAgeConfig::default(),
        }
    }
}

/// How long and how much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepConfig {
    /// Rows older than this are deleted; at least a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Period>,
    /// When the rows take more than this, the oldest are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

/// How long is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepByAgeConfig {
    /// Rows older than this are deleted; at least a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Period>,
}

/// Backups of the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackupConfig {
    /// The directory in which backups are made; `backups` in the store without it. The control API writes nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// Retention and backups, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    /// The request log.
    pub log: Kept,
    /// The ledger's rows.
    pub ledger: Kept,
    /// The audit; by age alone.
    pub audit: Kept,
    /// Where backups go.
    pub backups: PathBuf,
}

/// What is kept of a table; what is not bounded is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Rows that are older go.
    pub age: Option<Duration>,
    /// When the rows take more bytes, the oldest go.
    pub bytes: Option<u64>,
}

/// Compiles both sections.
pub(crate) fn resolve(
    retention: &RetentionConfig,
    backup: &BackupConfig,
    store: &FilePath,
    report: &mut Report<'_>,
) -> Upkeep {
    let root = Path::of(&["retention"]);
    let mut kept = |table: &str, age: Option<Period>, size: Option<Size>| {
        if age.is_some_and(|age| age.0 < DAY) {
            report.problem(&root.key(table).key("age"), "must be at least a day (`24h`), so that nobody loses the rows of now to a slip of the pen");
        }
        if size.is_some_and(|size| size.0 < 1 << 20) {
            report.problem(&root.key(table).key("size"), "must be at least 1MB");
        }
        Kept {
            age: age.map(|age| age.0),
            bytes: size.map(|size| size.0 as u64),
        }
    };
    let RetentionConfig { log, ledger, audit } = retention;
    let (log, ledger) = (
        kept("log", log.age, log.size),
        kept("ledger", ledger.age, ledger.size),
    );
    let audit = kept("audit", audit.age, None);
    let named = backup.directory.as_deref();
    if named.is_some_and(|directory| directory.trim().is_empty()) {
        report.problem(
            &Path::of(&["backup", "directory"]),
            "is empty: name a directory, or leave the key out",
        );
    }
    Upkeep {
        log,
        ledger,
        audit,
        backups: named.map_or_else(|| store.join("backups"), PathBuf::from),
    }
}
