//! The control handle: the only way in which the floors above change the data plane. Typed commands,
//! effective at once for new calls; calls in flight keep the configuration that they began with.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lintel_config::Snapshot;
use lintel_policy::Counter;
use lintel_telemetry::Listener;
use lintel_types::{Principal, Timestamp};

use crate::shared::Shared;

/// A key as the data plane knows it: by hash, never by text.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// Whose it is and what it may do.
    pub principal: Principal,
    /// Whether it is in force.
    pub standing: Standing,
    /// When this text stops being accepted, where that is sooner than the key's own end.
    pub ends: Option<Timestamp>,
    /// When it was last accepted, as far as is on file.
    pub used: Option<Timestamp>,
}

/// Whether a known key is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In force.
    Active,
    /// Out of force for now.
    Disabled,
    /// Out of force for good.
    Revoked,
}

/// A key in the table.
#[derive(Debug)]
pub(crate) struct KnownKey {
    pub(crate) principal: Arc<Principal>,
    standing: Standing,
    ends: Option<Timestamp>,
    /// When it was last accepted, to the second; microseconds. Outlives the table.
    used: Arc<AtomicI64>,
    /// Its calls under way, where they are capped. Outlives the table.
    pub(crate) in_flight: Option<Arc<Counter>>,
}

impl KnownKey {
    /// It was accepted at `now`. Written once a second at most, so that threads don't fight for it.
    pub(crate) fn note_use(&self, now: Timestamp) {
        const SECOND: i64 = 1_000_000;
        let before = self.used.load(Ordering::Relaxed);
        // After a clock was set back, what is on file is late, and stays until time has caught up.
        if now.as_micros().saturating_sub(before) >= SECOND {
            self.used.fetch_max(now.as_micros(), Ordering::Relaxed);
        }
    }

    fn refusal(&self, now: Timestamp) -> Option<Refusal> {
        match self.standing {
            Standing::Disabled => return Some(Refusal::Disabled),
            Standing::Revoked => return Some(Refusal::Revoked),
            Standing::Active => {}
        }
        // Good before the instant, and no more at it.
        let over = self.ends.into_iter().chain(self.principal.expires);
        over.min()
            .is_some_and(|end| end <= now)
            .then_some(Refusal::Expired)
    }
}

/// Why a key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Disabled,
    Revoked,
    Expired,
}

impl Refusal {
    const ALL: [Refusal; 4] = [
        Refusal::Unknown,
        Refusal::Disabled,
        Refusal::Revoked,
        Refusal::Expired,
    ];

    /// A number of its own, never 0.
    pub(crate) fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The inverse of [`Refusal::code`].
    pub(crate) fn of(code: u8) -> Option<Refusal> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }
}

/// Keys by hash.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    keys: HashMap<[u8; 32], Arc<KnownKey>>,
    /// When keys of it stop being good, ascending.
    ends: Vec<Timestamp>,
}

impl KeyTable {
    /// The table of `entries`; what outlives a table is taken over from `before`.
    fn new(entries: Vec<KeyEntry>, before: &KeyTable) -> Self {
        let ends = |k: &KeyEntry| [k.ends, k.principal.expires];
        let mut ends: Vec<Timestamp> = entries.iter().flat_map(ends).flatten().collect();
        ends.sort_unstable();
        let mut counters: HashMap<Arc<str>, Arc<Counter>> = HashMap::new();
        for known in before.keys.values() {
            if let Some(counter) = &known.in_flight {
                counters.insert(Arc::clone(&known.principal.key), Arc::clone(counter));
            }
        }
        let keys = entries.into_iter().map(|entry| {
            // One counter a key, whatever the number of its secrets.
            let in_flight = entry.principal.caps.max_in_flight.map(|most| {
                let id = Arc::clone(&entry.principal.key);
                let counter = counters
                    .entry(id)
                    .or_insert_with(|| Arc::new(Counter::new(0)));
                counter.set_capacity(u64::from(most));
                Arc::clone(counter)
            });
            let used = before.keys.get(&entry.hash).map(|k| Arc::clone(&k.used));
            let used = used.unwrap_or_default();
            used.fetch_max(
                entry.used.map_or(0, Timestamp::as_micros),
                Ordering::Relaxed,
            );
            // What did not change stays where it lies: a table made anew at every change of a key would leave holes
            // all over the memory.
            let same = before.keys.get(&entry.hash).map(|k| &k.principal);
            let same = same.filter(|p| ***p == entry.principal).map(Arc::clone);
            let known = KnownKey {
                principal: same.unwrap_or_else(|| Arc::new(entry.principal)),
                standing: entry.standing,
                ends: entry.ends,
                used,
                in_flight,
            };
            (entry.hash, Arc::new(known))
        });
        Self {
            keys: keys.collect(),
            ends,
        }
    }

