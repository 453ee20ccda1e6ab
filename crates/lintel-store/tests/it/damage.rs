//! A damaged file of the store, whichever it is and however it is damaged: a start mends it by the stated rule, or
//! refuses with the file, what is wrong, and a remedy. The remedy is then followed, and has to work.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lintel_store::{
    Control, Journal, JournalOptions, KeySpec, NewKey, NewSecret, Projection, Queries, Store,
    StoreError,
};
use lintel_types::{Clock, Mono, NodeId, Timestamp};

use crate::samples::{self, NOW, Scratch};

/// Calls that ledger and log hold, and calls that only the journal holds.
const APPLIED: u64 = 300;
const WAITING: u64 = 90;
const ALL: u64 = APPLIED + WAITING;

struct Stopped;

impl Clock for Stopped {
    fn wall(&self) -> Timestamp {
        NOW
    }

    fn mono(&self) -> Mono {
        Mono::default()
    }
}

fn journal(dir: &Path) -> Result<Journal, StoreError> {
    let options = JournalOptions {
        segment_bytes: 30_000,
        ..JournalOptions::new(NodeId(0))
    };
    Ok(Journal::open(dir, options, NOW)?.0)
}

fn call(journal: &Journal, n: u64) {
    let mut permit = journal.permit().unwrap();
    permit
        .dispatched(&samples::dispatched(samples::id(n), 1))
        .unwrap();
    let settled = samples::settled(samples::id(n), 1);
    assert!(permit.settle(settled).is_written());
}

/// A store that was used and closed.
fn used() -> Scratch {
    let scratch = Scratch::new();
    let dir = scratch.path();
    let _store = Store::open(dir).unwrap();
    lintel_store::prepare(dir, &mut |_| {}).unwrap();
    let control = Control::open(dir, Arc::new(Stopped)).unwrap();
    for n in 0..100 {
        let key = NewKey {
            tenant: "acme".into(),
            project: "search".into(),
            spec: KeySpec {
                name: format!("key-{n}"),
                ..KeySpec::default()
            },
        };
        let secret = NewSecret::of_hash([n; 32]);
        control.create_key(&key, &secret, "admin").unwrap();
    }
    let written = journal(dir).unwrap();
    let projection = Projection::start(dir, written.clone(), Vec::new()).unwrap();
    (0..APPLIED).for_each(|n| call(&written, n));
    projection.stop();
    drop(written);
    let written = journal(dir).unwrap();
    (APPLIED..ALL).for_each(|n| call(&written, n));
    scratch
}

