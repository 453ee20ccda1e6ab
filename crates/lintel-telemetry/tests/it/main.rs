//! One settled record, its metrics and its log line; and the documentation page against the list.

mod fixture;

use std::collections::BTreeSet;

use fixture::{attempt, settled};
use lintel_telemetry::call_line::{ATTEMPT_FIELDS, FIELDS, FieldOf};
use lintel_telemetry::names::{ALL, FamilyKind};
use lintel_telemetry::{
    AdminRefusal, CallLine, Form, Level, Metrics, Process, REFUSALS_A_SECOND, Reload, Settings,
    Shed, log_page, page,
};
use lintel_types::{FailureClass, Mono, Outcome, Phase, Settled, Side};
use std::time::Duration;

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
    metrics.admin_refused(AdminRefusal::Forbidden);
    metrics.config_applied(&"abc123".into());
    for reason in Shed::ALL {
        check(
            &metrics,
            &format!("lintel_shed_total{{reason=\"{}\"}}", reason.name()),
            "1",
        );
    }
    check(&metrics, r#"lintel_reloads_total{result="refused"}"#, "1");
    check(
        &metrics,
        r#"lintel_admin_refusals_total{reason="forbidden"}"#,
        "1",
    );
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

/// The lines of `records` by `settings`, as text.
fn lines(settings: Settings, records: &[Settled]) -> (Vec<String>, Metrics) {
    let metrics = Metrics::default();
    let (writer, reader) = metrics.lines(100_000, settings);
    records.iter().for_each(|record| writer.call(record));
    drop(writer);
    let text = |line: Vec<u8>| String::from_utf8_lossy(&line).into_owned();
    (
        std::iter::from_fn(|| reader.next_line())
            .map(text)
            .collect(),
        metrics,
    )
}

/// `n` calls that went well, each with an id and a trace of its own.
fn calls(n: u64) -> Vec<Settled> {
    let one = |i: u64| {
        let mut record = settled();
        record.trace_id = Some(format!("{:032x}", u128::from(i) + 1).into());
        record
    };
    (0..n).map(one).collect()
}

#[test]
fn a_sample_is_a_share_and_the_same_one_everywhere() {
    let tenth = Settings {
        sample: 1_000,
        ..Settings::all(Level::Info)
    };
    let (first, metrics) = lines(tenth, &calls(10_000));
    assert!((850..1_150).contains(&first.len()), "{}", first.len());
    assert!(
        first.iter().all(|l| l.contains("\"sample\":\"10%\"")),
        "every line says its rate"
    );
    assert_eq!(
        lines(tenth, &calls(10_000)).0,
        first,
        "another process draws the same"
    );
    check(
        &metrics,
        "lintel_log_lines_unsampled_total",
        &(10_000 - first.len()).to_string(),
    );
    // Calls of one trace are kept or left out together.
    let together = Settings {
        sample: 5_000,
        ..tenth
    };
    let mut same = calls(1);
    same.extend(calls(1));
    same[1].exchange = lintel_types::ExchangeId::from_bytes([7; 16]);
    assert_ne!(lines(together, &same).0.len(), 1);
}

#[test]
fn what_is_odd_is_never_left_out() {
    let none = Settings {
        sample: 0,
        slow: Duration::from_secs(2),
        ..Settings::all(Level::Info)
    };
    assert_eq!(lines(none, &calls(50)).0.len(), 0);
    let odd: [fn(&mut Settled); 4] = [
        |r| r.outcome = Outcome::ClientError,
        |r| r.outcome = Outcome::Cancelled,
        |r| r.degraded = Some("tier=2; cause=connect".into()),
        |r| r.duration_us = 2_000_000,
    ];
    for make in odd {
        let mut record = settled();
        make(&mut record);
        let (kept, _) = lines(none, &[record]);
        assert_eq!(kept.len(), 1);
        assert!(!kept[0].contains("\"sample\""), "{}", kept[0]);
    }
    let off = Settings {
        calls: false,
        ..Settings::all(Level::Info)
    };
    assert_eq!(lines(off, &calls(3)).0.len(), 0);
}

#[test]
fn a_flood_of_refusals_writes_a_bounded_number_of_lines() {
    let metrics = Metrics::default();
    let (writer, reader) = metrics.lines(100_000, Level::Info);
    let mut refused = settled();
    refused.outcome = Outcome::ClientError;
    refused.status = 401;
    refused.who = lintel_types::record::Attribution::default();
    let at = |ms| Mono(Duration::from_millis(ms));
    (0..10_000).for_each(|_| writer.refused(&refused, at(1_500)));
    writer.refused(&refused, at(2_000));
    drop(writer);
    let lines: Vec<String> = std::iter::from_fn(|| reader.next_line())
        .map(|line| String::from_utf8(line).unwrap())
        .collect();
    assert_eq!(lines.len(), REFUSALS_A_SECOND as usize + 1);
    let unsaid = 10_000 - u64::from(REFUSALS_A_SECOND);
    assert!(lines[0].contains("\"auth\":\"refused\""), "{}", lines[0]);
    assert!(
        lines
            .last()
            .unwrap()
            .contains(&format!("\"suppressed\":{unsaid}")),
        "{:?}",
        lines.last()
    );
    check(
        &metrics,
        "lintel_log_lines_suppressed_total",
        &unsaid.to_string(),
    );
}

/// A record in which every optional field says something.
fn whole() -> Settled {
    let mut record = settled();
    record.degraded = Some("tier=2; cause=overloaded".into());
    record.code = Some("upstream_exhausted".into());
    record.side = Some(Side::Provider);
    record.reason = Some("the provider is overloaded".into());
    let mut failed = attempt();
    failed.ordinal = 2;
    failed.leg = lintel_types::Leg::Retry;
    failed.class = Some(FailureClass::Overloaded);
    failed.phase = Some(Phase::BeforeFirstByte);
    failed.spoken = Some("anthropic.messages".into());
    failed.dropped = vec!["$.seed".into()];
    failed.emulated = vec!["$.n".into()];
    failed.estimated = true;
    record.attempts.push(failed);
    record
}

#[test]
fn every_field_of_a_line_is_in_the_list_and_in_its_order() {
    let named = |fields: &[FieldOf]| fields.iter().map(|f| f.0).collect::<Vec<_>>();
    let line = String::from_utf8(CallLine::new(&whole()).line()).unwrap();
    let at = |name: &str| {
        line.find(&format!("\"{name}\":"))
            .unwrap_or_else(|| panic!("no {name} in {line}"))
    };
    let top: Vec<&str> = named(FIELDS)
        .into_iter()
        .filter(|n| !["sample", "suppressed"].contains(n))
        .collect();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let keys: BTreeSet<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, top.iter().copied().collect());
    // Up to the list of attempts, whose fields bear some of the same names.
    let places: Vec<usize> = top
        .iter()
        .take_while(|n| **n != "attempts")
        .map(|n| at(n))
        .collect();
    assert!(places.is_sorted(), "{line}");
    let keys: BTreeSet<&str> = json["attempts"][1]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, named(ATTEMPT_FIELDS).into_iter().collect());
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

#[test]
fn the_process_shows_what_it_takes_where_the_system_says() {
    let metrics = Metrics::default();
    assert!(!metrics.encode().contains("\nprocess_open_fds "));
    metrics.watch_process(|| {
        Some(Process {
            resident_bytes: 4_096,
            open_files: 7,
            max_files: u64::MAX,
            threads: 3,
            cpu_seconds: 1.25,
            started_seconds: 1.5,
        })
    });
    for (series, value) in [
        ("process_resident_memory_bytes", "4096"),
        ("process_open_fds", "7"),
        ("process_max_fds", "9223372036854775807"),
        ("process_threads", "3"),
        ("process_cpu_seconds_total", "1.25"),
        ("process_start_time_seconds", "1.5"),
    ] {
        check(&metrics, series, value);
    }
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
