//! Schemas, versions, and files that former versions wrote.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::prepare::DATABASES;
use crate::samples::Scratch;

const ONE: &[Migration] = &[Migration::adds("0001-a", "CREATE TABLE a(x)")];
const TWO: &[Migration] = &[
    Migration::adds("0001-a", "CREATE TABLE a(x)"),
    Migration::adds("0002-b", "CREATE TABLE b(x); INSERT INTO b SELECT x FROM a"),
];
const BROKEN: &[Migration] = &[
    Migration::adds("0001-a", "CREATE TABLE a(x)"),
    Migration::adds(
        "0002-b",
        "CREATE TABLE b(x); DELETE FROM a; INSERT INTO nowhere VALUES (1)",
    ),
];

fn schema(migrations: &'static [Migration]) -> Schema {
    Schema {
        file: "t.sqlite",
        migrations,
        page_bytes: 4096,
        synchronous: "NORMAL",
        examine: Examine::Always,
        cache_kib: 64,
    }
}

fn count(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn migrates_once_and_keeps_others_out() {
    let scratch = Scratch::new();
    let db = schema(ONE).open(scratch.path()).unwrap();
    db.execute("INSERT INTO a VALUES (7)", []).unwrap();
    drop(db);
    let mut told = Vec::new();
    let db = schema(TWO)
        .open_telling(scratch.path(), &mut |step| {
            told.push((step.name, step.version))
        })
        .unwrap();
    assert_eq!(
        (told.as_slice(), count(&db, "SELECT x FROM b")),
        ([("0002-b", 2)].as_slice(), 7)
    );
    schema(TWO)
        .open_telling(scratch.path(), &mut |step| panic!("{step:?} ran again"))
        .unwrap();
    for file in ["t.sqlite", "t.sqlite-wal"] {
        let mode = std::fs::metadata(scratch.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_migration_that_fails_half_way_leaves_the_version_before_whole() {
    let scratch = Scratch::new();
    schema(ONE)
        .open(scratch.path())
        .unwrap()
        .execute("INSERT INTO a VALUES (7)", [])
        .unwrap();
    let refused = schema(BROKEN).open(scratch.path()).unwrap_err().to_string();
    for words in ["t.sqlite", "schema version 1", "0002-b", "nowhere"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let db = schema(ONE).open(scratch.path()).unwrap();
    assert_eq!(
        (
            count(&db, "SELECT COUNT(*) FROM a"),
            count(&db, "PRAGMA user_version")
        ),
        (1, 1)
    );
    drop(db);
    assert_eq!(
        count(
            &schema(TWO).open(scratch.path()).unwrap(),
            "SELECT x FROM b"
        ),
        7
    );
}

#[test]
fn a_migration_without_room_is_not_begun() {
    const BIG: &[Migration] = &[
        Migration::adds("0001-a", "CREATE TABLE a(x)"),
        Migration::rewrites("0002-b", "UPDATE a SET x = x + 1"),
    ];
    let scratch = Scratch::new();
    let path = scratch.path().join("t.sqlite");
    schema(ONE)
        .open(scratch.path())
        .unwrap()
        .execute("INSERT INTO a VALUES (7)", [])
        .unwrap();
    // A sparse file that is larger than half of what is free.
    let length = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let sparse = migrate::free_bytes(&path).unwrap() / 2 + (64 << 20);
    if file.set_len(sparse).is_ok() {
        let refused = schema(BIG).open(scratch.path()).unwrap_err();
        assert!(
            matches!(refused, StoreError::NoRoom { needed, free, .. } if needed > free),
            "{refused}"
        );
        file.set_len(length).unwrap();
    }
    assert_eq!(
        count(
            &schema(BIG).open(scratch.path()).unwrap(),
            "SELECT x FROM a"
        ),
        8
    );
}

#[test]
fn refuses_a_newer_schema() {
    let scratch = Scratch::new();
    drop(schema(TWO).open(scratch.path()).unwrap());
    let older = schema(ONE);
    let refused = older.open(scratch.path()).unwrap_err().to_string();
    for words in [
        "t.sqlite",
        "schema version 2, this version knows 1",
        "lintel backup restore",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert!(older.read(scratch.path()).is_err());
}

#[test]
fn every_script_is_in_its_list_in_order() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for schema in DATABASES {
        let folder = scripts.join(schema.file.trim_end_matches(".sqlite"));
        let mut files: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = schema
            .migrations
            .iter()
            .map(|step| format!("{}.sql", step.name))
            .collect();
        assert_eq!(files, listed, "{}", folder.display());
        for (index, step) in schema.migrations.iter().enumerate() {
            assert!(
                step.name.starts_with(&format!("{:04}-", index + 1)),
                "{} has another number",
                step.name
            );
            let file = std::fs::read_to_string(folder.join(format!("{}.sql", step.name))).unwrap();
            assert_eq!(
                file, step.script,
                "{} is listed with another file",
                step.name
            );
        }
    }
}

/// Every row of every table, as text, by the columns that the table has now.
type Content = std::collections::BTreeMap<String, (Vec<String>, Vec<Vec<String>>)>;

fn columns(db: &Connection, table: &str) -> Vec<String> {
    let mut info = db.prepare(&format!("PRAGMA table_info({table})")).unwrap();
    info.query_map([], |row| row.get(1))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn rows(db: &Connection, table: &str, columns: &[String]) -> Vec<Vec<String>> {
    let known = self::columns(db, table);
    // A key's hash has moved into a table of its own.
    let quoted = |c: &String| match (table, c.as_str()) {
        ("keys", "hash") if !known.contains(c) => {
            "quote((SELECT hash FROM secrets WHERE key = id))".to_owned()
        }
        _ => format!("quote(\"{c}\")"),
    };
    let quoted: Vec<String> = columns.iter().map(quoted).collect();
    let mut all = db
        .prepare(&format!("SELECT {} FROM {table}", quoted.join(", ")))
        .unwrap();
    let row = |row: &rusqlite::Row<'_>| (0..columns.len()).map(|i| row.get(i)).collect();
    let mut rows: Vec<Vec<String>> = all
        .query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    rows.sort();
    rows
}

fn content(db: &Connection) -> Content {
    let mut tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let table = |name: String| {
        let columns = columns(db, &name);
        let rows = rows(db, &name, &columns);
        (name, (columns, rows))
    };
    names.into_iter().map(table).collect()
}

/// `tests/golden/schema/<database>-<version>.sqlite`: files as that version wrote them, which every later one
/// must open. `UPDATE_GOLDEN=1` writes those of this version; an older one is never written again.
#[test]
fn files_of_former_versions_open_with_their_rows() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schema");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write_golden(&golden);
    }
    let mut tried = Vec::new();
    for entry in std::fs::read_dir(&golden).unwrap() {
        let source = entry.unwrap().path();
        let stem = source.file_stem().unwrap().to_str().unwrap().to_owned();
        let (name, version) = stem.rsplit_once('-').unwrap();
        let schema = DATABASES
            .into_iter()
            .find(|s| s.file == format!("{name}.sqlite"))
            .unwrap();
        let scratch = Scratch::new();
        std::fs::copy(&source, schema.path(scratch.path())).unwrap();
        let before = content(&Connection::open(schema.path(scratch.path())).unwrap());
        assert!(
            before.values().any(|(_, rows)| !rows.is_empty()),
            "{stem} proves nothing without rows"
        );
        let mut ran = Vec::new();
        let db = schema
            .open_telling(scratch.path(), &mut |step| ran.push(step.version))
            .unwrap();
        let from: i64 = version.parse().unwrap();
        assert_eq!(
            ran,
            (from + 1..=schema.version()).collect::<Vec<_>>(),
            "{stem}"
        );
        for (table, (columns, rows_before)) in &before {
            if table == "position" {
                // One row, which became the first generation's.
                assert_eq!(rows_before.len(), 1, "{stem}");
                let kept: Vec<String> = columns.iter().filter(|c| *c != "one").cloned().collect();
                assert_eq!(rows(&db, "positions", &kept).len(), 1, "{stem}");
                continue;
            }
            assert_eq!(&rows(&db, table, columns), rows_before, "{stem}: {table}");
        }
        tried.push(name.to_owned());
    }
    for schema in DATABASES {
        assert!(
            tried.iter().any(|t| schema.file.starts_with(t.as_str())),
            "no file for {}",
            schema.file
        );
    }
}

fn write_golden(golden: &Path) {
    use crate::control::NewSecret;
    use crate::control::tests::{Fixed, new_key};
    use crate::journal::{Journal, JournalOptions};
    use crate::samples::{self, NOW};
    let scratch = Scratch::new();
    let control = crate::Control::open(scratch.path(), std::sync::Arc::new(Fixed)).unwrap();
    control
        .create_key(&new_key("acme"), &NewSecret::of_hash([7; 32]), "admin")
        .unwrap();
    drop(control);
    let (journal, _) = Journal::open(
        scratch.path(),
        JournalOptions::new(lintel_types::NodeId(0)),
        NOW,
    )
    .unwrap();
    for n in 0..5 {
        let mut permit = journal.permit().unwrap();
        permit
            .dispatched(&samples::dispatched(samples::id(n), 1))
            .unwrap();
        assert!(
            permit
                .settle(samples::settled(samples::id(n), 2))
                .is_written()
        );
    }
    crate::Projection::start(scratch.path(), journal, Vec::new())
        .unwrap()
        .stop();
    std::fs::create_dir_all(golden).unwrap();
    for schema in DATABASES {
        let db = Connection::open(schema.path(scratch.path())).unwrap();
        let to = golden.join(format!(
            "{}-{}.sqlite",
            schema.file.trim_end_matches(".sqlite"),
            schema.version()
        ));
        let _ = std::fs::remove_file(&to);
        // As files were made before there was compaction.
        db.pragma_update(None, "auto_vacuum", "NONE").unwrap();
        db.execute("VACUUM INTO ?1", [to.to_str().unwrap()])
            .unwrap();
    }
}
