//! What must outlive the process (floor 2): journal, ledger, request log, control state, audit.
//!
//! ```text
//! gateway ── Permit::dispatched / settle ──▶ journal-*.log ──▶ Projection ──▶ ledger.sqlite, log.sqlite ──▶ Queries
//! admin   ── Control ──▶ control.sqlite (tenants, projects, keys, audit)
//! ```
//!
//! The journal is the source of truth; ledger and log are projections of it, applied once. Nothing
//! on a request's path touches a database, and nothing here opens a socket or names a provider.
//! Invariant: a dispatched exchange has exactly one settlement or one orphan, whatever ends the process.

pub mod backup;
pub mod control;
mod database;
pub mod erase;
mod error;
pub mod journal;
mod prepare;
mod priority;
mod private;
pub mod projection;
pub mod queries;
#[cfg(test)]
mod samples;
mod store;
mod upkeep;

pub use backup::{BackupDeps, BackupState, Backups};
pub use control::{
    ApplyHow, AuditFilter, AuditRow, Control, Desired, DesiredKey, Erasure, FieldChange, KeyFilter,
    KeyRow, KeySpec, KeyState, Mint, NewKey, NewSecret, NewToken, Plan, Project, Replay, ReplayKey,
    SecretRow, Step, StoredSecret, Tenant, TokenRow,
};
pub use database::Migrated;
pub use error::StoreError;
pub use journal::{
    Durability, Journal, JournalOptions, Later, Permit, Recovery, Ticket, is_shared,
};
pub use prepare::{prepare, refuse_newer};
pub use projection::{LaneStatus, Projection, ProjectionStatus, SegmentsHeld, SettledSink};
pub use queries::{
    DatabaseState, Dimension, LogQuery, LogRow, Queries, StoreState, Totals, UsageQuery, UsageRow,
    Verification,
};
pub use store::{Store, holder};
pub use upkeep::{Keep, Retention, Swept, Told, Upkeep, UpkeepStatus};
