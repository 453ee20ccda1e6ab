//! What a backup of a million ledger rows takes while calls go on. Run: `cargo run --release -p lintel-store --example backup`.
//!
//! Fills a store, makes a backup while a writer settles calls, proves it, restores it, and compares the sums.

#[path = "../src/samples.rs"]
#[allow(dead_code, reason = "shared with the unit tests, which use all of it")]
mod samples;

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lintel_store::backup::{self, Source};
use lintel_store::{Control, Journal, JournalOptions, Projection};
use lintel_types::{Clock, Mono, NodeId, Timestamp};

struct Stopped;

impl Clock for Stopped {
    fn wall(&self) -> Timestamp {
        samples::NOW
    }

    fn mono(&self) -> Mono {
        Mono::default()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calls: u64 = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let (store, backups) = (samples::Scratch::new(), samples::Scratch::new());
    let dir = store.path();
    Control::open(dir, std::sync::Arc::new(Stopped))?;
    let (journal, _) = Journal::open(dir, JournalOptions::new(NodeId(0)), samples::NOW)?;
    let projection = Projection::start(dir, journal.clone(), Vec::new())?;
    let call = |n: u64| {
        let permit = journal.permit();
        if let Some(permit) = permit {
            let _written = permit.settle(samples::settled(samples::id(n), 1));
        }
    };
    let mut out = std::io::stdout();
    let begun = Instant::now();
    for n in 0..calls {
        call(n);
        if n % 50_000 == 0 {
            projection.flush();
        }
    }
    projection.flush();
    writeln!(
        out,
        "{calls} calls settled and projected in {:.1?}",
        begun.elapsed()
    )?;
    let (done, during) = (AtomicBool::new(false), AtomicU64::new(0));
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                call(calls + during.fetch_add(1, Ordering::AcqRel));
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let source = Source {
            store: dir,
            projection: Some(&projection),
            node: NodeId(0),
            lintel: env!("CARGO_PKG_VERSION"),
            now: samples::NOW,
        };
        let begun = Instant::now();
        let made = backup::create(&source, backups.path(), &mut |_| true);
        let took = begun.elapsed();
        let lag = projection.status();
        done.store(true, Ordering::Release);
        made.map(|made| (made, took, lag.ledger.lag.max(lag.log.lag)))
    });
    let ((path, manifest), took, lag) = made?;
    writeln!(
        out,
        "backup of {} MB, {} ledger rows: {took:.1?}; {} calls settled meanwhile, lag at its end {lag}",
        manifest.bytes() >> 20,
        manifest.counts.ledger,
        during.load(Ordering::Acquire)
    )?;
    let begun = Instant::now();
    let to = backups.path().join("restored");
    backup::restore(&path, &to, false)?;
    writeln!(out, "restore: {:.1?}", begun.elapsed())?;
    let begun = Instant::now();
    let checked = backup::verify(&path)?;
    let equal = checked.manifest.usage == checked.manifest.ledger;
    writeln!(
        out,
        "verify: {:.1?}; problems {:?}; usage and ledger agree: {equal}",
        begun.elapsed(),
        checked.problems
    )?;
    Ok(())
}
