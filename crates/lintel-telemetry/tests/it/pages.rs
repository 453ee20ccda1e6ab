//! The lists of metrics and fields against the documentation, the rules and the conventions.

use std::collections::BTreeSet;

use crate::fixture::{lines, whole};
use lintel_telemetry::names::{ALL, FamilyKind};
use lintel_telemetry::{Form, Level, Metrics, Settings, log_page, page};

#[test]
fn the_exposition_and_the_list_name_the_same_families() {
    let shown: Vec<String> = Metrics::default()
        .encode()
        .lines()
        .filter_map(|l| l.strip_prefix("# TYPE ").map(str::to_owned))
        .collect();
    let listed: BTreeSet<String> = ALL
        .iter()
        .map(|f| {
            let name = f.full_name();
            let stem = name
                .strip_suffix("_total")
                .or_else(|| name.strip_suffix("_info"))
                .unwrap_or(&name)
                .to_owned();
            format!("{stem} {}", f.kind.name())
        })
        .collect();
    assert_eq!(shown.len(), listed.len());
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), listed);
    assert!(ALL.iter().any(|f| f.kind == FamilyKind::Info));
}

/// `UPDATE_DOCS=1` writes the page; otherwise a page that differs from the list fails.
#[test]
fn the_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page::metrics_page()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == page::metrics_page(),
        "docs/metrics.md is stale: run UPDATE_DOCS=1 cargo test -p lintel-telemetry"
    );
}

/// `UPDATE_DOCS=1` writes the page; otherwise a page that differs from the lists fails.
#[test]
fn the_log_page_is_current() {
    let line = |form| {
        lines(
            Settings {
                form,
                ..Settings::all(Level::Info)
            },
            &[whole()],
        )
        .0
        .remove(0)
    };
    let expect = log_page::logs_page(&line(Form::Json), &line(Form::Text));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/logs.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expect).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == expect,
        "docs/logs.md is stale: run UPDATE_DOCS=1 cargo test -p lintel-telemetry"
    );
}

/// Words of a text that look like names of metrics.
fn metric_words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()))
        .filter(|w| w.starts_with("lintel_") || w.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_and_the_table_of_the_night_name_metrics_that_are_there() {
    let known: BTreeSet<String> = ALL.iter().map(|f| f.full_name().into_owned()).collect();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    for file in ["examples/alerts.yaml", "docs/metrics.md"] {
        let text = std::fs::read_to_string(format!("{root}{file}")).unwrap_or_default();
        let unknown: Vec<String> = metric_words(&text).difference(&known).cloned().collect();
        assert!(
            text.len() > 1_000 && unknown.is_empty(),
            "{file}: {unknown:?}"
        );
    }
}

/// What `promtool check metrics` asks of names, and OpenMetrics of the text.
#[test]
fn the_exposition_keeps_the_conventions() {
    let metrics = Metrics::default();
    metrics.settled(&whole());
    metrics.config_applied(&"abc".into());
    let text = metrics.encode();
    assert!(text.ends_with("# EOF\n"));
    for family in ALL {
        let name = family.full_name();
        assert_eq!(
            name.ends_with("_total"),
            family.kind == FamilyKind::Counter,
            "{name}"
        );
        let unit = family
            .unit
            .is_none_or(|u| name.trim_end_matches("_total").ends_with(u));
        assert!(unit, "{name} does not end in its unit {:?}", family.unit);
        let base =
            |word: &str| !["milliseconds", "ms", "us", "kilobytes", "percent"].contains(&word);
        assert!(name.split('_').all(base), "{name}: base units alone");
        assert!(
            family
                .labels
                .iter()
                .all(|l| !["le", "quantile"].contains(l)),
            "{name}"
        );
    }
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_default();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(!series.contains("=\"\""), "an empty label: {line}");
    }
}
