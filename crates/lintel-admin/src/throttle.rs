//! How fast a peer may be wrong about the token.
//!
//! Decides from a peer and a monotonic reading; knows no clock and no HTTP. Memory is bounded by
//! construction: peers share a fixed set of buckets, chosen by a hash that nobody outside can aim.
//! A peer over its rate is refused before its token is looked at, else guessing would not slow down.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use lintel_types::Mono;
use parking_lot::Mutex;

/// Wrong tokens that a peer may send at once.
pub(crate) const BURST: u32 = 10;
/// After the burst, one wrong token in this time.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
const BUCKETS: usize = 256;

/// Failed authentications by peer: a virtual-scheduling leaky bucket (ITU-T I.371, as GCRA) each.
#[derive(Debug)]
pub(crate) struct Throttle {
    hasher: RandomState,
    /// When each bucket will be empty again.
    empty_at: Mutex<Vec<Mono>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            empty_at: Mutex::new(vec![Mono::default(); BUCKETS]),
        }
    }
}

impl Throttle {
    /// How long `peer` must wait before its next try is looked at; none when it need not.
    pub(crate) fn wait(&self, peer: IpAddr, now: Mono) -> Option<Duration> {
        let room = INTERVAL * (BURST - 1);
        let wait = self
            .empty_at
            .lock()
            .get(self.bucket(peer))
            .copied()
            .unwrap_or_default()
            .since(now.plus(room));
        (!wait.is_zero()).then_some(wait)
    }

    /// Books a wrong token of `peer`.
    pub(crate) fn failed(&self, peer: IpAddr, now: Mono) {
        if let Some(empty_at) = self.empty_at.lock().get_mut(self.bucket(peer)) {
            *empty_at = (*empty_at).max(now).plus(INTERVAL);
        }
    }

    fn bucket(&self, peer: IpAddr) -> usize {
        self.hasher.hash_one(peer) as usize % BUCKETS
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn at(millis: u64) -> Mono {
        Mono(Duration::from_millis(millis))
    }

    #[test]
    fn a_burst_passes_then_one_in_an_interval() {
        let throttle = Throttle::default();
        for i in 0..BURST {
            assert_eq!(throttle.wait(PEER, at(0)), None, "failure {i}");
            throttle.failed(PEER, at(0));
        }
        assert_eq!(throttle.wait(PEER, at(0)), Some(INTERVAL));
        assert_eq!(
            throttle.wait(PEER, at(400)),
            Some(Duration::from_millis(600))
        );
        assert_eq!(throttle.wait(PEER, at(1_000)), None);
        throttle.failed(PEER, at(1_000));
        assert!(throttle.wait(PEER, at(1_000)).is_some());
    }

    #[test]
    fn time_heals_and_never_more_than_the_burst() {
        let throttle = Throttle::default();
        let later = at(3_600_000);
        for _ in 0..BURST {
            assert_eq!(throttle.wait(PEER, later), None);
            throttle.failed(PEER, later);
        }
        assert!(throttle.wait(PEER, later).is_some());
    }

    #[test]
    fn most_peers_do_not_share() {
        let throttle = Throttle::default();
        for _ in 0..BURST {
            throttle.failed(PEER, at(0));
        }
        let free = (1..=250u8)
            .filter(|n| {
                throttle
                    .wait(IpAddr::V4(Ipv4Addr::new(10, 0, 0, *n)), at(0))
                    .is_none()
            })
            .count();
        assert!(free > 200, "{free}");
    }
}
