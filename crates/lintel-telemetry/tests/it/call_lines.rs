//! A call's line: what it says, and that it says no more.

use std::collections::BTreeSet;

use crate::fixture::{settled, whole};
use lintel_telemetry::call_line::{ATTEMPT_FIELDS, FIELDS, FieldOf};
use lintel_telemetry::{CallLine, Level};
use lintel_types::Outcome;

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
        crate::fixture::USER,
        crate::fixture::SESSION,
        crate::fixture::TAG,
        crate::fixture::RAW_USAGE,
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
