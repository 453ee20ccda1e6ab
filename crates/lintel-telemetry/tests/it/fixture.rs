//! A settled record with a recognisable value in every field, and what tests ask of metrics and lines.

use lintel_telemetry::{Metrics, Settings};
use lintel_types::record::Attribution;
use lintel_types::{
    AttemptRecord, ExchangeId, ExchangeKind, FailureClass, Leg, Meter, MeterLine, Money, NodeId,
    Outcome, Phase, Settled, Side, Timestamp,
};

pub(crate) const USER: &str = "user-who-must-not-be-logged";
pub(crate) const SESSION: &str = "session-that-must-not-be-logged";
pub(crate) const TAG: &str = "tag-that-must-not-be-logged";
pub(crate) const RAW_USAGE: &str = "raw-usage-that-must-not-be-logged";

fn line(meter: Meter, quantity: u64, nanos: i64) -> MeterLine {
    MeterLine {
        meter,
        quantity,
        price: Some("openai/gpt-4o@2024-10-01".into()),
        cost: Money::from_nanos(nanos),
    }
}

pub(crate) fn attempt() -> AttemptRecord {
    AttemptRecord {
        ordinal: 1,
        leg: Leg::Primary,
        tier: 1,
        provider: "openai".into(),
        model: "gpt-4o".into(),
        status: Some(200),
        class: None,
        phase: None,
        reason: "tier 1, weight 3 of 4".into(),
        provider_request_id: Some("req_1".into()),
        spoken: None,
        made: Vec::new(),
        dropped: Vec::new(),
        emulated: Vec::new(),
        start_us: 60,
        first_token_us: Some(200_000),
        duration_us: 1_100_000,
        lines: vec![
            line(Meter::Input, 1_000, 2_500_000),
            line(Meter::Output, 20, 200_000),
            line(Meter::WebSearch, 1, 1),
        ],
        cost: Money::from_nanos(2_700_001),
        estimated: false,
        inconsistent: false,
        unpriced: false,
        raw_usage: Some(RAW_USAGE.to_owned()),
    }
}

pub(crate) fn settled() -> Settled {
    let started = Timestamp::from_micros(1_795_503_600_000_000);
    Settled {
        exchange: ExchangeId::floor_at(started),
        exchange_kind: ExchangeKind::Call,
        sequence: 1,
        started,
        node: NodeId(0),
        who: Attribution {
            tenant: "acme".into(),
            project: "search".into(),
            key: "key_0123456789abcdef".into(),
            feature: Some("answers".into()),
            user: Some(USER.into()),
            session: Some(SESSION.into()),
            tags: vec![("team".into(), TAG.into())],
            ..Attribution::default()
        },
        surface: Some("openai.chat".into()),
        route: Some("chat".into()),
        stream: true,
        priority: None,
        outcome: Outcome::Success,
        status: 200,
        code: None,
        side: None,
        reason: None,
        attempts: vec![attempt()],
        cost: Money::from_nanos(2_700_001),
        duration_us: 1_200_000,
        first_token_us: Some(200_080),
        overhead_us: 80,
        request_bytes: 1_024,
        response_bytes: 4_096,
        client_request_id: Some("mine-1".into()),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        client_subject: Some("CN=billing,O=Acme".into()),
        degraded: None,
        finish_reason: Some("stop".into()),
        config: "abc123".into(),
    }
}

/// The value of the series that starts with `series`, as text.
pub(crate) fn value(text: &str, series: &str) -> Option<String> {
    let line = text.lines().find(|l| {
        l.strip_prefix(series)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next().map(str::to_owned)
}

#[track_caller]
pub(crate) fn check(metrics: &Metrics, series: &str, expected: &str) {
    let text = metrics.encode();
    assert_eq!(
        value(&text, series).as_deref(),
        Some(expected),
        "{series} in\n{text}"
    );
}

/// The lines of `records` by `settings`, as text.
pub(crate) fn lines(settings: Settings, records: &[Settled]) -> (Vec<String>, Metrics) {
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
pub(crate) fn calls(n: u64) -> Vec<Settled> {
    let one = |i: u64| {
        let mut record = settled();
        record.trace_id = Some(format!("{:032x}", u128::from(i) + 1).into());
        record
    };
    (0..n).map(one).collect()
}

/// A record in which every optional field says something.
pub(crate) fn whole() -> Settled {
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
