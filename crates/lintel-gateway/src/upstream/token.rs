//! Short-lived tokens of Google service accounts: one cell an account, shared by every worker.
//!
//! A call takes the token that is there. When it ages, the first call to see that starts one exchange in the
//! background and goes on with the old one; only a call that finds no valid token waits. A failed exchange
//! is tried again no sooner than its backoff allows, and until then calls without a token fail at once.

mod assertion;
mod cell;
mod exchange;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use lintel_config::{Peer, ServiceAccount};
use lintel_types::{Error, FailureClass, Kind, Mono, Phase};
use tokio::sync::Notify;

use self::cell::{Cell, Next};
use crate::failed::{AttemptFailed, Failed};
use crate::start::Worker;

/// Exchanges that one refresh makes while they fail in a way that may pass, and the pause before each but the first.
const TRIES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(800),
];

/// Every account whose tokens have been asked for. It grows by one small entry when a key file is rotated.
#[derive(Default)]
pub(crate) struct Tokens {
    sources: ArcSwap<Vec<Arc<Source>>>,
}

/// One account's token.
struct Source {
    account: ServiceAccount,
    cell: ArcSwap<Cell>,
    /// An exchange is under way.
    busy: AtomicBool,
    changed: Notify,
}

impl Tokens {
    fn of(&self, account: &ServiceAccount) -> Arc<Source> {
        let find = |list: &[Arc<Source>]| list.iter().find(|s| s.account.is_same(account)).cloned();
        if let Some(found) = find(&self.sources.load()) {
            return found;
        }
        let made = Arc::new(Source {
            account: account.clone(),
            cell: ArcSwap::default(),
            busy: AtomicBool::new(false),
            changed: Notify::new(),
        });
        self.sources.rcu(|list| {
            let mut list = Vec::clone(list);
            if find(&list).is_none() {
                list.push(Arc::clone(&made));
            }
            list
        });
        find(&self.sources.load()).unwrap_or(made)
    }
}

/// The `authorization` of `account`, whose tokens come from `peer`. Without a valid token it waits for one until `by`.
pub(super) async fn bearer(
    worker: &Arc<Worker>,
    account: &ServiceAccount,
    peer: &Arc<Peer>,
    by: Mono,
) -> Result<HeaderValue, AttemptFailed> {
    let source = worker.shared.tokens.of(account);
    loop {
        let changed = source.changed.notified();
        tokio::pin!(changed);
        // From here on no change is missed.
        changed.as_mut().enable();
        // Before the cell: an exchange that isn't busy any more has left its result there.
        let busy = source.busy.load(Ordering::Acquire);
        let cell = source.cell.load_full();
        match cell.next(worker.shared.now(), busy) {
            Next::Send(value) => return Ok(value),
            Next::Replace(value) => {
                refresh(worker, &source, peer);
                return Ok(value);
            }
            Next::Fail => return Err(none(cell.why())),
            Next::Ask => refresh(worker, &source, peer),
            Next::Wait => {}
        }
        let limit = worker.shared.clock.instant(by);
        if tokio::time::timeout_at(limit, changed).await.is_err() {
            return Err(none("the exchange for a token took too long".to_owned()));
        }
    }
}

/// Starts an exchange, unless one is under way.
fn refresh(worker: &Arc<Worker>, source: &Arc<Source>, peer: &Arc<Peer>) {
    if source.busy.swap(true, Ordering::AcqRel) {
        return;
    }
    let busy = Busy(Arc::clone(source));
    let (worker, peer) = (Arc::clone(worker), Arc::clone(peer));
    tokio::spawn(async move {
        let Busy(source) = &busy;
        let mut asked = Err(exchange::Refused::default());
        for pause in TRIES {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            asked = exchange::ask(&worker, &source.account, &peer).await;
            if !asked.as_ref().is_err_and(|refused| refused.passes) {
                break;
            }
        }
        let now = worker.shared.now();
        let before = source.cell.load_full();
        let after = match asked {
            Ok((value, life)) => Cell::new(value, now, life),
            Err(refused) => before.failed(refused.why, now),
        };
        source.cell.store(Arc::new(after));
    });
}

/// An exchange under way. However it ends, the next may begin and whoever waits looks again.
struct Busy(Arc<Source>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
        self.0.changed.notify_waiters();
    }
}

/// No token to call with.
fn none(why: String) -> AttemptFailed {
    let told = Error::provider(
        Kind::UpstreamCredential,
        "upstream_credential",
        "the gateway got no token to call the provider with: operators, check its service account",
    );
    AttemptFailed {
        tells: Failed::Ours(told),
        ..AttemptFailed::new(FailureClass::Credential, Phase::BeforeSend)
    }
    .because(why)
}
