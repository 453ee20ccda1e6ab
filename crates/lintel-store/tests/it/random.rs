//! Any interleaving of calls, deaths and restarts leaves each exchange exactly one end.

use std::collections::{BTreeMap, BTreeSet};

use lintel_store::{Journal, JournalOptions, Permit, Projection, Queries};
use lintel_types::{ExchangeId, NodeId, Record};
use proptest::prelude::*;

use crate::samples::{self, NOW, Scratch};

#[derive(Debug, Clone)]
enum Step {
    Admit,
    Dispatch(usize),
    Settle(usize),
    Leave(usize),
    Project,
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Admit),
        5 => any::<usize>().prop_map(Step::Dispatch),
        4 => any::<usize>().prop_map(Step::Settle),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => Just(Step::Project),
        1 => Just(Step::Die),
    ]
}

struct Live {
    permit: Permit,
    exchange: ExchangeId,
    attempts: u8,
}

/// A store with small segments, and what must come out of it.
struct World {
    scratch: Scratch,
    running: Option<(Journal, Projection)>,
    live: Vec<Live>,
    made: u64,
    dispatched: BTreeSet<ExchangeId>,
    settled: BTreeMap<ExchangeId, u8>,
}

impl World {
    fn new() -> Self {
        let (dispatched, settled) = (BTreeSet::new(), BTreeMap::new());
        let mut world = Self {
            scratch: Scratch::new(),
            running: None,
            live: Vec::new(),
            made: 0,
            dispatched,
            settled,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let options = JournalOptions {
            segment_bytes: 2_500,
            capacity: 8,
            ..JournalOptions::new(NodeId(0))
        };
        let (journal, _) = Journal::open(self.scratch.path(), options, NOW).unwrap();
        let projection =
            Projection::start(self.scratch.path(), journal.clone(), Vec::new()).unwrap();
        self.running = Some((journal, projection));
    }

    fn take(&mut self, step: &Step) {
        let (journal, projection) = self.running.as_ref().unwrap();
        let count = self.live.len().max(1);
        match step {
            Step::Admit => {
                let permit = journal.permit();
                assert_eq!(permit.is_none(), self.live.len() == 8);
                let exchange = samples::id(self.made);
                self.made += 1;
                self.live.extend(permit.map(|permit| Live {
                    permit,
                    exchange,
                    attempts: 0,
                }));
            }
            Step::Dispatch(which) => {
                if let Some(live) = self.live.get_mut(which % count) {
                    live.attempts += 1;
                    live.permit
                        .dispatched(&samples::dispatched(live.exchange, live.attempts))
                        .unwrap();
                    self.dispatched.insert(live.exchange);
                }
            }
            Step::Settle(which) if !self.live.is_empty() => {
                let live = self.live.swap_remove(which % count);
                assert!(
                    live.permit
                        .settle(samples::settled(live.exchange, live.attempts))
                        .is_written()
                );
                self.settled.insert(live.exchange, live.attempts);
            }
            Step::Leave(which) if !self.live.is_empty() => {
                drop(self.live.swap_remove(which % count))
            }
            Step::Settle(_) | Step::Leave(_) => {}
            Step::Project => drop(projection.flush()),
            Step::Die => {
                self.live.clear();
                self.running = None;
                self.start();
            }
        }
    }

    fn check(mut self) -> Result<(), TestCaseError> {
        self.take(&Step::Die);
        let (_, projection) = self.running.take().unwrap();
        prop_assert_eq!(projection.stop().ledger.lag, 0);
        let queries = Queries::open(self.scratch.path()).unwrap();
        let verified = queries.verify().unwrap();
        prop_assert!(verified.holds(), "{:?}", verified);
        let lost = self
            .dispatched
            .iter()
            .filter(|id| !self.settled.contains_key(*id));
        let attempts: u64 = self.settled.values().map(|n| u64::from(*n)).sum();
        prop_assert_eq!(verified.ledger.orphans, lost.clone().count() as u64);
        prop_assert_eq!(verified.rows, attempts + verified.ledger.orphans);
        for id in self.settled.keys() {
            let row = queries.exchange(*id).unwrap().unwrap().decode().unwrap();
            prop_assert!(matches!(row, Record::Settled(_)));
        }
        for id in lost {
            let row = queries.exchange(*id).unwrap().unwrap().decode().unwrap();
            prop_assert!(matches!(row, Record::Orphaned(_)));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn each_exchange_has_one_end(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        steps.iter().for_each(|s| world.take(s));
        world.check()?;
    }
}
