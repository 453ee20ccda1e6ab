//! Files with the names of before: they load with a warning, and migrate by exchanging single words.
//!
//! A pair of fixtures is `<name>.before.yaml` and `<name>.after.yaml` in `tests/renames`; every pair is tried.

use std::path::PathBuf;

use lintel_config::renames::{RENAMES, Rename, Renamed};
use lintel_config::{migrate, migrate_by};

use crate::support::{load, problems};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/renames"))
}

/// Name, text before, text after.
fn pairs() -> Vec<(String, String, String)> {
    let mut pairs = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = file.strip_suffix(".before.yaml") else {
            assert!(file.ends_with(".after.yaml"), "{file} is no fixture");
            continue;
        };
        let after = folder().join(format!("{name}.after.yaml"));
        pairs.push((
            name.to_owned(),
            std::fs::read_to_string(&path).unwrap(),
            std::fs::read_to_string(after).unwrap(),
        ));
    }
    assert!(pairs.len() >= 3);
    pairs
}

#[test]
fn every_pair_migrates_to_the_byte_and_means_the_same() {
    for (name, before, after) in pairs() {
        let migrated = migrate(&before, "lintel.yaml").unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(migrated.text, after, "{name}");
        assert!(!migrated.changes.is_empty(), "{name}");
        let (old, new) = (load(&before).unwrap(), load(&after).unwrap());
        assert_eq!(old.snapshot.hash, new.snapshot.hash, "{name}");
        let renamed = |w: &lintel_config::Problem| w.message.contains("is called");
        let lines: Vec<usize> = old
            .warnings
            .iter()
            .filter(|w| renamed(w))
            .map(|w| w.line)
            .collect();
        assert_eq!(
            lines.len(),
            migrated.changes.len(),
            "{name}: {:?}",
            old.warnings
        );
        assert!(!new.warnings.iter().any(renamed), "{name}");
        let again = migrate(&after, "lintel.yaml").unwrap();
        assert_eq!((again.text, again.changes.len()), (after, 0), "{name}");
    }
}

#[test]
fn every_row_of_the_list_is_in_a_fixture() {
    let changes: Vec<(String, String)> = pairs()
        .iter()
        .flat_map(|(_, before, _)| migrate(before, "t").unwrap().changes)
        .map(|c| (c.old, c.new))
        .collect();
    for row in RENAMES {
        let (old, new) = match row.what {
            Renamed::Key(new) => (row.path.rsplit('.').next().unwrap(), new),
            Renamed::Word(old, new) => (old, new),
        };
        assert!(
            changes.contains(&(old.to_owned(), new.to_owned())),
            "{row:?}: add a pair to tests/renames"
        );
    }
}

#[test]
fn a_warning_names_line_old_and_new() {
    let loaded = load("providers: { box: { protocol: sandbox } }\nlog:\n  level: trace\n").unwrap();
    let told = loaded.warnings[0].to_string();
    assert!(
        told.starts_with("lintel.yaml:3:10: log.level: `trace` is called `debug` since 0.1.0"),
        "{told}"
    );
    assert!(told.contains("lintel config migrate"), "{told}");
}

#[test]
fn both_names_at_once_are_an_error() {
    let text = "providers: { box: { protocol: sandbox } }\nroutes:\n  a:\n    per_attempt: 1m\n    total: 2m\n    tiers: [ { targets: [ { provider: box, model: m } ] } ]\n";
    let found = problems(text);
    assert_eq!(
        found,
        [
            "lintel.yaml:5:5: routes.a.per_attempt: `total` is the old name of `per_attempt`, which stands in line 4: keep `per_attempt` and remove `total`"
        ]
    );
    let refused = migrate(text, "lintel.yaml").unwrap_err();
    assert_eq!((refused.0.len(), refused.0[0].line), (1, 5));
}

#[test]
fn faults_below_a_renamed_key_keep_their_line() {
    let text = "providers: { box: { protocol: sandbox } }\nroutes:\n  a:\n    total: 2 minutes\n    tiers: [ { targets: [ { provider: box, model: m } ] } ]\n";
    let found = problems(text);
    assert!(
        found[0].starts_with("lintel.yaml:4:12: routes.a.per_attempt: `2 minutes`"),
        "{found:?}"
    );
}

const PROBE: &[Rename] = &[
    Rename {
        path: "a.*.list[].old",
        what: Renamed::Key("new"),
        since: "9",
        note: "a test",
    },
    Rename {
        path: "old",
        what: Renamed::Key("a"),
        since: "9",
        note: "a test",
    },
    Rename {
        path: "a.*.list[].word",
        what: Renamed::Word("ja", "yes"),
        since: "9",
        note: "a test",
    },
];

#[test]
fn odd_spellings_are_exchanged_or_refused() {
    let by = |text: &str| {
        migrate_by(PROBE, text, "t")
            .map(|m| m.text)
            .map_err(|e| e.to_string())
    };
    let same = |before: &str, after: &str| assert_eq!(by(before).as_deref(), Ok(after));
    same(
        "a: {x: {list: [{old: 1}, {\"old\": {old: 2}}]}}",
        "a: {x: {list: [{new: 1}, {\"new\": {old: 2}}]}}",
    );
    same(
        "a:\n  x:\n    list:\n    - ? old\n      : - 1\n    - old:\n        - word: ja\n",
        "a:\n  x:\n    list:\n    - ? new\n      : - 1\n    - new:\n        - word: ja\n",
    );
    same(
        "a: {x: {list: [{word: ja, k: ja}]}}",
        "a: {x: {list: [{word: yes, k: ja}]}}",
    );
    same("old: {}\r\nb: 1\r", "a: {}\r\nb: 1\r");
    same("", "");
    let escaped = by("a: {x: {list: [{\"o\\x6cd\": 1}]}}").unwrap_err();
    assert!(
        escaped.contains("is not written plainly here: call it `new` by hand"),
        "{escaped}"
    );
    same(
        "a:\n  x:\n    list:\n    - word: >-\n        ja\n",
        "a:\n  x:\n    list:\n    - word: >-\n        yes\n",
    );
    assert!(by("old: [").unwrap_err().contains("not YAML"));
}
