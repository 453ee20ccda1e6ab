//! Backups of a store that serves meanwhile, of one whose process is killed, and the way back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lintel_store::backup::{self, Source};
use lintel_store::{Control, Journal, JournalOptions, Projection, Queries, Store, StoreError};
use lintel_types::{Clock, ExchangeId, Mono, NodeId, Timestamp};

use crate::kill::{child, dir_of_child};
use crate::samples::{self, NOW, Scratch};

struct Stopped;

impl Clock for Stopped {
    fn wall(&self) -> Timestamp {
        NOW
    }

    fn mono(&self) -> Mono {
        Mono::default()
    }
}

/// A store that is open.
struct Open {
    journal: Journal,
    projection: Projection,
    _store: Store,
}

fn open(dir: &Path) -> Open {
    let store = Store::open(dir).unwrap();
    Control::open(dir, std::sync::Arc::new(Stopped)).unwrap();
    let options = JournalOptions {
        segment_bytes: 40_000,
        ..JournalOptions::new(NodeId(0))
    };
    let (journal, _) = Journal::open(dir, options, NOW).unwrap();
    let projection = Projection::start(dir, journal.clone(), Vec::new()).unwrap();
    Open {
        journal,
        projection,
        _store: store,
    }
}

fn call(journal: &Journal, n: u64) {
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(n), 1))
        .unwrap();
    assert!(
        permit
            .settle(samples::settled(samples::id(n), 1))
            .is_written()
    );
}

fn create(open: &Open, dir: &Path, to: &Path, at: u64) -> Result<PathBuf, StoreError> {
    let source = Source {
        store: dir,
        projection: Some(&open.projection),
        node: NodeId(0),
        lintel: "0.1.0",
        now: NOW.plus(std::time::Duration::from_secs(at)),
    };
    backup::create(&source, to, &mut |_| true).map(|(path, _)| path)
}

/// Settled exchanges of the ledger in `dir`, after everything in its journal is applied.
fn settled_in(dir: &Path) -> (BTreeSet<ExchangeId>, u64) {
    let restored = open(dir);
    restored.projection.stop();
    let verified = Queries::open(dir).unwrap().verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    let db = rusqlite::Connection::open(dir.join("ledger.sqlite")).unwrap();
    let mut rows = db
        .prepare("SELECT exchange FROM ledger WHERE kind = 'settlement'")
        .unwrap();
    let ids = rows
        .query_map([], |row| Ok(ExchangeId::from_bytes(row.get(0)?)))
        .unwrap();
    let ids: Vec<ExchangeId> = ids.map(Result::unwrap).collect();
    let count = ids.len();
    let set: BTreeSet<ExchangeId> = ids.into_iter().collect();
    assert_eq!(set.len(), count, "nothing twice");
    (set, verified.ledger.orphans)
}

/// Ends the other thread, also when this one panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_backup_under_load_replays_to_a_prefix_of_what_was_settled() {
    let (scratch, backups) = (Scratch::new(), Scratch::new());
    let live = open(scratch.path());
    let mut lasting = live.journal.permit().unwrap();
    lasting
        .dispatched(&samples::dispatched(samples::id(1_000_000), 1))
        .unwrap();
    let (made, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // As fast as the projection follows: what a backup does must not depend on how far it lags.
            for n in 1.. {
                while live.projection.status().ledger.lag > 400 && !stop.load(Ordering::Acquire) {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                if stop.load(Ordering::Acquire) {
                    return;
                }
                call(&live.journal, n);
                made.store(n, Ordering::Release);
            }
        });
        let _stop = Stop(&stop);
        for round in 0..3 {
            while made.load(Ordering::Acquire) < (round + 1) * 200 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let before = made.load(Ordering::Acquire);
            let path = create(&live, scratch.path(), backups.path(), round).unwrap();
            let after = made.load(Ordering::Acquire) + 1;
            let checked = backup::verify(&path).unwrap();
            assert_eq!(checked.problems, Vec::<String>::new());
            let to = backups.path().join(format!("restored-{round}"));
            backup::restore(&path, &to, false).unwrap();
            let (settled, orphans) = settled_in(&to);
            let count = settled.len() as u64;
            assert!(
                (before..=after).contains(&count),
                "{before} ≤ {count} ≤ {after}"
            );
            let prefix: BTreeSet<ExchangeId> = (1..=count).map(samples::id).collect();
            assert_eq!(
                settled, prefix,
                "the first {count} calls, and no hole among them"
            );
            // The call that ran on, and maybe the one between its dispatch and its settlement.
            assert!((1..=2).contains(&orphans), "{orphans} orphans");
        }
    });
    drop(lasting);
    assert_eq!(backup::list(backups.path()).unwrap().len(), 3);
}

#[test]
fn segments_wait_for_a_backup_and_go_afterwards() {
    let (scratch, backups) = (Scratch::new(), Scratch::new());
    let live = open(scratch.path());
    let segments = || {
        std::fs::read_dir(scratch.path())
            .unwrap()
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with("journal-")
            })
            .count()
    };
    let held = live.projection.hold_segments();
    (0..100).for_each(|n| call(&live.journal, n));
    live.projection.flush();
    let kept = segments();
    assert!(kept > 2, "{kept} segments");
    drop(held);
    live.projection.flush();
    assert!(segments() < kept);
    create(&live, scratch.path(), backups.path(), 1).unwrap();
}

