//! How fast anyone may be wrong: a peer about tokens, everybody together, a token about its role.
//!
//! Decides from a name and a monotonic reading; knows no clock and no HTTP. Memory is bounded by
//! construction: names share a fixed set of buckets, chosen by a hash that nobody outside can aim.
//! Whoever is over the rate is refused before the token is looked at, else guessing would not slow down.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use lintel_gateway::client_network;
use lintel_types::Mono;
use parking_lot::Mutex;

const BUCKETS: usize = 256;

/// How much at once, and how fast after that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    burst: u32,
    interval: Duration,
}

/// Wrong tokens of one peer.
pub(crate) const PEER: Rate = Rate {
    burst: 10,
    interval: Duration::from_secs(1),
};
/// Wrong tokens of everybody: a guesser with many addresses is slowed down too.
const EVERYBODY: Rate = Rate {
    burst: 200,
    interval: Duration::from_millis(50),
};
/// A peer that showed a right token in this time is not held up by what others do.
const TRUSTED: Duration = Duration::from_secs(3_600);

/// Rates by name: a virtual-scheduling leaky bucket (ITU-T I.371, as GCRA) for each hash.
#[derive(Debug)]
pub(crate) struct Buckets {
    rate: Rate,
    hasher: RandomState,
    /// When each bucket will be empty again.
    empty_at: Mutex<Vec<Mono>>,
}

impl Buckets {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            hasher: RandomState::new(),
            empty_at: Mutex::new(vec![Mono::default(); BUCKETS]),
        }
    }

    /// How long `name` must wait for room; none when it need not.
    pub(crate) fn wait(&self, name: impl Hash, now: Mono) -> Option<Duration> {
        let room = self.rate.interval * (self.rate.burst - 1);
        let empty_at = self.empty_at.lock().get(self.bucket(name)).copied();
        let wait = empty_at.unwrap_or_default().since(now.plus(room));
        (!wait.is_zero()).then_some(wait)
    }

    /// Books one for `name`.
    pub(crate) fn book(&self, name: impl Hash, now: Mono) {
        if let Some(empty_at) = self.empty_at.lock().get_mut(self.bucket(name)) {
            *empty_at = (*empty_at).max(now).plus(self.rate.interval);
        }
    }

    fn bucket(&self, name: impl Hash) -> usize {
        self.hasher.hash_one(name) as usize % BUCKETS
    }
}

/// Failed authentications.
#[derive(Debug)]
pub(crate) struct Throttle {
    peers: Buckets,
    everybody: Buckets,
    /// When each bucket of peers last held one that showed a right token.
    trusted: Mutex<Vec<Option<Mono>>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            peers: Buckets::new(PEER),
            everybody: Buckets::new(EVERYBODY),
            trusted: Mutex::new(vec![None; BUCKETS]),
        }
    }
}

impl Throttle {
    /// How long `peer` must wait before its next try is looked at; none when it need not.
    pub(crate) fn wait(&self, peer: IpAddr, now: Mono) -> Option<Duration> {
        let net = client_network(peer);
        let own = self.peers.wait(net, now);
        if own.is_some() || self.trusts(net, now) {
            return own;
        }
        self.everybody.wait((), now)
    }

    /// Books a wrong token of `peer`.
    pub(crate) fn failed(&self, peer: IpAddr, now: Mono) {
        self.peers.book(client_network(peer), now);
        self.everybody.book((), now);
    }

    /// `peer` showed a right token.
    pub(crate) fn passed(&self, peer: IpAddr, now: Mono) {
        let bucket = self.peers.bucket(client_network(peer));
        if let Some(last) = self.trusted.lock().get_mut(bucket) {
            *last = Some(now);
        }
    }

    fn trusts(&self, net: IpAddr, now: Mono) -> bool {
        let last = self.trusted.lock().get(self.peers.bucket(net)).copied();
        last.flatten().is_some_and(|last| now.since(last) < TRUSTED)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER_A: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const BURST: u32 = PEER.burst;

    fn at(millis: u64) -> Mono {
        Mono(Duration::from_millis(millis))
    }

    fn fail(throttle: &Throttle, peer: &str, times: u32) {
        for _ in 0..times {
            throttle.failed(peer.parse().unwrap(), at(0));
        }
    }

    fn held(throttle: &Throttle, peer: &str) -> bool {
        throttle.wait(peer.parse().unwrap(), at(0)).is_some()
    }

    #[test]
    fn a_burst_passes_then_one_in_an_interval() {
        let throttle = Throttle::default();
        for i in 0..BURST {
            assert_eq!(throttle.wait(PEER_A, at(0)), None, "failure {i}");
            throttle.failed(PEER_A, at(0));
        }
        let wait = |millis| throttle.wait(PEER_A, at(millis));
        assert_eq!(wait(0), Some(PEER.interval));
        assert_eq!(wait(400), Some(Duration::from_millis(600)));
        assert_eq!(wait(1_000), None);
        throttle.failed(PEER_A, at(1_000));
        assert!(wait(1_000).is_some());
    }

    #[test]
    fn time_heals_and_never_more_than_the_burst() {
        let throttle = Throttle::default();
        let later = at(3_600_000);
        for _ in 0..BURST {
            assert_eq!(throttle.wait(PEER_A, later), None);
            throttle.failed(PEER_A, later);
        }
        assert!(throttle.wait(PEER_A, later).is_some());
    }

    #[test]
    fn most_peers_do_not_share() {
        let throttle = Throttle::default();
        fail(&throttle, "127.0.0.1", BURST);
        let free = (1..=250u8).filter(|n| !held(&throttle, &format!("10.0.0.{n}")));
        assert!(free.count() > 200);
    }

    #[test]
    fn a_host_cannot_get_more_by_taking_another_of_its_addresses() {
        let throttle = Throttle::default();
        fail(&throttle, "2001:db8:1:2::1", BURST);
        assert!(held(&throttle, "2001:db8:1:2:ffff::9"));
        fail(&throttle, "192.0.2.1", BURST);
        assert!(
            held(&throttle, "::ffff:192.0.2.1"),
            "one address, written in two ways"
        );
        assert_ne!(
            client_network("2001:db8:1:2::1".parse().unwrap()),
            client_network("2001:db8:1:3::1".parse().unwrap())
        );
    }

    #[test]
    fn many_addresses_are_slowed_down_together_and_an_administrator_is_not() {
        let throttle = Throttle::default();
        let admin: IpAddr = "198.51.100.7".parse().unwrap();
        throttle.passed(admin, at(0));
        for n in 0..EVERYBODY.burst {
            throttle.failed(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n * 7)), at(0));
        }
        let stranger = "203.0.113.9".parse().unwrap();
        assert!(throttle.everybody.wait((), at(0)).is_some());
        let shared = throttle.peers.bucket(client_network(stranger))
            == throttle.peers.bucket(client_network(admin));
        assert!(shared || throttle.wait(stranger, at(0)).is_some());
        // Its own bucket may be full by chance of the hash; the rate of everybody must not be what holds it.
        assert_eq!(
            throttle.wait(admin, at(0)),
            throttle.peers.wait(client_network(admin), at(0))
        );
        assert!(
            throttle.trusts(client_network(admin), at(3_599_999))
                && !throttle.trusts(client_network(admin), at(3_600_000))
        );
    }
}
