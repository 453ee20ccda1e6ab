//! What happens, in the metrics.

use crate::fixture::{attempt, check, settled};
use lintel_telemetry::{AdminRefusal, Metrics, Process, Reload, Shed};
use lintel_types::{FailureClass, Outcome, Phase, Side};

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
