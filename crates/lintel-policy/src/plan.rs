//! The plan: the ordered attempts that a route allows for one exchange.
//!
//! Tiers in order; inside a tier weighted without replacement. Once every target has been named, a
//! further pass names them in the same order, until the route's bound of attempts is reached: so a
//! route with one target retries that one. A pass never names a target twice.

use std::sync::Arc;

use crate::route::{Route, Target, Tier};
use crate::table::Action;

/// The attempts that one exchange may make, in order. Never longer than the route's bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// First to last.
    pub attempts: Vec<Planned>,
}

/// One attempt that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// 1 for the route's first tier.
    pub tier: u8,
    /// Where it goes.
    pub target: Arc<Target>,
    /// Why there.
    pub reason: Arc<str>,
}

impl Plan {
    /// The place of the attempt that follows the one at `at` when `action` was decided; none when the plan has no such.
    pub fn after(&self, at: usize, action: Action) -> Option<usize> {
        place_after(|i| self.attempts.get(i).map(|p| p.tier), at, action)
    }
}

/// The place of the attempt that follows the one at `at`, in any list of planned attempts whose tiers
/// `tier` tells; it ends where `tier` says `None`.
pub fn place_after(tier: impl Fn(usize) -> Option<u8>, at: usize, action: Action) -> Option<usize> {
    let this = tier(at)?;
    let next = at.checked_add(1)?;
    match action {
        Action::Answer => None,
        Action::RetrySame => Some(at),
        Action::NextTarget => tier(next).map(|_| next),
        Action::NextTier => (next..)
            .map_while(|i| tier(i).map(|t| (i, t)))
            .find(|(_, t)| *t > this)
            .map(|(i, _)| i),
    }
}

/// Plans one exchange over `route`. `random` is 64 uniform bits; the first draw uses them as they are.
pub fn plan(route: &Route, random: u64) -> Plan {
    let bound = usize::from(route.attempts);
    let mut attempts = Vec::with_capacity(bound);
    let mut draw = Draw(random);
    for (i, tier) in route.tiers.iter().enumerate() {
        let ordinal = u8::try_from(i + 1).unwrap_or(u8::MAX);
        let room = bound - attempts.len();
        attempts.extend(
            order(tier, &mut draw)
                .into_iter()
                .take(room)
                .map(|target| Planned {
                    tier: ordinal,
                    reason: Arc::clone(&target.reason),
                    target: Arc::clone(target),
                }),
        );
        if attempts.len() == bound {
            return Plan { attempts };
        }
    }
    let pass: Vec<Planned> = attempts
        .iter()
        .map(|p| Planned {
            reason: Arc::clone(&p.target.reason_again),
            ..p.clone()
        })
        .collect();
    let room = bound - attempts.len();
    attempts.extend(pass.into_iter().cycle().take(room));
    Plan { attempts }
}

/// A tier's targets, each once, drawn by weight.
fn order<'t>(tier: &'t Tier, draw: &mut Draw) -> Vec<&'t Arc<Target>> {
    let mut left: Vec<&Arc<Target>> = tier.targets.iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while left.len() > 1 {
        let whole: u64 = left.iter().map(|t| u64::from(t.weight)).sum();
        let mut ticket = draw.below(whole);
        let at = left
            .iter()
            .position(|t| match ticket.checked_sub(u64::from(t.weight)) {
                Some(rest) => {
                    ticket = rest;
                    false
                }
                None => true,
            });
        order.push(left.remove(at.unwrap_or(0)));
    }
    order.append(&mut left);
    order
}

/// A deterministic sequence of draws from one random number.
struct Draw(u64);

impl Draw {
    /// A number below `bound` (0 for a bound of 0), by multiplication: unbiased to 2⁻⁶⁴ · bound.
    fn below(&mut self, bound: u64) -> u64 {
        let ticket = (u128::from(self.0) * u128::from(bound)) >> 64;
        self.0 = mix(self.0);
        ticket as u64
    }
}

/// One step of SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::route::{RouteConfig, TargetConfig, TierConfig};

    fn route(tiers: &[Vec<u32>], attempts: u8) -> Route {
        let mut next = 0;
        let mut target = |weight: &u32| {
            next += 1;
            TargetConfig {
                provider: "p".into(),
                model: format!("m{next}"),
                weight: *weight,
            }
        };
        let tiers = tiers
            .iter()
            .map(|weights| TierConfig {
                targets: weights.iter().map(&mut target).collect(),
            })
            .collect();
        let config = RouteConfig {
            attempts,
            ..RouteConfig::over(tiers)
        };
        Route::new("r".into(), &config, |name| Some((name.into(), 0))).unwrap()
    }

    fn models(plan: &Plan) -> Vec<&str> {
        plan.attempts.iter().map(|p| &*p.target.model).collect()
    }

    #[test]
    fn one_target_is_planned_again_up_to_the_bound() {
        let plan = plan(&route(&[vec![1]], 3), 7);
        assert_eq!(models(&plan), ["m1", "m1", "m1"]);
        assert_eq!(&*plan.attempts[0].reason, "tier 1 of 1: its only target");
        assert_eq!(
            &*plan.attempts[2].reason,
            "tier 1 of 1: its only target, again"
        );
    }

    #[test]
    fn the_first_draw_follows_the_weights_exactly() {
        let weights = vec![5u32, 3, 2];
        let whole: u64 = 10;
        let r = route(std::slice::from_ref(&weights), 3);
        let mut first: HashMap<String, u64> = HashMap::new();
        let mut orders = HashSet::new();
        for k in 0..1_000 * whole {
            // The middle of the k-th of 10,000 equal cells of the 64-bit range.
            let random = ((u128::from(k) * 2 + 1) << 64) / u128::from(2_000 * whole);
            let plan = plan(&r, random as u64);
            *first.entry(models(&plan)[0].to_owned()).or_default() += 1;
            orders.insert(models(&plan).join(","));
        }
        assert_eq!(
            (first["m1"], first["m2"], first["m3"]),
            (5_000, 3_000, 2_000)
        );
        assert_eq!(orders.len(), 6, "every order of three is possible");
    }

    #[test]
    fn steps_follow_the_decision() {
        let p = plan(&route(&[vec![1, 1], vec![1]], 6), 0);
        assert_eq!(
            p.attempts.iter().map(|a| a.tier).collect::<Vec<_>>(),
            [1, 1, 2, 1, 1, 2]
        );
        assert_eq!(p.after(0, Action::NextTarget), Some(1));
        assert_eq!(p.after(0, Action::NextTier), Some(2));
        assert_eq!(p.after(2, Action::NextTier), None);
        assert_eq!(p.after(5, Action::NextTarget), None);
        assert_eq!(p.after(4, Action::RetrySame), Some(4));
        assert_eq!(p.after(0, Action::Answer), None);
    }

    proptest! {
        #[test]
        fn each_target_once_a_pass_tiers_in_order(
            tiers in proptest::collection::vec(proptest::collection::vec(1u32..50, 1..5), 1..4),
            attempts in 1u8..16,
            random in any::<u64>(),
        ) {
            let r = route(&tiers, attempts);
            let p = plan(&r, random);
            prop_assert_eq!(p.attempts.len(), usize::from(attempts));
            for pass in p.attempts.chunks(r.target_count()) {
                let names: HashSet<&str> = pass.iter().map(|a| &*a.target.model).collect();
                prop_assert_eq!(names.len(), pass.len());
                prop_assert!(pass.windows(2).all(|w| w[0].tier <= w[1].tier));
            }
            prop_assert_eq!(&p, &plan(&r, random));
        }
    }
}
