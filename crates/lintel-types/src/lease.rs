//! A share of something limited, held on this node: what stands behind limits and budgets.
//!
//! A limit never asks a distant counter per call. It takes from a lease, a share that was granted
//! to this node (for one node: the whole), and settles what was really used. How a lease is refilled,
//! by whom and how durably, is the backend's business.

use std::time::Duration;

use crate::time::Mono;

/// A taken amount. Whoever holds it settles it, once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a grant that is not settled stays taken"]
pub struct Grant {
    /// Units taken.
    pub amount: u64,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// Units that could have been taken.
    pub left: u64,
    /// When it is worth asking again, if that is known.
    pub retry_after: Option<Duration>,
}

/// A share of a limit. Implementations take no lock that outlives the call and do no I/O.
pub trait Lease: Send + Sync {
    /// Takes `amount` units at `now`, all or nothing.
    fn take(&self, now: Mono, amount: u64) -> Result<Grant, Denied>;

    /// Gives the grant back except for `used` units, which stay spent. `used` above the granted
    /// amount is booked in full: a settlement never loses units.
    fn settle(&self, now: Mono, grant: Grant, used: u64);

    /// Units that could be taken at `now`.
    fn left(&self, now: Mono) -> u64;
}
