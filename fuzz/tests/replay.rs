//! Every seed, and a short run of mutations that never differs, through every target.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says what it saw by failing"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use lintel_fuzz::{Mutator, TARGETS, Target, by_name, seeds};

/// Mutations of a target; with `LINTEL_LONG` as many more.
const SHORT: usize = 1_500;
const LONG: usize = 60_000;

fn try_one(target: &Target, input: &[u8], how: &str) {
    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        let kept = std::env::temp_dir().join(format!(
            "lintel-fuzz-{}-{}",
            target.name,
            std::process::id()
        ));
        std::fs::write(&kept, input).unwrap();
        eprintln!(
            "{}: {how} breaks a law; the input lies in {}",
            target.name,
            kept.display()
        );
        std::panic::resume_unwind(cause);
    }
}

fn replay(name: &str) {
    let target = by_name(name).unwrap();
    let seeds = seeds(target);
    for (at, seed) in seeds.iter().enumerate() {
        try_one(target, seed, &format!("seed {at}"));
    }
    let runs = if std::env::var_os("LINTEL_LONG").is_some() {
        LONG
    } else {
        SHORT
    };
    // What makes a schema or opens a file each time gets a tenth.
    let dear = matches!(name, "config" | "prices" | "journal" | "streams");
    let runs = if dear { runs / 10 } else { runs };
    let mut mutator = Mutator::new(name.bytes().fold(7, |n, b| n * 31 + u64::from(b)));
    for run in 0..runs {
        let input = mutator.input(&seeds, target.words);
        try_one(target, &input, &format!("mutation {run}"));
    }
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(#[test] fn $name() { replay(stringify!($name)); })*

        #[test]
        fn every_target_is_replayed() {
            let mut replayed = vec![$(stringify!($name)),*];
            let mut known: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
            replayed.sort_unstable();
            known.sort_unstable();
            assert_eq!(replayed, known);
        }
    };
}

replayed!(json heads places requests replies streams sse aws_frames errors headers sigv4 config prices journal);

#[test]
fn the_mutator_never_differs() {
    let seeds = vec![b"{\"model\":\"m\"}".to_vec()];
    let made = |seed| {
        let mut mutator = Mutator::new(seed);
        (0..50)
            .map(|_| mutator.input(&seeds, &["null"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    assert!(made(1).iter().filter(|i| **i != seeds[0]).count() > 40);
}
