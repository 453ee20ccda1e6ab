//! `lintel store`: looks at a running gateway's store and gives its free space back, over the control API.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::text;

/// Look after the store.
#[derive(Debug, Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the store's files: sizes, ages, schema versions, how far each is behind the journal.
    Status {
        #[command(flatten)]
        remote: Remote,
        /// Count rows too: reads every page.
        #[arg(long)]
        count: bool,
    },
    /// Give free space of the databases back to the disk. Happens by itself once a quarter of a database is free.
    Compact {
        #[command(flatten)]
        remote: Remote,
    },
}

impl Store {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::Status { remote, count } => {
                let query = Query::default().with("count", count.then_some("true"));
                (
                    Client::new(remote)?
                        .patient()
                        .get("/api/v1/store", &query)?,
                    files,
                )
            }
            What::Compact { remote } => (
                Client::new(remote)?
                    .patient()
                    .command("/api/v1/store/compact")?,
                compacted,
            ),
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn compacted(answer: &Value) -> String {
    format!(
        "{} bytes are the disk's again.\n",
        text(answer, "freed_bytes")
    )
}

fn files(answer: &Value) -> String {
    let right = |heading| (heading, Align::Right);
    let left = |heading| (heading, Align::Left);
    let mut table = Table::new([
        left("FILE"),
        right("BYTES"),
        right("WAL"),
        right("FREE"),
        right("SCHEMA"),
        right("ROWS"),
        right("LAG"),
        left("OLDEST"),
    ]);
    for one in answer
        .get("databases")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let cells = [
            "file",
            "bytes",
            "wal_bytes",
            "free_bytes",
            "schema_version",
            "rows",
            "lag",
            "oldest",
        ];
        table.row(cells.iter().map(|cell| text(one, cell)).collect());
    }
    let journal =
        ["journal_bytes", "journal_segments", "disk_free_bytes"].map(|name| text(answer, name));
    let [bytes, segments, free] = journal;
    format!(
        "{}journal: {bytes} bytes in {segments} segments; {free} bytes free on the disk\n",
        table.render()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_stand_with_what_they_take() {
        let answer = json!({"disk_free_bytes": 9, "journal_bytes": 8, "journal_segments": 1, "databases": [{"file": "log.sqlite", "bytes": 77, "rows": null}]});
        let shown = files(&answer);
        assert!(
            shown.contains("log.sqlite")
                && shown.ends_with("journal: 8 bytes in 1 segments; 9 bytes free on the disk\n"),
            "{shown}"
        );
    }
}
