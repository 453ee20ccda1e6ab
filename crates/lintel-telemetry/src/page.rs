//! `docs/metrics.md`, made from the list of names.

use std::fmt::Write;

use crate::names::ALL;

const HEAD: &str = "# Metrics

The admin listener serves them at `/metrics` as OpenMetrics text. This page is made from
`crates/lintel-telemetry/src/names.rs`; `UPDATE_DOCS=1 cargo test -p lintel-telemetry` writes it anew.

A series appears once something was counted in it. A family holds at most 1,000 label sets and no label
value over 256 bytes; what does not fit is counted under `other`, and how often that happened in
`lintel_series_folded_total`. A histogram `x` is shown as `x_bucket`, `x_sum` and `x_count`.

Labels and who can make them grow: `route`, `provider`, `tenant`, `surface`, `code`, `side`, `outcome`, `result`, `reason`, `meter`, `flag` and `group` are words of the configuration, the store or
the code. `model` is one a caller can choose, with a key made with `--direct`; the bound above holds for it. No label is ever taken from a header, a path, a key or a message.

[`examples/alerts.yaml`](../examples/alerts.yaml) has rules for Prometheus.

| metric | kind | labels | meaning |
|---|---|---|---|
";

/// The page's text.
pub fn metrics_page() -> String {
    let mut page = HEAD.to_owned();
    for family in ALL {
        let labels: Vec<String> = family.labels.iter().map(|l| format!("`{l}`")).collect();
        let labels = if labels.is_empty() {
            "–".to_owned()
        } else {
            labels.join(", ")
        };
        // Writing to a `String` can't fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {labels} | {} |",
            family.full_name(),
            family.kind.name(),
            family.help
        );
    }
    page.push_str(NIGHT);
    page
}

const NIGHT: &str = include_str!("page/night.md");
