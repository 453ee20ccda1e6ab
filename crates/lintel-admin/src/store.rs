//! `GET /api/v1/store`: what lies in the store, how old, and how much of it holds nothing.

use lintel_store::{DatabaseState, StoreState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Fact;
use crate::operation::{Call, Nothing};
use crate::problem::Problem;
use crate::words::Moment;

/// How to look at the store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct How {
    /// Count rows too: reads every page.
    #[serde(default)]
    count: bool,
}

/// The store's files.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Store {
    /// Bytes that may still be written on its disk.
    disk_free_bytes: u64,
    /// Bytes of the journal's segments.
    journal_bytes: u64,
    /// Segments of the journal.
    journal_segments: usize,
    /// Generations of the journal: more than one while processes overlap.
    journal_generations: usize,
    databases: Vec<Database>,
}

/// One database.
#[derive(Debug, Serialize, JsonSchema)]
struct Database {
    file: &'static str,
    bytes: u64,
    /// Bytes of its write-ahead log.
    wal_bytes: u64,
    /// Bytes that hold nothing: new rows use them.
    free_bytes: u64,
    schema_version: i64,
    /// The table that grows in it.
    table: &'static str,
    /// The time of its first row.
    oldest: Option<Moment>,
    /// The time of its last row.
    newest: Option<Moment>,
    /// Its rows, when they were to be counted.
    rows: Option<u64>,
    /// Records of the journal that are not in it yet; absent where it is not made from the journal.
    lag: Option<u64>,
}

pub(crate) async fn state(call: Call<Nothing, How>) -> Result<Fact<Store>, Problem> {
    let count = call.query.count;
    let state = call
        .admin
        .blocking(move |admin| admin.queries.state(count))
        .await?;
    let projection = call
        .admin
        .projection
        .upgrade()
        .map(|projection| projection.status());
    let lag = |file: &str| {
        let status = projection.as_ref()?;
        match file {
            "ledger.sqlite" => Some(status.ledger.lag),
            "log.sqlite" => Some(status.log.lag),
            _ => None,
        }
    };
    let StoreState {
        disk_free,
        databases,
        generations,
        segments,
        journal_bytes,
    } = state;
    Ok(Fact(Store {
        disk_free_bytes: disk_free,
        journal_bytes,
        journal_segments: segments,
        journal_generations: generations,
        databases: databases
            .into_iter()
            .map(|one| shown(&one, lag(one.file)))
            .collect(),
    }))
}

/// What compaction came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Compacted {
    /// Bytes that the disk has back.
    freed_bytes: u64,
}

pub(crate) async fn compact(call: Call) -> Result<Fact<Compacted>, Problem> {
    let actor = call.caller.name;
    let freed_bytes = call
        .admin
        .blocking(move |admin| {
            admin.control.note(&actor, "store.compact", "store")?;
            admin.upkeep.compact()
        })
        .await?;
    Ok(Fact(Compacted { freed_bytes }))
}

fn shown(one: &DatabaseState, lag: Option<u64>) -> Database {
    Database {
        file: one.file,
        bytes: one.bytes,
        wal_bytes: one.wal_bytes,
        free_bytes: one.free,
        schema_version: one.schema,
        table: one.table,
        oldest: one.oldest.map(Moment),
        newest: one.newest.map(Moment),
        rows: one.rows,
        lag,
    }
}
