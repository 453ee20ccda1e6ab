//! Cutting: a call ends soon after its key has stopped being good, wherever it stands.
//!
//! Each worker keeps a roll of its calls. A ticker looks through it when the key table has changed, and when keys of it
//! expire; it marks the calls whose key would not be accepted any more and wakes them. So a revocation counts within
//! [`TICK`], and a client that doesn't read what it is owed has [`LAST_WORDS`] more. Nothing is looked up on a call's
//! path: a call puts itself on the roll once and reads one atomic of its own.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lintel_types::{Error, Kind, Mono, Timestamp};
use parking_lot::Mutex;

use crate::control::{KeyTable, KnownKey, Refusal};
use crate::patience::Leash;
use crate::shared::Shared;
use crate::start::Worker;

/// How often the roll is looked through.
const TICK: Duration = Duration::from_millis(250);
/// How long a client that is slow to read may take to read that it was cut.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Whether one call has been cut. Shared between the call, its answer and the roll.
pub(crate) struct Cut {
    leash: Arc<Leash>,
    /// The key that was shown, once it is known to be good.
    shown: OnceLock<Shown>,
    /// 0, or why: a [`Refusal`]'s code.
    why: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

struct Shown {
    hash: [u8; 32],
    known: Arc<KnownKey>,
}

impl Cut {
    /// A call on the connection that `leash` holds.
    pub(crate) fn new(leash: Arc<Leash>) -> Arc<Self> {
        Arc::new(Self {
            leash,
            shown: OnceLock::new(),
            why: AtomicU8::new(0),
            waker: Mutex::new(None),
        })
    }

    /// Why it was cut, if it was.
    pub(crate) fn why(&self) -> Option<Refusal> {
        match self.why.load(Ordering::Acquire) {
            0 => None,
            code => Refusal::of(code),
        }
    }

    /// Whether it was cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.why.load(Ordering::Acquire) != 0
    }

    /// What the client is told, if it was cut.
    pub(crate) fn error(&self) -> Option<Error> {
        let text = match self.why()? {
            Refusal::Unknown | Refusal::Revoked => {
                "this key was revoked before the answer was whole: ask who runs this gateway for another"
            }
            Refusal::Disabled => {
                "this key was disabled before the answer was whole: ask who runs this gateway"
            }
            Refusal::Expired => {
                "this key expired before the answer was whole: ask who runs this gateway for another"
            }
        };
        Some(Error::client(Kind::Authentication, "key_revoked", text))
    }

    /// Whoever polls the call is woken when it is cut. Call it whenever the call can't get on.
    pub(crate) fn park(&self, cx: &Context<'_>) {
        let mut waker = self.waker.lock();
        match &mut *waker {
            Some(known) => known.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Returns once the call is cut.
    pub(crate) async fn happens(&self) {
        poll_fn(|cx| {
            self.park(cx);
            if self.is_cut() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn happen(&self, why: Refusal, by: Mono) {
        self.why.store(why.code(), Ordering::Release);
        self.leash.hurry(by);
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }
}

/// The calls of one worker. Those that have ended are forgotten at the next look.
#[derive(Default)]
pub(crate) struct Roll {
    calls: Mutex<Vec<Weak<Cut>>>,
}

impl Roll {
    /// A call has shown a good key. To be called on the worker's own thread, with a key of the table in force.
    pub(crate) fn enter(&self, cut: &Arc<Cut>, hash: [u8; 32], known: Arc<KnownKey>) {
        if cut.shown.set(Shown { hash, known }).is_ok() {
            self.calls.lock().push(Arc::downgrade(cut));
        }
    }

    /// Forgets the calls that have ended, and cuts those whose key is not good by `table` at `wall`.
    fn look(&self, table: &KeyTable, judge: bool, wall: Timestamp, by: Mono) {
        let mut doomed = Vec::new();
        self.calls.lock().retain(|call| {
            let Some(cut) = call.upgrade() else {
                return false;
            };
            let shown = cut.shown.get().filter(|_| judge && !cut.is_cut());
            if let Some(why) = shown.and_then(|s| table.find(&s.hash, wall).err()) {
                doomed.push((cut, why));
            }
            true
        });
        // Outside the lock: whoever is woken may look at the roll.
        for (cut, why) in doomed {
            cut.happen(why, by);
        }
    }

    /// Calls under way of keys of this tenant.
    pub(crate) fn of_tenant(&self, tenant: &str) -> usize {
        let calls = self.calls.lock();
        let of = |call: &&Weak<Cut>| {
            let cut = call.upgrade();
            let shown = cut.as_ref().and_then(|c| c.shown.get());
            shown.is_some_and(|s| &*s.known.principal.tenant == tenant)
        };
        calls.iter().filter(of).count()
    }
}

/// Looks through a worker's roll for as long as the worker lives.
pub(crate) async fn watch(worker: Arc<Worker>) {
    let shared: &Shared = &worker.shared;
    let (mut seen, mut looked) = (shared.keys.load_full(), shared.wall());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let table = shared.keys.load_full();
        let wall = shared.wall();
        let judge = table.ended(looked, wall) || !Arc::ptr_eq(&table, &seen);
        let by = shared.now().plus(LAST_WORDS);
        worker.roll.look(&table, judge, wall, by);
        (seen, looked) = (table, wall);
    }
}
