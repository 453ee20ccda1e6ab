//! `lintel backup`: makes and lists backups over the control API; proves and restores them without one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use lintel_store::StoreError;
use lintel_store::backup::{self, Manifest};
use lintel_types::Money;
use serde_json::{Map, Value, json};

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::{Failure, Why};
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::{list, page, text};

/// How often the progress of a backup is asked for.
const POLL: Duration = Duration::from_millis(250);

/// Make, list, prove and restore backups.
///
/// A backup holds hashes of keys and tokens, and what the request log says of every call: guard it as the store itself.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a backup of a running gateway's store, in its `backup.directory`, and wait until it stands.
    Create {
        #[command(flatten)]
        remote: Remote,
        /// Begin it and don't wait.
        #[arg(long)]
        detach: bool,
    },
    /// List the backups in a running gateway's `backup.directory`.
    List {
        #[command(flatten)]
        remote: Remote,
        /// At most this many.
        #[arg(long)]
        limit: Option<u32>,
        /// Go on after this: the `next` of the answer before.
        #[arg(long)]
        after: Option<String>,
    },
    /// Prove a backup: lengths, checksums, the structure of each database, the journal's records, counts and sums.
    Verify {
        /// The backup's directory.
        directory: PathBuf,
    },
    /// Make a store from a backup. The gateway that uses the store must be stopped.
    Restore {
        /// The backup's directory.
        directory: PathBuf,
        /// The store directory to make: absent or empty.
        #[arg(long, env = "LINTEL_STORE", value_name = "DIR")]
        store: PathBuf,
        /// Move a store that is there aside, to `<DIR>.before-N`, instead of refusing.
        #[arg(long)]
        force: bool,
    },
}

impl Backup {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; for `verify` and `restore` what is wrong with the backup or the target.
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        match &self.what {
            What::Create { remote, detach } => create(&Client::new(remote)?, *detach, form),
            What::List {
                remote,
                limit,
                after,
            } => {
                let query = Query::default()
                    .with("limit", *limit)
                    .with("after", after.as_ref());
                let answer = Client::new(remote)?.get("/api/v1/backups", &query)?;
                Ok(output::answer(form, &answer, backups)?)
            }
            What::Verify { directory } => {
                let checked = backup::verify(directory).map_err(told)?;
                let mut answer = facts(&checked.manifest);
                answer.insert("problems".to_owned(), json!(checked.problems));
                let answer = Value::Object(answer);
                output::answer(form, &answer, verified)?;
                match checked.problems.len() {
                    0 => Ok(()),
                    count => Err(Failure::failed(format!(
                        "{} has {count} problems: use another backup",
                        directory.display()
                    ))),
                }
            }
            What::Restore {
                directory,
                store,
                force,
            } => {
                let restored = backup::restore(directory, store, *force).map_err(told)?;
                let mut answer = facts(&restored.manifest);
                answer.insert("store".to_owned(), json!(store.display().to_string()));
                answer.insert(
                    "aside".to_owned(),
                    json!(restored.aside.map(|path| path.display().to_string())),
                );
                let answer = Value::Object(answer);
                Ok(output::answer(form, &answer, stands)?)
            }
        }
    }
}

fn told(error: StoreError) -> Failure {
    let why = match error {
        StoreError::Occupied { .. } | StoreError::Locked { .. } => Why::Refused,
        _ => Why::Failed,
    };
    Failure::new(why, error.to_string())
}

fn create(client: &Client, detach: bool, form: Form) -> Result<(), Failure> {
    let mut answer = client.command("/api/v1/backups")?;
    while !detach && answer.get("state").is_some_and(|state| state == "running") {
        std::thread::sleep(POLL);
        answer = client.get("/api/v1/backups/latest", &Query::default())?;
    }
    output::answer(form, &answer, begun)?;
    let error = answer.get("error").and_then(Value::as_str);
    match (text(&answer, "state").as_str(), error) {
        ("done", _) => Ok(()),
        ("running", None) if detach => Ok(()),
        (_, Some(error)) => Err(Failure::failed(format!("no backup was made: {error}"))),
        _ => Err(Failure::failed(
            "the gateway's process was replaced before the backup stood: make another",
        )),
    }
}

fn begun(answer: &Value) -> String {
    match text(answer, "state").as_str() {
        "done" => format!("backup {} stands.\n", text(answer, "path")),
        "running" => format!("a backup is being made in {}.\n", text(answer, "directory")),
        _ => String::new(),
    }
}

fn backups(answer: &Value) -> String {
    let headings = [
        ("BACKUP", Align::Left),
        ("FINISHED", Align::Left),
        ("BYTES", Align::Right),
        ("LEDGER ROWS", Align::Right),
        ("LINTEL", Align::Left),
    ];
    let mut table = Table::new(headings);
    for backup in list(answer) {
        let cells = ["name", "finished", "bytes", "ledger_rows", "lintel"];
        table.row(cells.iter().map(|cell| text(backup, cell)).collect());
    }
    page(
        &table,
        answer,
        "no backups; make one with `lintel backup create`",
    )
}

/// What a manifest says, as an answer.
fn facts(manifest: &Manifest) -> Map<String, Value> {
    let cost = manifest
        .usage
        .iter()
        .map(|sum| sum.cost)
        .fold(Money::default(), |all, one| all + one);
    [
        ("made", json!(manifest.made.to_string())),
        ("lintel", json!(manifest.lintel)),
        ("bytes", json!(manifest.bytes())),
        ("schemas", json!(manifest.schemas)),
        ("counts", json!(manifest.counts)),
        ("cost", json!(cost.to_string())),
        ("usage", json!(manifest.usage)),
        ("ledger", json!(manifest.ledger)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn verified(answer: &Value) -> String {
    let problems = answer
        .get("problems")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let lines: String = problems
        .iter()
        .filter_map(Value::as_str)
        .map(|problem| format!("{problem}\n"))
        .collect();
    if lines.is_empty() {
        format!("whole: {}\n", sentence(answer))
    } else {
        lines
    }
}

fn stands(answer: &Value) -> String {
    let aside = answer.get("aside").and_then(Value::as_str);
    let aside = aside
        .map(|path| format!("What was there is in {path}.\n"))
        .unwrap_or_default();
    format!(
        "store {} stands: {}\n{aside}",
        text(answer, "store"),
        sentence(answer)
    )
}

fn sentence(answer: &Value) -> String {
    let count = |name: &str| {
        answer
            .get("counts")
            .map(|counts| text(counts, name))
            .unwrap_or_default()
    };
    format!(
        "made {} by Lintel {}, {} bytes; {} ledger rows, {} exchanges, {} keys, {} audit rows; {} USD used",
        text(answer, "made"),
        text(answer, "lintel"),
        text(answer, "bytes"),
        count("ledger"),
        count("log"),
        count("keys"),
        count("audit"),
        text(answer, "cost")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_stand_with_what_is_known_of_them() {
        let whole = json!({"name": "20261124T142300Z", "finished": true, "bytes": 4096, "ledger_rows": 7, "lintel": "0.1.0"});
        let text = backups(&json!({"data": [whole], "next": null}));
        assert!(
            text.contains("20261124T142300Z") && text.contains("4096"),
            "{text}"
        );
        assert!(backups(&json!({"data": []})).starts_with("no backups"));
    }

    #[test]
    fn what_is_wrong_is_listed() {
        assert_eq!(verified(&json!({"problems": ["a", "b"]})), "a\nb\n");
    }
}
