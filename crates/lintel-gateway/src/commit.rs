//! Group commit: the journal records of one turn of a worker's event loop are written together.
//!
//! Whoever has put off a record asks for a turn and waits for it. The worker's committer runs when every
//! task that was ready has run, writes once, and wakes them all. Nobody waits longer than that for
//! company: a call that is alone is written at once.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Poll, Waker};

use lintel_store::{Journal, Later};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// One worker's committer.
pub(crate) struct Committer {
    journal: Journal,
    /// Commits so far.
    turn: AtomicU64,
    /// Whether the last one succeeded.
    succeeded: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
    wanted: Notify,
}

/// The commit that a record will be part of.
#[derive(Debug, Clone, Copy)]
#[must_use = "a record that was put off is on file when its turn is over"]
pub(crate) struct Turn(u64);

impl Committer {
    pub(crate) fn new(journal: Journal) -> Arc<Self> {
        Arc::new(Self {
            journal,
            turn: AtomicU64::new(0),
            succeeded: AtomicBool::new(true),
            waiting: Mutex::new(Vec::new()),
            wanted: Notify::new(),
        })
    }

    /// A record has been put off: there will be a commit, whoever waits for it.
    pub(crate) fn ask(&self) -> Turn {
        self.wanted.notify_one();
        Turn(self.turn.load(Ordering::Acquire))
    }

    /// Waits for the turn's commit. Says whether the disk took it.
    pub(crate) async fn over(&self, turn: Turn) -> bool {
        poll_fn(|cx| {
            if self.turn.load(Ordering::Acquire) > turn.0 {
                return Poll::Ready(self.succeeded.load(Ordering::Acquire));
            }
            self.waiting.lock().push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Commits whenever it is asked to. The worker's own task.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.wanted.notified().await;
            // To the end of the turn: every task that is ready now may add its record.
            tokio::task::yield_now().await;
            self.commit();
        }
    }

    /// Commits now: when the worker ends, nothing put off may be left.
    pub(crate) fn commit(&self) {
        let succeeded = self.journal.commit().is_ok();
        self.succeeded.store(succeeded, Ordering::Release);
        self.turn.fetch_add(1, Ordering::AcqRel);
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// A row on its way to the disk.
pub(crate) struct Settling {
    later: Later,
    committer: Arc<Committer>,
    turn: Turn,
}

impl Settling {
    /// A row that was put off just now.
    pub(crate) fn new(later: Later, committer: Arc<Committer>) -> Self {
        let turn = committer.ask();
        Self {
            later,
            committer,
            turn,
        }
    }

    /// Returns when the row is as durable as was asked for.
    pub(crate) async fn written(self) {
        // A disk that refuses keeps the row in memory; the ticket waits for it.
        let _ = self.committer.over(self.turn).await;
        let ticket = self.later.ticket();
        if !ticket.is_written() {
            ticket.written().await;
        }
    }
}
