//! `docs/abuse.md`: its prose is written by hand, its tables are what is tested.

use std::collections::BTreeSet;
use std::path::Path;

use super::keyring::Keyring;
use super::requests::faults;
use crate::harness::{DOORS, Door, Tongue};

/// Which doors.
type Which = fn(&Door) -> bool;

/// The doors of a row, in as few words as tell.
fn places(doors: &[&Door]) -> String {
    let is = |all: Which| {
        let wanted: Vec<&str> = DOORS.iter().filter(|d| all(d)).map(|d| d.name).collect();
        wanted == doors.iter().map(|d| d.name).collect::<Vec<_>>()
    };
    let known: &[(&str, Which)] = &[
        ("everywhere", |_| true),
        ("every body", Door::has_body),
        ("every body that names a model", Door::names_model_in_body),
        ("every GET", |d| !d.has_body()),
        ("gemini", |d| d.tongue == Tongue::Gemini),
        ("gemini, converse", |d| {
            matches!(d.tongue, Tongue::Gemini | Tongue::Bedrock)
        }),
        ("conversations but responses", |d| !d.content.is_empty()),
    ];
    match known.iter().find(|(_, all)| is(*all)) {
        Some((name, _)) => (*name).to_owned(),
        None => {
            let names: BTreeSet<&str> = doors
                .iter()
                .map(|d| d.name.split(',').next().unwrap())
                .collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        }
    }
}

/// The table of bad requests.
fn requests() -> String {
    let keys = Keyring::sample();
    let mut out = String::from("| what is wrong | where | answer |\n|---|---|---|\n");
    for fault in faults() {
        let doors: Vec<&Door> = DOORS
            .iter()
            .filter(|d| (fault.make)(d, &keys).is_some())
            .collect();
        assert!(!doors.is_empty(), "{} stands nowhere", fault.name);
        let code = if fault.answer.code.is_empty() {
            "passes".to_owned()
        } else {
            format!("`{}`", fault.answer.code)
        };
        out.push_str(&format!(
            "| {} | {} | {} {code} |\n",
            fault.name,
            places(&doors),
            fault.answer.status
        ));
    }
    out
}

/// Every table, by the name of its marks.
fn tables() -> Vec<(&'static str, String)> {
    vec![
        ("bad requests", requests()),
        ("bad providers", super::upstream::table()),
        ("connections", super::wire::table()),
    ]
}

#[test]
fn the_page_holds_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/abuse.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut wanted = text.clone();
    for (name, table) in tables() {
        let (begin, end) = (format!("<!-- table: {name} -->\n"), "<!-- end of table -->");
        let from = wanted
            .find(&begin)
            .unwrap_or_else(|| panic!("no mark {begin}"))
            + begin.len();
        let to = wanted[from..].find(end).unwrap() + from;
        wanted.replace_range(from..to, &format!("\n{table}\n"));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(
            text, wanted,
            "UPDATE_DOCS=1 cargo test -p lintel --test it abuse::page"
        );
    }
}