#[test]
fn any_flipped_byte_and_any_cut_is_seen() {
    let (scratch, backups) = (Scratch::new(), Scratch::new());
    let live = open(scratch.path());
    (0..20).for_each(|n| call(&live.journal, n));
    let path = create(&live, scratch.path(), backups.path(), 1).unwrap();
    let names: Vec<PathBuf> = std::fs::read_dir(&path)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(
        names.len(),
        5,
        "three databases, a segment, a manifest: {names:?}"
    );
    let verdict = |what: &str| match backup::verify(&path) {
        Ok(checked) => assert!(!checked.problems.is_empty(), "{what} was not seen"),
        Err(error) => assert!(error.to_string().contains("backup"), "{error}"),
    };
    for file in &names {
        let whole = std::fs::read(file).unwrap();
        for at in [0, whole.len() / 3, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x11;
            std::fs::write(file, bytes).unwrap();
            verdict(&format!("{} with byte {at} flipped", file.display()));
        }
        std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
        verdict(&format!("{} cut in half", file.display()));
        std::fs::remove_file(file).unwrap();
        verdict(&format!("{} gone", file.display()));
        let to = backups.path().join("never");
        assert!(backup::restore(&path, &to, false).is_err() && !to.exists());
        std::fs::write(file, whole).unwrap();
    }
    assert!(backup::verify(&path).unwrap().problems.is_empty());
}

#[test]
fn a_restore_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (scratch, backups) = (Scratch::new(), Scratch::new());
    let live = open(scratch.path());
    call(&live.journal, 1);
    let path = create(&live, scratch.path(), backups.path(), 1).unwrap();
    let used = backup::restore(&path, scratch.path(), true)
        .unwrap_err()
        .to_string();
    assert!(used.contains("in use by process"), "{used}");
    drop(live);
    let full = backup::restore(&path, scratch.path(), false)
        .unwrap_err()
        .to_string();
    assert!(
        full.contains("not empty") && full.contains("--force"),
        "{full}"
    );
    let marked = scratch.path().join("mine");
    std::fs::write(&marked, "x").unwrap();
    // Of a restore of the same process number that was killed: nothing of it gets into the store.
    let name = scratch.path().file_name().unwrap().to_str().unwrap();
    let left = format!("{name}.restoring-{}", std::process::id());
    let left = scratch.path().with_file_name(left);
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("journal-stray"), "x").unwrap();
    let restored = backup::restore(&path, scratch.path(), true).unwrap();
    assert!(!left.exists() && !scratch.path().join("journal-stray").exists());
    let aside = restored.aside.unwrap();
    assert!(aside.join("mine").exists() && !marked.exists());
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(scratch.path()), 0o700);
    for entry in std::fs::read_dir(scratch.path()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    assert_eq!(settled_in(scratch.path()).0.len(), 1);
    std::fs::remove_dir_all(aside).unwrap();
}

#[test]
fn a_killed_backup_is_none() {
    let (scratch, backups) = (Scratch::new(), Scratch::new());
    let live = open(scratch.path());
    (0..3_000).for_each(|n| call(&live.journal, n));
    live.projection.flush();
    drop(live);
    let mut finished = 0;
    for round in 0..12u32 {
        let mut process = child("backup::child_backs_up", scratch.path());
        let begun = std::time::Instant::now();
        // The moment of death moves over the whole of what a backup does.
        while begun.elapsed() < std::time::Duration::from_millis(15 + u64::from(round) * 12) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    for entry in std::fs::read_dir(scratch.path().join("backups"))
        .into_iter()
        .flatten()
    {
        let path = entry.unwrap().path();
        let partial = path.to_string_lossy().ends_with(".partial");
        let verified = backup::verify(&path);
        assert_eq!(
            verified.is_ok(),
            !partial,
            "{}: {verified:?}",
            path.display()
        );
        let Ok(checked) = verified else { continue };
        assert_eq!(checked.problems, Vec::<String>::new());
        let to = backups.path().join(format!("restored-{finished}"));
        backup::restore(&path, &to, false).unwrap();
        assert_eq!(settled_in(&to).0.len(), 3_000);
        finished += 1;
    }
    // The next one clears away what the dead left.
    let live = open(scratch.path());
    create(
        &live,
        scratch.path(),
        &scratch.path().join("backups"),
        1 << 20,
    )
    .unwrap();
    let left = backup::list(&scratch.path().join("backups")).unwrap();
    assert!(left.iter().all(|b| b.manifest.is_some()), "{left:?}");
    assert_eq!(left.len(), finished + 1);
}

#[test]
#[ignore = "a process that is killed, started by `a_killed_backup_is_none`"]
fn child_backs_up() {
    let dir = dir_of_child();
    let live = open(&dir);
    let from = std::process::id().into();
    for at in from.. {
        create(&live, &dir, &dir.join("backups"), at).unwrap();
    }
}