/// What the process does at its start. Returns the exchanges that ledger and log then hold.
fn start(dir: &Path) -> Result<(u64, u64), StoreError> {
    let _store = Store::open(dir)?;
    lintel_store::prepare(dir, &mut |_| {})?;
    let _control = Control::open(dir, Arc::new(Stopped))?;
    let journal = journal(dir)?;
    let projection = Projection::start(dir, journal, Vec::new())?;
    let queries = Queries::open(dir)?;
    let status = projection.flush();
    assert_eq!((status.ledger.error, status.log.error), (None, None));
    let totals = queries.totals()?;
    let state = queries.state(true)?;
    let rows = |file: &str| {
        let found = state.databases.iter().find(|d| d.file == file).unwrap();
        found.rows.unwrap()
    };
    Ok((totals.requests, rows("log.sqlite")))
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The journal's segments, oldest first.
fn segments(dir: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<PathBuf> = all
        .filter(|p| name(p).starts_with("journal-") && name(p).ends_with(".log"))
        .collect();
    found.sort();
    found
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

fn cut(path: &Path, length: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn directory_in_place_of(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir(path).unwrap();
}

/// Moves these files, and those that SQLite keeps beside them, out of the store.
fn move_away(paths: &[PathBuf]) {
    for path in paths {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            let name = PathBuf::from(name);
            if name.is_dir() {
                fs::remove_dir(&name).unwrap();
            } else if name.exists() {
                fs::remove_file(&name).unwrap();
            }
        }
    }
}

/// Every refusal: the file, what is wrong, what to do; then what to do is done, and `left` exchanges are there.
#[track_caller]
fn refuses(
    name: &str,
    used: &Path,
    damage: impl Fn(&Path) -> PathBuf,
    words: &[&str],
    mend: impl Fn(&Path, &Path),
) -> (u64, u64) {
    let scratch = Scratch::new();
    let dir = scratch.path();
    copy(used, dir);
    let file = damage(dir);
    let said = start(dir).expect_err(name).to_string();
    let file_name = file.to_str().unwrap();
    for word in words.iter().chain([&file_name]) {
        assert!(said.contains(word), "{name}: no {word:?} in: {said}");
    }
    // A second start says the same: the first has mended nothing by guessing.
    assert_eq!(start(dir).expect_err(name).to_string(), said, "{name}");
    mend(dir, &file);
    start(dir).unwrap_or_else(|e| panic!("{name}: the remedy does not help: {e}"))
}

type Damage = fn(&Path);

#[test]
fn a_damaged_database_is_refused_with_its_remedy() {
    let used = used();
    let unclean = |path: &Path| {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        fs::write(wal, [0x5a; 200]).unwrap();
    };
    let rows: [(&str, &str, Damage); 6] = [
        ("header", "not a database", |p| overwrite(p, 0, &[b'x'; 64])),
        ("a page in the middle", "", |p| {
            let page = u64::from(u16::from_be_bytes([
                fs::read(p).unwrap()[16],
                fs::read(p).unwrap()[17],
            ]));
            let middle = length(p) / page / 2;
            (middle - 2..middle + 2).for_each(|n| overwrite(p, n * page, &vec![0xff; 512]));
        }),
        ("half", "", |p| cut(p, length(p) / 2 / 4096 * 4096)),
        ("a few bytes", "", |p| cut(p, 50)),
        ("empty", "it is empty", |p| cut(p, 0)),
        (
            "directory",
            "a directory is in its place",
            directory_in_place_of,
        ),
    ];
    let files = [
        ("control.sqlite", "no tenant, project, key", (ALL, ALL)),
        (
            "ledger.sqlite",
            "what the journal still holds",
            (WAITING, ALL),
        ),
        ("log.sqlite", "what the journal still holds", (ALL, WAITING)),
    ];
    for (file, words, left) in files {
        for (name, why, damage) in &rows {
            let name = format!("{file}: {name}");
            let damaged = |dir: &Path| {
                let path = dir.join(file);
                damage(&path);
                if path.is_file() && length(&path) > 0 {
                    unclean(&path);
                }
                path
            };
            let words = [
                *why,
                words,
                "lintel backup verify",
                "lintel backup restore DIR --store ",
            ];
            let mend = |_: &Path, path: &Path| move_away(&[path.to_owned()]);
            let found = refuses(&name, used.path(), damaged, &words, mend);
            // Of what was applied the journal still holds the segment that was being written.
            assert!(found.0 >= left.0 && found.1 >= left.1, "{name}: {found:?}");
            assert!(found.0 <= ALL && found.1 <= ALL, "{name}: {found:?}");
        }
    }
}

#[test]
fn a_damaged_segment_is_refused_with_its_remedy() {
    let used = used();
    assert!(segments(used.path()).len() > 2, "too few to have a middle");
    let first = |dir: &Path| segments(dir).remove(0);
    let second = |dir: &Path| segments(dir).remove(1);
    let last = |dir: &Path| segments(dir).pop().unwrap();
    let later = |dir: &Path, path: &Path| {
        let all = segments(dir);
        all.into_iter().filter(|p| p > path).collect::<Vec<_>>()
    };
    let away = |dir: &Path, path: &Path| {
        move_away(&later(dir, path));
        move_away(&[path.to_owned()]);
    };
    let restore = "lintel backup restore";
    let header: fn(&Path) = |p| overwrite(p, 0, &[b'x'; 16]);
    let middle: fn(&Path) = |p| overwrite(p, length(p) / 2, &[0xff; 64]);
    let missing = |dir: &Path| {
        let all = segments(dir);
        fs::remove_file(&all[1]).unwrap();
        all[2].clone()
    };
    let gone = [restore, "corrupt at byte 0", "a segment is missing", "move"];
    refuses("a segment is missing", used.path(), missing, &gone, away);
    for (place, which) in [
        ("first", &first as &dyn Fn(&Path) -> PathBuf),
        ("second", &second),
        ("last", &last),
    ] {
        let damaged = |how: fn(&Path)| {
            move |dir: &Path| {
                let path = which(dir);
                how(&path);
                path
            }
        };
        let words = [restore, "corrupt at byte 0", "not a journal segment"];
        let name = format!("{place}: header");
        refuses(&name, used.path(), damaged(header), &words, away);
        let name = format!("{place}: middle");
        let words = [restore, "is corrupt at byte", "truncate -s"];
        refuses(&name, used.path(), damaged(middle), &words, |dir, path| {
            let said = start(dir).unwrap_err().to_string();
            let at = said.split("truncate -s ").nth(1).unwrap();
            let at = at.split('`').next().unwrap().parse().unwrap();
            cut(path, at);
            move_away(&later(dir, path));
        });
        let name = format!("{place}: directory");
        let words = ["a directory is in its place", "move it away"];
        let directory: fn(&Path) = directory_in_place_of;
        refuses(&name, used.path(), damaged(directory), &words, away);
    }
    let torn = |dir: &Path| {
        let path = second(dir);
        cut(&path, length(&path) - 1);
        path
    };
    let words = [restore, "incomplete record", "truncate -s"];
    refuses("second: torn", used.path(), torn, &words, away);
}

#[test]
fn a_directory_in_place_of_a_lock_is_refused_with_its_remedy() {
    let used = used();
    for lock in ["lock", "journal.lock"] {
        let damaged = |dir: &Path| {
            directory_in_place_of(&dir.join(lock));
            dir.join(lock)
        };
        let words = ["a directory is in its place", "move it away"];
        let mend = |_: &Path, path: &Path| move_away(&[path.to_owned()]);
        assert_eq!(
            refuses(lock, used.path(), damaged, &words, mend),
            (ALL, ALL)
        );
    }
}

#[test]
fn what_a_crash_leaves_is_mended_and_nothing_is_lost() {
    let used = used();
    let rows: [(&str, Damage); 7] = [
        ("nothing", |_| {}),
        ("torn tail", |dir| {
            let path = segments(dir).pop().unwrap();
            let end = length(&path);
            overwrite(&path, end, b"\x20\x00\x00\x00\x01\x02\x03\x04{\"kind");
        }),
        ("zeros at the end", |dir| {
            let path = segments(dir).pop().unwrap();
            cut(&path, length(&path) + 300);
        }),
        ("a segment without a header", |dir| {
            // Its first record would be the next one: two a call.
            let next = dir.join(format!("journal-{:020}.log", ALL * 2));
            fs::write(next, b"").unwrap();
        }),
        ("locks", |dir| {
            fs::write(dir.join("lock"), b"\xff\x00garbage").unwrap();
            fs::remove_file(dir.join("journal.lock")).unwrap();
        }),
        ("write-ahead logs of no sense", |dir| {
            for file in ["control", "ledger", "log"] {
                fs::write(dir.join(format!("{file}.sqlite-wal")), [0x5a; 9_000]).unwrap();
                fs::write(dir.join(format!("{file}.sqlite-shm")), [0x5a; 9_000]).unwrap();
            }
        }),
        ("a first start that was cut short", |dir| {
            for entry in fs::read_dir(dir).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
            fs::write(dir.join("control.sqlite"), b"").unwrap();
        }),
    ];
    for (name, damage) in rows {
        let scratch = Scratch::new();
        copy(used.path(), scratch.path());
        damage(scratch.path());
        let found = start(scratch.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let all = if name.starts_with("a first") { 0 } else { ALL };
        assert_eq!(found, (all, all), "{name}");
    }
}
