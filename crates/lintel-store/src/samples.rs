//! Records and directories for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use lintel_types::record::Attribution;
use lintel_types::{
    AttemptRecord, Dispatched, ExchangeId, ExchangeKind, Leg, Meter, MeterLine, Money, NodeId,
    Outcome, Settled, Timestamp,
};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// A directory that goes with its value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("lintel-store-{}-{count}", std::process::id()));
        // If it can't be made, whatever is opened in it says so.
        let _ = std::fs::create_dir_all(&path);
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The `n`th exchange, made `n` seconds after [`NOW`].
pub(crate) fn id(n: u64) -> ExchangeId {
    let at = NOW.plus(std::time::Duration::from_secs(n));
    let floor = u128::from_be_bytes(ExchangeId::floor_at(at).to_bytes());
    ExchangeId::from_bytes((floor | u128::from(n)).to_be_bytes())
}

pub(crate) fn who(tenant: &str) -> Attribution {
    Attribution {
        tenant: tenant.into(),
        project: "search".into(),
        key: "key_0123456789abcdef".into(),
        feature: Some("answer".into()),
        user: Some("u-1".into()),
        ..Attribution::default()
    }
}

pub(crate) fn dispatched(exchange: ExchangeId, attempt: u8) -> Dispatched {
    Dispatched {
        exchange,
        attempt,
        at: exchange.made_at(),
        node: NodeId(0),
        leg: if attempt == 1 {
            Leg::Primary
        } else {
            Leg::Retry
        },
        surface: "openai.chat".into(),
        route: "chat".into(),
        provider: "sandbox".into(),
        model: "small".into(),
        who: who("acme"),
        estimated_input: 100,
        price: Some("sandbox/small@1".into()),
        estimated_cost: Money::from_nanos(1_000),
        config: "c0ffee".into(),
    }
}

fn attempt(ordinal: u8) -> AttemptRecord {
    let line = |meter, quantity: u64, nanos| MeterLine {
        meter,
        quantity,
        price: Some("sandbox/small@1".into()),
        cost: Money::from_nanos(nanos),
    };
    AttemptRecord {
        ordinal,
        leg: if ordinal == 1 {
            Leg::Primary
        } else {
            Leg::Retry
        },
        tier: 1,
        provider: "sandbox".into(),
        model: "small".into(),
        status: Some(200),
        class: None,
        phase: None,
        reason: "first of its tier".into(),
        provider_request_id: Some("req_1".into()),
        spoken: None,
        made: Vec::new(),
        dropped: Vec::new(),
        emulated: Vec::new(),
        start_us: 100,
        first_token_us: Some(900),
        duration_us: 2_000,
        lines: vec![line(Meter::Input, 12, 24), line(Meter::Output, 7, 56)],
        cost: Money::from_nanos(80),
        estimated: false,
        inconsistent: false,
        unpriced: false,
        raw_usage: None,
    }
}

/// A settlement with this many attempts, each of 12 input and 7 output tokens for 80 nano-dollars.
pub(crate) fn settled(exchange: ExchangeId, attempts: u8) -> Settled {
    Settled {
        exchange,
        exchange_kind: ExchangeKind::Call,
        sequence: 1,
        started: exchange.made_at(),
        node: NodeId(0),
        who: who("acme"),
        surface: Some("openai.chat".into()),
        route: Some("chat".into()),
        stream: false,
        priority: None,
        outcome: Outcome::Success,
        status: 200,
        code: None,
        side: None,
        reason: None,
        attempts: (1..=attempts).map(attempt).collect(),
        cost: Money::from_nanos(80 * i64::from(attempts)),
        duration_us: 2_500,
        first_token_us: Some(1_000),
        overhead_us: 50,
        request_bytes: 900,
        response_bytes: 1_100,
        client_request_id: None,
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        client_subject: None,
        degraded: None,
        finish_reason: Some("stop".into()),
        config: "c0ffee".into(),
    }
}
