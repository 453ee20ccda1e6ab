//! `/api/v1/backups`: begins a backup and lists those that stand.
//!
//! Where they go is the configuration's word: no request names a path. Restoring is offline, and no operation here.

use lintel_store::BackupState;
use lintel_store::backup::{Listed, Manifest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Fact;
use crate::operation::{Call, Nothing};
use crate::page::{self, Order, Page};
use crate::problem::Problem;
use crate::words::Moment;

/// A page of backups.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

/// A backup that stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Backup")]
pub(crate) struct Shown {
    /// Its directory below the configured one.
    name: String,
    /// Whether its making ended and its manifest can be read. `lintel backup verify` looks at the rest.
    finished: bool,
    /// When it was begun.
    made: Option<Moment>,
    /// The version of Lintel that made it.
    lintel: Option<String>,
    /// Bytes of its files.
    bytes: Option<u64>,
    /// Rows of the ledger in it.
    ledger_rows: Option<u64>,
}

/// How the last backup of this process does.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Latest {
    /// What it is doing.
    state: Doing,
    /// The configured directory, on the server's machine.
    directory: String,
    /// When it was begun.
    began: Option<Moment>,
    /// When it ended.
    ended: Option<Moment>,
    /// Bytes of databases that are copied.
    done_bytes: Option<u64>,
    /// Bytes of databases to copy.
    total_bytes: Option<u64>,
    /// Where it is, once it is done.
    path: Option<String>,
    /// Why it failed.
    error: Option<String>,
}

/// What a backup is doing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Doing {
    /// None was begun by this process.
    None,
    /// It is being made.
    Running,
    /// It stands.
    Done,
    /// It failed, and nothing is left of it.
    Failed,
}

pub(crate) async fn create(call: Call) -> Result<Fact<Latest>, Problem> {
    let actor = call.caller.name;
    let begun = call
        .admin
        .blocking(move |admin| admin.backups.start(&actor))
        .await?;
    Ok(Fact(Latest::of(begun, &call.admin.backups)))
}

pub(crate) async fn latest(call: Call) -> Result<Fact<Latest>, Problem> {
    let backups = &call.admin.backups;
    Ok(Fact(Latest::of(backups.state(), backups)))
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let limit = page::limit(call.query.limit)?;
    let listed = call.admin.blocking(|admin| admin.backups.list()).await?;
    let shown = listed.into_iter().map(Shown::of).collect();
    page::cut(
        shown,
        call.query.after.as_deref(),
        limit,
        Order::Descending,
        |backup| backup.name.clone(),
    )
}

impl Shown {
    fn of(listed: Listed) -> Self {
        let manifest = listed.manifest.as_ref();
        Self {
            finished: manifest.is_some(),
            made: manifest.map(|m| Moment(m.made)),
            lintel: manifest.map(|m| m.lintel.clone()),
            bytes: manifest.map(Manifest::bytes),
            ledger_rows: manifest.map(|m| m.counts.ledger),
            name: listed.name,
        }
    }
}

impl Latest {
    fn of(state: BackupState, backups: &lintel_store::Backups) -> Self {
        let mut shown = Self {
            state: Doing::None,
            directory: backups.directory().display().to_string(),
            began: None,
            ended: None,
            done_bytes: None,
            total_bytes: None,
            path: None,
            error: None,
        };
        match state {
            BackupState::None => {}
            BackupState::Running { began, progress } => {
                shown.state = Doing::Running;
                shown.began = Some(Moment(began));
                shown.done_bytes = Some(progress.done);
                shown.total_bytes = Some(progress.total);
            }
            BackupState::Done {
                began, ended, path, ..
            } => {
                shown.state = Doing::Done;
                shown.began = Some(Moment(began));
                shown.ended = Some(Moment(ended));
                shown.path = Some(path.display().to_string());
            }
            BackupState::Failed { began, ended, why } => {
                shown.state = Doing::Failed;
                shown.began = Some(Moment(began));
                shown.ended = Some(Moment(ended));
                shown.error = Some(why);
            }
        }
        shown
    }
}
