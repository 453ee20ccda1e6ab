//! What the journal and the projection cost a call. Run: `cargo run --release -p lintel-store --example project`.
//!
//! Prints microseconds a call: both appends on the caller's thread, then CPU of the projection of both rows.

#[path = "../src/samples.rs"]
#[allow(dead_code, reason = "shared with the unit tests, which use all of it")]
mod samples;

use std::io::Write;
use std::time::Instant;

use lintel_store::{Journal, JournalOptions, Projection, Queries};
use lintel_types::NodeId;

const CALLS: u32 = 100_000;

/// User and system time of this process, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = |i: usize| {
        fields
            .get(i)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = samples::Scratch::new();
    let (journal, _) = Journal::open(scratch.path(), JournalOptions::new(NodeId(0)), samples::NOW)?;
    let mut records: Vec<_> = (0..CALLS)
        .map(|n| {
            (
                samples::dispatched(samples::id(n.into()), 1),
                samples::settled(samples::id(n.into()), 1),
            )
        })
        .collect();
    let bytes = serde_json::to_vec(&records.first().map(|r| &r.1))?.len();
    let (start, before) = (Instant::now(), cpu());
    for (dispatched, settled) in records.drain(..) {
        let mut permit = journal.permit().ok_or("no permit")?;
        permit.dispatched(&dispatched)?;
        let _written = permit.settle(settled);
    }
    let appended = (start.elapsed().as_secs_f64(), cpu() - before);
    let (start, before) = (Instant::now(), cpu());
    let status = Projection::start(scratch.path(), journal, Vec::new())?.stop();
    let projected = (start.elapsed().as_secs_f64(), cpu() - before);
    let verified = Queries::open(scratch.path())?.verify()?;
    let micros = |s: f64| s * 1e6 / f64::from(CALLS);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{CALLS} calls, settled record of {bytes} bytes; lag {} {}; books agree: {}",
        status.ledger.lag,
        status.log.lag,
        verified.holds()
    )?;
    writeln!(
        out,
        "append, two a call: {:.2} us wall, {:.2} us cpu",
        micros(appended.0),
        micros(appended.1)
    )?;
    writeln!(
        out,
        "project, both rows: {:.2} us wall, {:.2} us cpu",
        micros(projected.0),
        micros(projected.1)
    )?;
    Ok(())
}
