//! Nothing stays behind: every row of the matrices again and again, and then what the process holds is what it held before.
//!
//! A short number of repetitions by default; with `LINTEL_LONG` 10,000 and more.

use super::keyring::Keyring;
use super::requests::{self, Count};
use super::{upstream, wire};
use crate::harness::{Metrics, Stage, until};

/// What the process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    files: usize,
    threads: u64,
    resident: u64,
}

fn held(stage: &Stage) -> Held {
    stage.idle();
    until("every connection to be closed", || {
        let now = Metrics::of(&stage.lintel);
        now.sum("lintel_connections", &[]) == 0.0 && now.sum("lintel_journal_pending", &[]) == 0.0
    });
    Held {
        files: stage.lintel.files(),
        threads: stage.lintel.threads(),
        resident: stage.lintel.resident(),
    }
}

/// Repeats `round` until `wanted` rows have run, after one round that warms up; what the process holds must not have grown.
fn repeat(stage: &Stage, wanted: usize, mut round: impl FnMut() -> usize) {
    round();
    let mut before = held(stage);
    let (mut rows, mut rounds) = (0, 0);
    while rows < wanted {
        rows += round();
        rounds += 1;
        stage.lintel.forget_output();
        stage.provider.forget();
        if rounds == 1 && rows < wanted {
            // Caches and buffers have their size after the second round.
            before = held(stage);
        }
    }
    let after = held(stage);
    println!("{rows} rows in {rounds} rounds: {before:?}, then {after:?}");
    // Connections to the provider may be kept, as many as there are hosts.
    assert!(
        after.files <= before.files + 8,
        "{before:?}, then {after:?}"
    );
    assert!(
        after.threads <= before.threads + 1,
        "{before:?}, then {after:?}"
    );
    let grown = after.resident.saturating_sub(before.resident);
    assert!(grown < 8 << 20, "{grown} bytes more after {rows} rows");
}

fn wanted(short: usize, long: usize) -> usize {
    if std::env::var_os("LINTEL_LONG").is_some() {
        long
    } else {
        short
    }
}

#[test]
fn bad_requests_leave_nothing() {
    let stage = requests::stage();
    let keys = Keyring::of(&stage);
    repeat(&stage, wanted(8_000, 40_000), || {
        let mut calls = Count::default();
        let wrong = requests::all(&stage, &keys, &mut calls);
        assert!(wrong.is_empty(), "{wrong:#?}");
        calls.calls
    });
}

#[test]
fn bad_providers_leave_nothing() {
    let stage = upstream::stage();
    if std::env::var_os("LINTEL_LONG").is_none() {
        // One round is the matrix's own test.
        return;
    }
    repeat(&stage, 10_000, || {
        let (problems, calls) = upstream::all(&stage);
        assert!(problems.is_empty(), "{problems:#?}");
        calls
    });
}

#[test]
fn bad_connections_leave_nothing() {
    let stage = wire::stage();
    repeat(&stage, wanted(500, 10_000), || {
        let wrong = wire::shapes(&stage);
        assert!(wrong.is_empty(), "{wrong:#?}");
        super::wire_rows::SHAPES.len()
    });
}
