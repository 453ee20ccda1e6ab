//! A process that dies at a random moment, and a second one that comes too early.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lintel_store::{Journal, JournalOptions, Projection, Queries, Store, StoreError};
use lintel_types::{ExchangeId, NodeId};

use crate::samples::{self, NOW, Scratch};

const DIR: &str = "LINTEL_TEST_STORE_DIR";

/// Runs `test` of this binary in a process of its own.
pub(crate) fn child(test: &str, dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

pub(crate) fn dir_of_child() -> PathBuf {
    std::env::var_os(DIR)
        .expect("started by another test")
        .into()
}

#[test]
fn a_second_process_is_refused() {
    let scratch = Scratch::new();
    let _store = Store::open(scratch.path()).unwrap();
    assert!(
        child("kill::child_is_refused", scratch.path())
            .wait()
            .unwrap()
            .success()
    );
}

#[test]
#[ignore = "a second process, started by `a_second_process_is_refused`"]
fn child_is_refused() {
    match Store::open(&dir_of_child()) {
        Err(StoreError::Locked { pid, .. }) => {
            assert_eq!(pid, std::os::unix::process::parent_id().to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_killed_process_leaves_each_exchange_one_row() {
    let scratch = Scratch::new();
    for round in 1..=5u64 {
        let mut process = child("kill::child_calls_until_killed", scratch.path());
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let wanted = format!(
            "settled {}",
            samples::id(round * 37 + round_start(scratch.path()))
        );
        let mut settled = Vec::new();
        for line in lines.map_while(Result::ok) {
            let done = line == wanted;
            settled.extend(
                line.strip_prefix("settled ")
                    .map(|id| id.parse::<ExchangeId>().unwrap()),
            );
            if done {
                break;
            }
        }
        process.kill().unwrap();
        process.wait().unwrap();
        check(scratch.path(), &settled);
    }
}

/// The first exchange of the next child: behind everything that is on file.
fn round_start(dir: &Path) -> u64 {
    std::fs::read_to_string(dir.join("next"))
        .ok()
        .and_then(|n| n.trim().parse().ok())
        .unwrap_or(0)
}

fn check(dir: &Path, settled: &[ExchangeId]) {
    let _store = Store::open(dir).unwrap();
    let (journal, recovery) = Journal::open(dir, JournalOptions::new(NodeId(0)), NOW).unwrap();
    assert!(
        recovery.orphans >= 1,
        "one exchange is dispatched and never settled"
    );
    Projection::start(dir, journal, Vec::new()).unwrap().stop();
    let verified = Queries::open(dir).unwrap().verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    let rows = rows(dir);
    let exchanges: HashSet<_> = rows.iter().map(|(id, _)| *id).collect();
    assert_eq!(exchanges.len(), rows.len(), "one row an exchange");
    let booked: HashSet<_> = rows
        .iter()
        .filter(|(_, kind)| kind == "settlement")
        .map(|(id, _)| *id)
        .collect();
    assert!(settled.len() > 30 && settled.iter().all(|id| booked.contains(id)));
    std::fs::write(dir.join("next"), (rows.len() as u64 * 10).to_string()).unwrap();
}

fn rows(dir: &Path) -> Vec<(ExchangeId, String)> {
    let db = rusqlite::Connection::open(dir.join("ledger.sqlite")).unwrap();
    let mut all = db.prepare("SELECT exchange, kind FROM ledger").unwrap();
    let rows = all
        .query_map([], |row| {
            Ok((ExchangeId::from_bytes(row.get(0)?), row.get(1)?))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
#[ignore = "a process that is killed, started by `a_killed_process_leaves_each_exchange_one_row`"]
fn child_calls_until_killed() {
    let dir = dir_of_child();
    let _store = Store::open(&dir).unwrap();
    let (journal, _) = Journal::open(&dir, JournalOptions::new(NodeId(0)), NOW).unwrap();
    let _projection = Projection::start(&dir, journal.clone(), Vec::new()).unwrap();
    let first = round_start(&dir);
    let mut open = journal.permit().unwrap();
    open.dispatched(&samples::dispatched(samples::id(first), 1))
        .unwrap();
    for n in first + 1.. {
        let mut permit = journal.permit().unwrap();
        permit
            .dispatched(&samples::dispatched(samples::id(n), 1))
            .unwrap();
        let ticket = permit.settle(samples::settled(samples::id(n), 1));
        assert!(ticket.is_written());
        if writeln!(std::io::stdout(), "settled {}", samples::id(n)).is_err() {
            return;
        }
    }
}