    /// Whether a key has stopped being good after `since` and by `now`.
    pub(crate) fn ended(&self, since: Timestamp, now: Timestamp) -> bool {
        let next = self.ends.partition_point(|end| *end <= since);
        self.ends.get(next).is_some_and(|end| *end <= now)
    }

    /// The key of this hash, if it is accepted at `now`.
    pub(crate) fn find(&self, hash: &[u8; 32], now: Timestamp) -> Result<&Arc<KnownKey>, Refusal> {
        let known = self.keys.get(hash).ok_or(Refusal::Unknown)?;
        known.refusal(now).map_or(Ok(known), Err)
    }
}

/// Whether the data plane takes calls, and how many it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Takes calls.
    pub ready: bool,
    /// Is about to stop.
    pub draining: bool,
    /// Exchanges under way.
    pub in_flight: usize,
    /// Why it isn't ready.
    pub reason: Option<String>,
}

/// Commands to the data plane. Clones command the same one.
#[derive(Clone)]
pub struct ControlHandle {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for ControlHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlHandle")
            .field("status", &self.status())
            .finish()
    }
}

impl ControlHandle {
    /// Puts `snapshot` in force for every call that begins from now on.
    pub fn apply(&self, snapshot: Arc<Snapshot>) {
        self.shared.limits_changed(&snapshot.limits);
        self.shared.metrics.config_applied(&snapshot.hash);
        let https = snapshot.peers().any(|p| p.base.https);
        for (listener, tls) in [
            (Listener::Data, &snapshot.tls),
            (Listener::Admin, &snapshot.admin_tls),
        ] {
            let until = tls.as_ref().map(|tls| tls.facts().not_after);
            self.shared.metrics.certificate(listener, until);
        }
        self.shared.snapshot.store(snapshot);
        self.shared.applied.send_replace(());
        if https {
            self.renew_trust();
        }
    }

    /// Reads the trust store and makes what TLS needs, on a thread of its own: calls that come before it is done
    /// make what they need themselves.
    fn renew_trust(&self) {
        let shared = Arc::clone(&self.shared);
        let renew = move || shared.trust.renew(&shared.snapshot.load_full());
        let thread = std::thread::Builder::new().name("trust".to_owned());
        let _ = thread.spawn(renew);
    }

    /// Puts `keys` in force in place of those before, all at once. Calls whose key is not good any more are cut within
    /// a second. One caller at a time.
    pub fn set_keys(&self, keys: Vec<KeyEntry>) {
        let table = KeyTable::new(keys, &self.shared.keys.load());
        self.shared.keys.store(Arc::new(table));
    }

    /// When each key's text was last accepted, by hash; those never used are left out.
    pub fn keys_used(&self) -> Vec<([u8; 32], Timestamp)> {
        let keys = self.shared.keys.load();
        let used = |(hash, known): (&[u8; 32], &Arc<KnownKey>)| {
            let micros = known.used.load(Ordering::Relaxed);
            (micros > 0).then_some((*hash, Timestamp::from_micros(micros)))
        };
        keys.keys.iter().filter_map(used).collect()
    }

    /// Calls under way of the tenant's keys.
    pub fn calls_of(&self, tenant: &str) -> usize {
        self.shared.rolls.iter().map(|r| r.of_tenant(tenant)).sum()
    }

    /// Forgets which provider-side objects are the tenant's, as far as that is only remembered.
    pub fn forget_objects(&self, tenant: &str) {
        self.shared.objects.forget(tenant);
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Whether it takes calls.
    pub fn status(&self) -> Status {
        let draining = self.shared.is_leaving();
        let healthy = self.shared.journal.healthy();
        let reason = if draining {
            Some("draining: the process is about to stop".to_owned())
        } else if !healthy {
            Some(
                "the journal can't be written: free disk space or check the store directory"
                    .to_owned(),
            )
        } else {
            None
        };
        let in_flight = usize::try_from(self.shared.in_flight.taken()).unwrap_or(usize::MAX);
        Status {
            ready: reason.is_none(),
            draining,
            in_flight,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_ended_when_the_clock_has_passed_its_end() {
        let at = Timestamp::from_micros;
        let table = KeyTable {
            ends: vec![at(10), at(20)],
            ..KeyTable::default()
        };
        let check = |since, now, expect| {
            assert_eq!(table.ended(at(since), at(now)), expect, "{since} to {now}");
        };
        check(0, 9, false);
        check(9, 10, true);
        check(10, 19, false);
        check(10, 30, true);
        check(20, 99, false);
        check(30, 5, false);
    }
}
