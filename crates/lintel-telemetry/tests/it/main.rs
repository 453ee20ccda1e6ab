//! One settled record, its metrics and its log line; and the documentation page against the list.

mod fixture;

use std::collections::BTreeSet;

use fixture::{attempt, settled};
use lintel_telemetry::names::{ALL, FamilyKind};
use lintel_telemetry::{CallLine, Level, Metrics, Reload, Shed, page};
use lintel_types::{FailureClass, Outcome, Phase, Side};

/// The value of the series that starts with `series`, as text.
fn value(text: &str, series: &str) -> Option<String> {
    let line = text.lines().find(|l| {
        l.strip_prefix(series)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next().map(str::to_owned)
}

#[track_caller]
fn check(metrics: &Metrics, series: &str, expected: &str) {
    let text = metrics.encode();
    assert_eq!(
        value(&text, series).as_deref(),
        Some(expected),
        "{series} in\n{text}"
    );
}

#[test]
fn a_success_is_counted_once_everywhere() {
    let metrics = Metrics::default();
    metrics.settled(&settled());
    metrics.settled(&settled());
    check(
        &metrics,
        r#"lintel_requests_total{surface="openai.chat",route="chat",outcome="success",stream="true"}"#,
        "2",
    );
    check(
        &metrics,
        r#"lintel_attempts_total{provider="openai",model="gpt-4o",result="ok"}"#,
        "2",
    );
    check(
        &metrics,
        r#"lintel_tokens_total{meter="input",provider="openai",model="gpt-4o",tenant="acme"}"#,
        "2000",
    );
    check(
        &metrics,
        r#"lintel_tokens_total{meter="output",provider="openai",model="gpt-4o",tenant="acme"}"#,
        "40",
    );
    check(
        &metrics,
        r#"lintel_units_total{meter="web_search",provider="openai",model="gpt-4o",tenant="acme"}"#,
        "2",
    );
    check(
        &metrics,
        r#"lintel_cost_usd_total{provider="openai",model="gpt-4o",tenant="acme"}"#,
        "0.005400002",
    );
    check(
        &metrics,
        r#"lintel_first_token_seconds_bucket{le="0.25",provider="openai",model="gpt-4o"}"#,
        "2",
    );
    check(
        &metrics,
        r#"lintel_first_token_seconds_bucket{le="0.1",provider="openai",model="gpt-4o"}"#,
        "0",
    );
    check(
        &metrics,
        r#"lintel_request_duration_seconds_sum{surface="openai.chat",route="chat"}"#,
        "2.4",
    );
    check(
        &metrics,
        r#"lintel_overhead_seconds_bucket{le="0.0001"}"#,
        "2",
    );
    check(&metrics, "lintel_overhead_seconds_count", "2");
    check(&metrics, "lintel_request_bytes_total", "2048");
    let text = metrics.encode();
    assert!(
        !text.contains("lintel_errors_total{"),
        "no error was counted"
    );
}

#[test]
fn a_failed_attempt_and_its_error_are_counted() {
    let metrics = Metrics::default();
    let mut record = settled();
    record.outcome = Outcome::ProviderError;
    record.code = Some("upstream_exhausted".into());
    record.side = Some(Side::Provider);
    let mut failed = attempt();
    failed.class = Some(FailureClass::TimeoutFirstToken);
    failed.phase = Some(Phase::BeforeFirstByte);
    failed.lines.clear();
    failed.estimated = true;
    record.attempts.insert(0, failed);
    metrics.settled(&record);
    check(
        &metrics,
        r#"lintel_errors_total{code="upstream_exhausted",side="provider"}"#,
        "1",
    );
    check(
        &metrics,
        r#"lintel_attempts_total{provider="openai",model="gpt-4o",result="timeout.first_token"}"#,
        "1",
    );
    check(
        &metrics,
        r#"lintel_attempts_total{provider="openai",model="gpt-4o",result="ok"}"#,
        "1",
    );
    check(
        &metrics,
        r#"lintel_usage_flags_total{provider="openai",model="gpt-4o",flag="estimated"}"#,
        "1",
    );
}

#[test]
fn a_correction_is_left_to_the_ledger() {
    let metrics = Metrics::default();
    let mut record = settled();
    record.sequence = 2;
    metrics.settled(&record);
    assert!(!metrics.encode().contains("lintel_requests_total{"));
}

#[test]
fn callers_cannot_grow_a_family_or_break_a_line() {
    let metrics = Metrics::new(3);
    for i in 0..50 {
        let mut record = settled();
        record.attempts[0].model = format!("m{i}\"}} 9\n# EOF").into();
        metrics.settled(&record);
    }
    let text = metrics.encode();
    let series = text
        .lines()
        .filter(|l| l.starts_with("lintel_attempts_total{"))
        .count();
    assert_eq!(series, 4, "three and `other`:\n{text}");
    assert_eq!(text.lines().filter(|l| *l == "# EOF").count(), 1);
    check(
        &metrics,
        r#"lintel_attempts_total{provider="other",model="other",result="ok"}"#,
        "47",
    );
    check(
        &metrics,
        r#"lintel_series_folded_total{group="targets"}"#,
        "47",
    );
    check(
        &metrics,
        r#"lintel_series_folded_total{group="spend"}"#,
        "47",
    );
}

#[test]
fn live_gauges_go_back_to_zero() {
    let metrics = Metrics::default();
    metrics.watch_journal(|| 7);
    let held = (metrics.in_flight(), metrics.connection());
    let mut bytes = metrics.in_flight_bytes(100);
    bytes.grow(23);
    check(&metrics, "lintel_in_flight", "1");
    check(&metrics, "lintel_in_flight_bytes", "123");
    check(&metrics, "lintel_connections", "1");
    check(&metrics, "lintel_journal_pending", "7");
    drop((held, bytes));
    for gauge in [
        "lintel_in_flight",
        "lintel_in_flight_bytes",
        "lintel_connections",
    ] {
        check(&metrics, gauge, "0");
    }
    check(&metrics, "lintel_connections_opened_total", "1");
}

#[test]
fn live_events_are_counted_under_their_names() {
    let metrics = Metrics::default();
    Shed::ALL
        .into_iter()
        .for_each(|reason| metrics.shed(reason));
    Reload::ALL
        .into_iter()
        .for_each(|end| metrics.reloaded(end));
    metrics.config_applied(&"abc123".into());
    for reason in Shed::ALL {
        check(
            &metrics,
            &format!("lintel_shed_total{{reason=\"{}\"}}", reason.name()),
            "1",
        );
    }
    check(&metrics, r#"lintel_reloads_total{result="refused"}"#, "1");
    check(&metrics, r#"lintel_config_info{hash="abc123"}"#, "1");
}

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

#[test]
fn a_call_line_says_what_happened_and_no_more() {
    let record = settled();
    let line = String::from_utf8(CallLine::new(&record).line()).unwrap();
    assert_eq!(line.matches('\n').count(), 1);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let expected = [
        ("/time", "\"2026-11-24T07:00:00.000000Z\""),
        ("/level", "\"info\""),
        ("/msg", "\"call\""),
        ("/tenant", "\"acme\""),
        ("/key", "\"key_0123456789abcdef\""),
        ("/outcome", "\"success\""),
        ("/status", "200"),
        ("/attempts/0/provider", "\"openai\""),
        ("/attempts/0/ms", "1100.0"),
        ("/input_tokens", "1000"),
        ("/output_tokens", "20"),
        ("/cost_usd", "\"0.002700001\""),
        ("/duration_ms", "1200.0"),
        ("/overhead_us", "80"),
    ];
    for (path, value) in expected {
        assert_eq!(
            json.pointer(path).map(ToString::to_string).as_deref(),
            Some(value),
            "{path} in {line}"
        );
    }
    assert_eq!(
        json.pointer("/request_id").and_then(|v| v.as_str()),
        Some(record.exchange.to_string().as_str())
    );
    for private in [
        fixture::USER,
        fixture::SESSION,
        fixture::TAG,
        fixture::RAW_USAGE,
    ] {
        assert!(!line.contains(private), "{private} in {line}");
    }
}

#[test]
fn a_call_line_keeps_hostile_text_inside_its_string() {
    let mut record = settled();
    record.client_request_id = Some("x\"}\n{\"msg\":\"forged\"".into());
    let line = String::from_utf8(CallLine::new(&record).line()).unwrap();
    assert_eq!(line.lines().count(), 1);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["msg"], "call");
}

#[test]
fn a_caller_who_is_not_known_has_no_empty_name() {
    let mut record = settled();
    record.who = lintel_types::record::Attribution::default();
    let line = String::from_utf8(CallLine::new(&record).line()).unwrap();
    assert!(
        !line.contains("\"tenant\"") && !line.contains("\"key\""),
        "{line}"
    );
}

#[test]
fn levels_follow_whose_fault_it_was() {
    let level = |outcome| {
        let mut record = settled();
        record.outcome = outcome;
        CallLine::new(&record).level()
    };
    assert_eq!(level(Outcome::ClientError), Level::Info);
    assert_eq!(level(Outcome::ProviderError), Level::Warn);
    assert_eq!(level(Outcome::Panicked), Level::Error);
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
