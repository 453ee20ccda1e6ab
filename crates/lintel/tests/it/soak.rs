//! A soak: mixed traffic with churn, errors and hang-ups against the real binary. Memory, files and threads stand
//! still, and the ledger says what the clients saw.
//!
//! `make soak` runs it for `TIME` (30 minutes) with the release binary and writes its table; `make test` for some
//! seconds, where everything is asked but the slope of memory.

mod kinds;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Config, Door, Lintel, Provider, Route, Stage};
pub(crate) use kinds::choose;
use kinds::{KINDS, Tally};
use watch::Watch;

/// Seconds without `LINTEL_SOAK`.
const SHORT: u64 = 8;

fn config(provider: &Provider, body: &str) -> Config {
    let config = Config::of(provider)
        .limit("body", body)
        .limit("header_timeout", "2s")
        .limit("body_timeout", "2s")
        .limit("write_timeout", "20s");
    KINDS
        .iter()
        .filter_map(|k| k.route)
        .fold(config, |c, (name, target)| {
            c.route(
                name,
                Route::to(target)
                    .set("attempts", "2")
                    .set("first_token", "20s"),
            )
        })
}

/// Reloads between two configurations that differ in one limit, every second; makes, uses and revokes keys: rounds, and keys.
fn churn(stage: &Stage, stop: &AtomicBool) -> (u64, u64) {
    let (mut rounds, mut keys) = (0, 0);
    // A revoked key is remembered, so that its holder is told: many thousand a day are enough of them.
    let each = if std::env::var_os("LINTEL_SOAK").is_some() {
        5
    } else {
        1
    };
    while !stop.load(Ordering::Relaxed) {
        rounds += 1;
        let body = if rounds % 2 == 0 { "8MB" } else { "9MB" };
        Lintel::write_config(&stage.lintel.dir, &config(&stage.provider, body));
        stage.lintel.signal("HUP");
        if rounds % each == 0 {
            keys += 1;
            one_key(stage);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    (rounds, keys)
}

/// Makes a key, uses it, revokes it, and tries it again.
fn one_key(stage: &Stage) {
    let key = stage.lintel.key(&["--direct"]);
    let request = Door::called("count_tokens").request(&key.secret, "claude/m");
    let request = request.header("x-lintel-feature", "churn");
    let call = |wanted: u16| {
        let reply = stage.connect().call(&request);
        assert_eq!(reply.status, wanted, "{}", reply.text());
    };
    call(200);
    stage.lintel.cli(&["key", "revoke", &key.id]);
    call(401);
}

#[test]
fn memory_stands_still_and_the_books_agree() {
    let time = std::env::var("LINTEL_SOAK")
        .ok()
        .and_then(|t| t.parse().ok());
    let time = Duration::from_secs(time.unwrap_or(SHORT));
    let stage = Stage::new(kinds::choose);
    Lintel::write_config(&stage.lintel.dir, &config(&stage.provider, "8MB"));
    stage.lintel.signal("HUP");
    crate::harness::until("the routes", || {
        let door = Door::called("models");
        stage
            .connect()
            .call(&door.request(&stage.key.secret, ""))
            .text()
            .contains("fails")
    });
    let warm = crate::harness::Metrics::of(&stage.lintel).calls(&[]);
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut watch = Watch::new();
    let (tallies, churned) = std::thread::scope(|scope| {
        let threads: Vec<_> = KINDS
            .iter()
            .map(|kind| {
                let (stage, stop) = (&stage, stop.clone());
                scope.spawn(move || (kind, kinds::run(stage, kind, &stop)))
            })
            .collect();
        let churning = scope.spawn(|| churn(&stage, &stop));
        while begun.elapsed() < time {
            watch.look(&stage, begun.elapsed());
            std::thread::sleep(Duration::from_millis(500));
            let dead = threads.iter().any(|t| t.is_finished()) || churning.is_finished();
            if dead {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        let tallies: Vec<(&kinds::Kind, Tally)> =
            threads.into_iter().map(|t| t.join().unwrap()).collect();
        (tallies, churning.join().unwrap())
    });
    assert!(begun.elapsed() >= time, "a client failed");
    println!("{}", watch.table());
    books(&stage, &tallies, churned, warm);
    watch.verdict(&stage);
}

/// What the ledger and the metrics say, held against what the clients counted.
fn books(stage: &Stage, tallies: &[(&kinds::Kind, Tally)], churned: (u64, u64), warm: f64) {
    let (reloads, keys) = churned;
    stage.idle();
    println!("| traffic | calls | dispatched | tokens booked |\n|---|---:|---:|---:|");
    let mut calls = 2 * keys;
    for (kind, tally) in tallies {
        let mut booked = watch::Booked::default();
        let wanted = tally.wanted(kind);
        let agreed = crate::harness::wait::within(crate::harness::wait::PATIENCE, || {
            booked = watch::Booked::of(&stage.lintel, kind.name);
            booked.fits(&wanted).then_some(())
        });
        println!(
            "| {} | {} | {} | {} |",
            kind.name, tally.calls, booked.requests, booked.tokens
        );
        assert!(
            agreed.is_some(),
            "{}: the ledger says {booked:?}, the clients {wanted:?} of {tally:?}",
            kind.name
        );
        assert!(tally.calls > 0, "{} made no call", kind.name);
        calls += tally.calls;
    }
    let counted = crate::harness::Metrics::of(&stage.lintel).calls(&[]) - warm;
    println!(
        "\n{calls} calls, {keys} keys made and revoked, {reloads} reloads; every call is counted once."
    );
    assert_eq!(counted, calls as f64, "lintel_requests_total");
    stage.quiet();
}
