//! What is done beside the calls, now and then: when keys were last used is written down, and tenants that are to be
//! deleted are.
//!
//! One thread, asleep between its rounds. Decides when a tenant is gone: when no call of its keys runs, nothing of it waits
//! in the journal, no row names it and the files have been written anew. Invariant: what fails is told once a minute and
//! tried again, and what a crash interrupts is begun again by the next process.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lintel_admin::Keyring;
use lintel_gateway::ControlHandle;
use lintel_store::erase::{Erased, Money, compact_after, erase_rows};
use lintel_store::{Control, Erasure, Journal, Projection, StoreError};
use lintel_telemetry::{Level, LineWriter, LogEvent};
use lintel_types::Clock;
use parking_lot::{Condvar, Mutex};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// Time between two writings of when keys were used, and between two complaints.
const MINUTE: Duration = Duration::from_secs(60);

/// What the rounds need.
pub(crate) struct Tools {
    /// Knows when keys were used.
    pub(crate) keyring: Arc<Keyring>,
    /// Holds the tenants.
    pub(crate) control: Control,
    /// Runs their calls.
    pub(crate) plane: ControlHandle,
    /// Where calls are written.
    pub(crate) journal: Journal,
    /// What carries them into the books. Weak: whoever stops it must be its only owner.
    pub(crate) projection: Weak<Projection>,
    /// Held while a round works, so that nobody lets go of the store in the middle of one.
    pub(crate) turn: Arc<Mutex<()>>,
    /// The store directory.
    pub(crate) dir: PathBuf,
    /// Where it is told.
    pub(crate) log: LineWriter,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// The thread. Dropping it ends it after a last writing down.
pub(crate) struct Rounds {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Starts it.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(crate) fn start(tools: Tools) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let mine = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("lintel-rounds".into())
            .spawn(move || Round::new(tools).run(&mine))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has left nothing half done: erasures are begun again.
            let _ = thread.join();
        }
    }
}

struct Round {
    tools: Tools,
    noted: Instant,
    complained: Option<Instant>,
    /// The tenant that is being erased, and how far that is.
    under_way: Option<(String, UnderWay)>,
}

#[derive(Default)]
struct UnderWay {
    /// No call of its keys ran at the last look.
    quiet: bool,
    /// What has gone so far.
    erased: Erased,
    /// Its calls are over, and the journal is closed behind the last of them, here.
    closed: Option<u64>,
}

impl Round {
    fn new(tools: Tools) -> Self {
        Self {
            tools,
            noted: Instant::now(),
            complained: None,
            under_way: None,
        }
    }

    fn run(mut self, stop: &(Mutex<bool>, Condvar)) {
        let mut stopped = stop.0.lock();
        while !*stopped {
            stop.1.wait_for(&mut stopped, ROUND);
            if *stopped {
                break;
            }
            parking_lot::MutexGuard::unlocked(&mut stopped, || self.round());
        }
        self.tools.keyring.note_used();
    }

    fn round(&mut self) {
        let turn = Arc::clone(&self.tools.turn);
        let _turn = turn.lock();
        if self.tools.control.is_let_go() {
            // The successor's affair: it begins again what is under way here.
            self.under_way = None;
            return;
        }
        if self.noted.elapsed() >= MINUTE {
            self.noted = Instant::now();
            self.tools.keyring.note_used();
        }
        let next = self.tools.control.erasures();
        let outcome = next.and_then(|all| match all.into_iter().next() {
            Some(erasure) => self.erase(&erasure),
            None => Ok(()),
        });
        if let Err(error) = outcome
            && self.complained.is_none_or(|at| at.elapsed() >= MINUTE)
        {
            self.complained = Some(Instant::now());
            let event = self.event(Level::Error, "deleting a tenant failed, and is tried again");
            self.tools
                .log
                .event(&event.field("error", error.to_string()));
        }
    }

    /// Goes on with one tenant. What has to be waited for is looked at in the next round.
    fn erase(&mut self, erasure: &Erasure) -> Result<(), StoreError> {
        let tenant = erasure.tenant.as_str();
        let mut under_way = match self.under_way.take() {
            Some((name, under_way)) if name == tenant => under_way,
            _ => UnderWay::default(),
        };
        let done = self.step(erasure, &mut under_way)?;
        if done {
            self.tools
                .control
                .finish_erasure(erasure, &under_way.erased)?;
            self.tools.keyring.publish()?;
            let erased = under_way.erased;
            let event = self
                .event(Level::Info, "tenant deleted")
                .field("tenant", tenant.to_owned())
                .field("exchanges", erased.exchanges)
                .field("ledger_rows", erased.ledger_rows);
            self.tools.log.event(&event);
        } else {
            self.under_way = Some((tenant.to_owned(), under_way));
        }
        Ok(())
    }

    /// Returns whether nothing is left to do.
    fn step(&self, erasure: &Erasure, under_way: &mut UnderWay) -> Result<bool, StoreError> {
        let tools = &self.tools;
        let tenant = erasure.tenant.as_str();
        let Some(projection) = tools.projection.upgrade() else {
            return Ok(false);
        };
        // An old process that drains may run calls of it still, and books them in a journal of its own.
        if lintel_store::is_shared(&tools.dir)? {
            return Ok(false);
        }
        // Twice in a row: a call that has just ended has its record on the way.
        let quiet = tools.plane.calls_of(tenant) == 0;
        if !std::mem::replace(&mut under_way.quiet, quiet) || !quiet {
            return Ok(false);
        }
        let closed = match under_way.closed {
            Some(closed) => closed,
            None => *under_way.closed.insert(tools.journal.retire()?),
        };
        let status = projection.flush();
        if status.ledger.applied < closed || status.log.applied < closed {
            return Ok(false);
        }
        tools.plane.forget_objects(tenant);
        let mut salt = [0; 16];
        if lintel_admin::mint::random_bytes(&mut salt).is_err() {
            return Ok(false);
        }
        let money = match erasure.ledger {
            true => Money::Deleted,
            false => Money::Kept {
                pseudonym: &erasure.pseudonym,
                salt,
            },
        };
        let now = erase_rows(&tools.dir, tenant, money)?;
        under_way.erased.exchanges += now.exchanges;
        under_way.erased.ledger_rows += now.ledger_rows;
        under_way.erased.objects += now.objects;
        // Segments go when both databases are on disk behind them and no call of anybody's is open in them.
        projection.flush();
        if tools.journal.oldest() < closed {
            return Ok(false);
        }
        compact_after(&tools.dir)?;
        Ok(true)
    }

    fn event(&self, level: Level, text: &'static str) -> LogEvent<'static> {
        LogEvent::new(self.tools.clock.wall(), level, text)
    }
}
