//! Which calls have a line.

use crate::fixture::{calls, check, lines, settled};
use lintel_telemetry::{Level, Metrics, REFUSALS_A_SECOND, Settings};
use lintel_types::{Mono, Outcome, Settled};
use std::time::Duration;

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
